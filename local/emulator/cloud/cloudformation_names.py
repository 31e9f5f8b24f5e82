"""A resource whose name is taken cannot be created, whoever made the one that has it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html: names are unique, so a
stack that names a resource fails where one of that name exists, in another stack, under another logical id, or left
over by a stack that retained it. The emulator took such resources over.
"""

from collections.abc import Callable

from cloud import emulator


def _arn(service: str, resource: str, region: bool = True) -> str:
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:{service}:{get_region() if region else ''}:{get_account_id()}:{resource}"


def _named(module: str, store: str) -> Callable[[str, dict], bool]:
    """Looks for the name among the keys of a service's store."""

    def exists(name, props):
        from importlib import import_module

        return name in getattr(import_module(f"ministack.services.{module}"), store)

    return exists


def _managed_policy(name, props):
    from ministack.services import iam

    return _arn("iam", f"policy{props.get('Path', '/')}{name}", region=False) in iam._policies


def _rule(name, props):
    from ministack.services import eventbridge

    return eventbridge._rule_key(name, props.get("EventBusName", "default").split("/")[-1]) in eventbridge._rules


def _alarm(name, props):
    from ministack.services import cloudwatch

    return name in cloudwatch._alarms or name in cloudwatch._composite_alarms


def _topic(name, props):
    from ministack.services import sns

    return _arn("sns", name) in sns._topics


def _state_machine(name, props):
    from ministack.services import stepfunctions

    return _arn("states", f"stateMachine:{name}") in stepfunctions._state_machines


def _alias(name, props):
    from ministack.services import kms

    return _arn("kms", name) in kms._aliases or name in kms._aliases


def _schedule(name, props):
    from ministack.services import scheduler

    return f"{props.get('GroupName', 'default')}/{name}" in scheduler._schedules


def _security_group(name, props):
    from ministack.services import ec2

    return any(group.get("GroupName") == name and group.get("VpcId") == props.get("VpcId")
               for group in ec2._security_groups.values())


# The property that names a resource of the type, and how to tell that one of that name exists.
NAMED: dict[str, tuple[str, Callable[[str, dict], bool]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", _alarm),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", _alarm),
    "AWS::CloudWatch::Dashboard": ("DashboardName", _named("cloudwatch", "_dashboards")),
    "AWS::EC2::SecurityGroup": ("GroupName", _security_group),
    "AWS::Events::Rule": ("Name", _rule),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", _managed_policy),
    "AWS::IAM::Role": ("RoleName", _named("iam", "_roles")),
    "AWS::KMS::Alias": ("AliasName", _alias),
    "AWS::Lambda::Function": ("FunctionName", _named("lambda_svc", "_functions")),
    "AWS::Logs::LogGroup": ("LogGroupName", _named("cloudwatch_logs", "_log_groups")),
    "AWS::SNS::Topic": ("TopicName", _topic),
    "AWS::SQS::Queue": ("QueueName", _named("sqs", "_queue_name_to_url")),
    "AWS::Scheduler::Schedule": ("Name", _schedule),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", _state_machine),
}


def _check(resource_type: str, props: dict) -> None:
    """Raises what AWS answers where the name that a new resource asks for is taken."""
    prop, exists = NAMED.get(resource_type, ("", None))
    name = props.get(prop)
    if exists is not None and name and exists(name, props):
        raise ValueError(f"Resource of type '{resource_type}' with identifier '{name}' already exists.")


def _creating(provision):
    def provision_new(resource_type, logical_id, props, stack_name):
        _check(resource_type, props)
        return provision(resource_type, logical_id, props, stack_name)

    return provision_new


def _replacing(replace_resource):
    def replace_with_new(resource_type, physical_id, old_props, new_props, stack_name, logical_id):
        _check(resource_type, new_props)
        return replace_resource(resource_type, physical_id, old_props, new_props, stack_name, logical_id)

    return replace_with_new


def install() -> None:
    from ministack.services.cloudformation import provisioners, stacks

    # Not at the emulator's provision function itself: updates go through that one, too.
    emulator.replace(stacks, "_provision_keeping_seed", _creating)
    emulator.replace(provisioners, "_replace_resource", _replacing)
