"""Access keys that a stack makes: AWS::IAM::AccessKey.

Ref gives the id, and the attribute SecretAccessKey the secret; another user or another Serial makes another key:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html
"""

import re

from cloud import seams
from cloud.cloudformation import checked

TYPE = "AWS::IAM::AccessKey"


def _call(action: str, params: dict) -> str:
    answer = checked(seams.iam.IAM_HANDLERS[action](params), TYPE)
    return answer.decode() if isinstance(answer, bytes) else str(answer)


def _text(answer: str, element: str) -> str:
    found = re.search(f"<{element}>([^<]*)</{element}>", answer)
    return found.group(1) if found else ""


def _set_status(key_id: str, props: dict) -> None:
    status = props.get("Status", "Active")
    _call("UpdateAccessKey", {"UserName": props["UserName"], "AccessKeyId": key_id, "Status": status})


def _create(logical_id, props, stack_name):
    answer = _call("CreateAccessKey", {"UserName": props["UserName"]})
    key_id = _text(answer, "AccessKeyId")
    _set_status(key_id, props)
    return key_id, {"SecretAccessKey": _text(answer, "SecretAccessKey")}


def _update(physical_id, old_props, new_props, stack_name, logical_id=None):
    if any(old_props.get(name) != new_props.get(name) for name in ("UserName", "Serial")):
        return _create(logical_id, new_props, stack_name)
    _set_status(physical_id, new_props)
    record = seams.iam.access_keys.get(physical_id) or {}
    return physical_id, {"SecretAccessKey": record.get("SecretAccessKey", "")}


def _delete(physical_id, props):
    if physical_id in seams.iam.access_keys:
        _call("DeleteAccessKey", {"UserName": props["UserName"], "AccessKeyId": physical_id})


def install() -> None:
    seams.provisioners.RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}
