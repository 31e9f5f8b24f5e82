"""AWS::SecretsManager::RotationSchedule: create and update call RotateSecret, delete calls CancelRotateSecret.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
So an update is refused while AWSPENDING sits on a version that is not current (aws/aws-cdk#28539). A secret has one
rotation, however many resources speak of it: deleting one of two turns it off for both
(aws-cloudformation/cloudformation-coverage-roadmap#1813).
"""

from cloud import clock, readings, seams, secretsmanager_rotation
from cloud import secretsmanager_rotation as rotation
from cloud import secretsmanager_schedule as schedule
from cloud.cloudformation import is_true, json_of

TYPE = "AWS::SecretsManager::RotationSchedule"


def _rules(props: dict) -> dict:
    rules = dict(props.get("RotationRules") or {})
    if "AutomaticallyAfterDays" in rules:
        rules["AutomaticallyAfterDays"] = int(rules["AutomaticallyAfterDays"])
    return rules


def _rotate(props: dict) -> tuple[str, dict]:
    if props.get("HostedRotationLambda"):
        raise ValueError(
            "HostedRotationLambda needs the transform AWS::SecretsManager-2020-07-23, which the "
            "local cloud lacks; give RotationLambdaARN."
        )
    rules = _rules(props)
    request = {
        "SecretId": props["SecretId"],
        "RotateImmediately": is_true(props.get("RotateImmediatelyOnUpdate", True)),
        **({"RotationRules": rules} if rules else {}),
        **({"RotationLambdaARN": props["RotationLambdaARN"]} if props.get("RotationLambdaARN") else {}),
    }
    return json_of(seams.secretsmanager.rotate_secret(request), TYPE)["ARN"], {}


def _change_rules_alone(secret: dict, pending: str, props: dict) -> None:
    """The lenient reading: the rules change, and the unfinished rotation is tried again."""
    rules = _rules(props)
    schedule.check(rules)
    secret["RotationRules"] = rules
    rotation.plan_next(secret, secret.get("LastRotatedDate") or clock.now())
    if is_true(props.get("RotateImmediatelyOnUpdate", True)):
        rotation.start(secret, pending, rotation.STEPS)


def _update(physical_id, old, new, stack_name):
    _, secret = seams.secretsmanager.resolve(new["SecretId"])
    pending = rotation.pending_version(secret) if secret else None
    same = {**old, "RotationRules": None} == {**new, "RotationRules": None}
    if pending and same and readings.is_read("rules-while-rotating", "accepted"):
        _change_rules_alone(secret, pending, new)
        return physical_id, {}
    return _rotate(new)


def _stop(physical_id, props):
    _, found = seams.secretsmanager.resolve(physical_id)
    if found:
        secretsmanager_rotation.cancel(found)


def _deleting_former(replace_resource):
    """The former schedule is deleted in the cleanup of the update, also where it has the identifier of the new one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """

    def replace(resource_type, physical_id, old_props, new_props, stack_name, logical_id):
        created = replace_resource(resource_type, physical_id, old_props, new_props, stack_name, logical_id)
        later = seams.provisioners.DEFERRED_PREDECESSOR_DELETES.get()
        if (
            resource_type == TYPE
            and created[0] == physical_id
            and later is not None
            and readings.is_read("respelled-schedule", "deleted")
        ):
            later.append((_stop, (physical_id, old_props), {}))
        return created

    return replace


def _sending_back(sends_back):
    return lambda resource_type: (
        sends_back(resource_type) or (resource_type == TYPE and readings.is_read("refused-schedule", "sent-back"))
    )


def install() -> None:
    seams.provisioners.RESOURCE_HANDLERS[TYPE] = {
        "create": lambda logical_id, props, stack_name: _rotate(props),
        "update": _update,
        "delete": _stop,
    }
    seams.provisioners.wrap(replace_resource=_deleting_former)
    seams.stacks.wrap(sends_back_failed_update=_sending_back)
