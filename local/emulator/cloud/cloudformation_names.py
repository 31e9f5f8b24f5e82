"""A resource whose name is taken cannot be created, whoever made the one that has it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html: names are unique, so a
stack that names a resource fails where one of that name exists, in another stack, under another logical id, or left
over by a stack that retained it. The emulator took such resources over.
"""

from collections.abc import Callable

from ministack.core.responses import get_account_id, get_region

from cloud import emulator, seams


def _arn(service: str, resource: str, region: bool = True) -> str:
    return f"arn:aws:{service}:{get_region() if region else ''}:{get_account_id()}:{resource}"


def _named(service: emulator.Seam, store: str) -> Callable[[str, dict], bool]:
    """Looks for the name among the keys of a service's store."""

    def exists(name, props):
        return name in getattr(service, store)

    return exists


def _managed_policy(name, props):
    return _arn("iam", f"policy{props.get('Path', '/')}{name}", region=False) in seams.iam.policies


def _rule(name, props):
    return (
        seams.eventbridge.rule_key(name, props.get("EventBusName", "default").split("/")[-1]) in seams.eventbridge.rules
    )


def _alarm(name, props):
    return name in seams.cloudwatch.alarms or name in seams.cloudwatch.composite_alarms


def _topic(name, props):
    return _arn("sns", name) in seams.sns.topics


def _state_machine(name, props):
    return _arn("states", f"stateMachine:{name}") in seams.stepfunctions.state_machines


def _alias(name, props):
    return _arn("kms", name) in seams.kms.aliases or name in seams.kms.aliases


def _schedule(name, props):
    return f"{props.get('GroupName', 'default')}/{name}" in seams.scheduler.schedules


def _security_group(name, props):
    return any(
        group.get("GroupName") == name and group.get("VpcId") == props.get("VpcId")
        for group in seams.ec2.security_groups.values()
    )


# The property that names a resource of the type, and how to tell that one of that name exists.
NAMED: dict[str, tuple[str, Callable[[str, dict], bool]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", _alarm),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", _alarm),
    "AWS::CloudWatch::Dashboard": ("DashboardName", _named(seams.cloudwatch, "dashboards")),
    "AWS::EC2::SecurityGroup": ("GroupName", _security_group),
    "AWS::Events::Rule": ("Name", _rule),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", _managed_policy),
    "AWS::IAM::Role": ("RoleName", _named(seams.iam, "roles")),
    "AWS::KMS::Alias": ("AliasName", _alias),
    "AWS::Lambda::Function": ("FunctionName", _named(seams.lambda_svc, "functions")),
    "AWS::Logs::LogGroup": ("LogGroupName", _named(seams.cloudwatch_logs, "log_groups")),
    "AWS::SNS::Topic": ("TopicName", _topic),
    "AWS::SQS::Queue": ("QueueName", _named(seams.sqs, "queue_name_to_url")),
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
    # Not at the emulator's provision function itself: updates go through that one, too.
    seams.stacks.wrap(provision_keeping_seed=_creating)
    seams.provisioners.wrap(replace_resource=_replacing)
