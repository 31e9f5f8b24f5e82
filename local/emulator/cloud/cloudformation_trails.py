"""Trails that a stack makes: AWS::CloudTrail::Trail.

Ref gives the name, and another name makes another trail:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html
"""

import json

from ministack.core.responses import get_account_id, get_region

from cloud import seams
from cloud.cloudformation import checked, is_true, json_of

TYPE = "AWS::CloudTrail::Trail"


def _selectors(name: str, props: dict) -> None:
    request = {
        kind: props[kind] for kind in ("AdvancedEventSelectors", "EventSelectors") if props.get(kind) is not None
    }
    if request:
        checked(seams.cloudtrail.put_event_selectors({"TrailName": name, **request}), TYPE)


def _request(name: str, props: dict) -> dict:
    flags = ("EnableLogFileValidation", "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "IsOrganizationTrail")
    return {
        "Name": name,
        "S3BucketName": props["S3BucketName"],
        "S3KeyPrefix": props.get("S3KeyPrefix", ""),
        "KmsKeyId": props.get("KMSKeyId", ""),
        **{flag: is_true(props[flag]) for flag in flags if flag in props},
    }


def _logging(name: str, props: dict) -> None:
    call = seams.cloudtrail.start_logging if is_true(props["IsLogging"]) else seams.cloudtrail.stop_logging
    checked(call({"Name": name}), TYPE)


def _permits(bucket: str, arn: str) -> bool:
    """Says whether the bucket's policy lets a trail in; CreateTrail fails where it does not.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    policy = seams.s3.bucket_policies.get(bucket)
    text = policy if isinstance(policy, str) else json.dumps(policy or {})
    statements = json.loads(text or "{}").get("Statement", [])
    allowed = {
        action
        for statement in statements
        if statement.get("Effect") == "Allow"
        and (statement.get("Principal") or {} if isinstance(statement.get("Principal"), dict) else {}).get("Service")
        == "cloudtrail.amazonaws.com"
        and arn in json.dumps(statement.get("Condition", {}))
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    return {"s3:GetBucketAcl", "s3:PutObject"} <= allowed


def _create(logical_id, props, stack_name):
    name = props.get("TrailName") or seams.provisioners.physical_name(stack_name, logical_id, max_len=128)
    arn = f"arn:aws:cloudtrail:{get_region()}:{get_account_id()}:trail/{name}"
    if not _permits(props["S3BucketName"], arn):
        raise ValueError(f"{TYPE}: Incorrect S3 bucket policy is detected for bucket: {props['S3BucketName']}")
    answer = json_of(seams.cloudtrail.create_trail(_request(name, props)), TYPE)
    _selectors(name, props)
    _logging(name, props)
    return name, {"Arn": answer["TrailARN"], "SnsTopicArn": ""}


def _update(physical_id, old_props, new_props, stack_name, logical_id=None):
    if old_props.get("TrailName") != new_props.get("TrailName"):
        return _create(logical_id, new_props, stack_name)
    answer = json_of(seams.cloudtrail.update_trail(_request(physical_id, new_props)), TYPE)
    _selectors(physical_id, new_props)
    _logging(physical_id, new_props)
    return physical_id, {"Arn": answer["TrailARN"], "SnsTopicArn": ""}


def _delete(physical_id, props):
    if seams.cloudtrail.trails.get(physical_id):
        checked(seams.cloudtrail.delete_trail({"Name": physical_id}), TYPE)


def install() -> None:
    seams.provisioners.RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}
