"""What Secrets Manager tells of rotations: service events through CloudTrail, on the default event bus.

Which events there are:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
How they arrive: https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
The record around them:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

The user guide names the events without their fields. The fields here are those of events that were published as
examples: the ARN in additionalEventData, the version at the end of requestID, the step in errorMessage. On AWS nothing
arrives without a trail that logs management events; here it always does.
"""

import json
import logging
import time

from ministack.core.responses import get_account_id, get_region, new_uuid

from cloud import seams

logger = logging.getLogger("secretsmanager.events")

_SERVICE = "secretsmanager.amazonaws.com"


def announce(secret: dict, event_name: str, token: str, error: str | None = None) -> None:
    """Puts one event on the default bus. A fault in that never disturbs the rotation."""
    detail = {
        "eventVersion": "1.08",
        "userIdentity": {"accountId": get_account_id(), "invokedBy": _SERVICE},
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": _SERVICE,
        "eventName": event_name,
        "awsRegion": get_region(),
        "sourceIPAddress": _SERVICE,
        "userAgent": _SERVICE,
        **({"errorMessage": error} if error else {}),
        "requestParameters": None,
        "responseElements": None,
        "additionalEventData": {"SecretId": secret["ARN"]},
        "requestID": f"Rotation-{secret['ARN']}-{token}",
        "eventID": new_uuid(),
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
    }
    entry = {
        "Source": "aws.secretsmanager",
        "DetailType": "AWS Service Event via CloudTrail",
        "Detail": json.dumps(detail),
    }
    try:
        seams.eventbridge.put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:  # the emulator's own fault
        logger.exception("%s of %s", event_name, secret["Name"])
