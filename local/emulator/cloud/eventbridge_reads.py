"""Calls that only read, on the default event bus, and which rules get them.

- A rule that is merely ENABLED gets no read-only management event of CloudTrail; one whose state is
  ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS gets all events:
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
- What Secrets Manager logs of GetSecretValue:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html
- The record around it:
  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

On AWS nothing arrives without a trail that logs management events; here it always does. A call that IAM refuses is
logged on AWS, and not here: it never reaches the service. `/_rekey/service-event` puts an event as a service of AWS
would, which PutEvents refuses to everybody.
"""

import json
import logging
import time

from ministack.core.responses import get_account_id, get_region, new_uuid

from cloud import control, seams

logger = logging.getLogger("rekey.eventbridge")

PATH = "/_rekey/service-event"
_WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_SERVICE = "secretsmanager.amazonaws.com"
# Read by their names, and yet events of change: they are for everybody.
_CHANGES = ("GetFederationToken", "GetSessionToken")


def _only_reads(event: dict) -> bool:
    if event.get("DetailType") != "AWS API Call via CloudTrail":
        return False
    name = str(json.loads(event["Detail"]).get("eventName", ""))
    return name.startswith(("Describe", "Get", "List")) and name not in _CHANGES


def _dispatch_event(event: dict, view=None) -> None:
    bus, path = event.get("EventBusName", "default"), set(event.get("_DispatchPath") or [])
    view = view or seams.eventbridge.pattern_event_view(event)
    states = (_WITH_READS,) if _only_reads(event) else ("ENABLED", _WITH_READS)
    for key, rule in list(seams.eventbridge.rules.items()):
        pattern = rule.get("EventPattern")
        if rule.get("EventBusName", "default") != bus or rule.get("State") not in states or not pattern:
            continue
        if key in path:
            logger.warning("An event that rule %s has put comes back to it, and is skipped", key)
        elif seams.eventbridge.matches_pattern_view(pattern, view, f"rule {key}"):
            for target in seams.eventbridge.targets.get(key, []):
                seams.eventbridge.invoke_target(target, event, rule, view)


def _put(source: str, detail_type: str, detail: dict) -> None:
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    seams.eventbridge.put_events({"Entries": [entry]}, allow_aws_source=True)


def announce_read(secret_id: str, access_key: str | None, error: str | None = None) -> None:
    """Logs a GetSecretValue. A fault in that never disturbs the call."""
    try:
        # Nobody else would get it, and every start of a function reads secrets.
        if not any(rule.get("State") == _WITH_READS for rule in list(seams.eventbridge.rules.values())):
            return
        caller = seams.iam_evaluator.request_caller_arn.get(None)
        detail = {
            "eventVersion": "1.11",
            "userIdentity": {
                "accountId": get_account_id(),
                **({"arn": caller} if caller else {}),
                **({"accessKeyId": access_key} if access_key else {}),
            },
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "eventSource": _SERVICE,
            "eventName": "GetSecretValue",
            "awsRegion": get_region(),
            "sourceIPAddress": "127.0.0.1",
            "userAgent": "local",
            **({"errorCode": error} if error else {}),
            "requestParameters": {"secretId": secret_id},
            "responseElements": None,
            "eventID": new_uuid(),
            "readOnly": True,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": get_account_id(),
            "eventCategory": "Management",
        }
        _put("aws.secretsmanager", "AWS API Call via CloudTrail", detail)
    except Exception:  # the emulator's own fault
        logger.exception("GetSecretValue of %s", secret_id)


def _answer(method: str, body: bytes) -> tuple[int, dict]:
    if method != "POST":
        return 405, {"message": f"{PATH} answers POST."}
    try:
        event = json.loads(body)
        _put(event["source"], event["detailType"], event["detail"])
    except (ValueError, KeyError, TypeError):
        return 400, {"message": 'The body must be {"source": "aws.…", "detailType": "…", "detail": {…}}.'}
    return 200, {}


def install() -> None:
    seams.eventbridge.replace(dispatch_event=_dispatch_event)
    control.serve(PATH, _answer)
