"""Fn::GetStackOutput reads an output of another stack while a stack is created or updated.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
The reference is weak: nothing keeps the other stack from dropping the output, and nothing updates the reader after it.
A change set shows the value as known after apply, and is empty where the template did not change, whatever became of
the output (aws/aws-cdk#38829, aws-cloudformation/cloudformation-coverage-roadmap#2559). Where it may not stand:
aws-cloudformation/cfn-lint#4495 and #4519, which tried it on AWS.
"""

import contextvars
import json

from ministack.core.responses import get_account_id, get_region, set_request_region
from ministack.services.cloudformation import engine

from cloud import seams

FUNCTION = "Fn::GetStackOutput"
KEYS = {"StackName", "OutputName", "Region", "RoleArn"}

# Set while a change set is computed: the value is then known only after apply.
_planning: contextvars.ContextVar[bool] = contextvars.ContextVar("rekey_cfn_planning", default=False)


def _output(stack_name: str, output_name: str, region: str) -> str:
    """The value of an output; a stack or output that is not there fails the resource that reads it."""
    reader_region = get_region()
    set_request_region(region)
    try:
        stack = seams.handlers.resolve_stack(stack_name)
    finally:
        set_request_region(reader_region)
    if stack is None or stack.get("StackStatus") == "DELETE_COMPLETE":
        raise ValueError(f"{FUNCTION} cannot read output {output_name}: stack {stack_name} does not exist in {region}.")
    for output in stack.get("Outputs", []):
        if output.get("OutputKey") == output_name:
            return output.get("OutputValue", "")
    raise ValueError(f"{FUNCTION} cannot read output {output_name}: stack {stack_name} in {region} has no such output.")


def _read(arguments: dict) -> str:
    for key in ("StackName", "OutputName"):
        if not isinstance(arguments.get(key), str) or not arguments[key]:
            raise ValueError(f"Template error: {FUNCTION} needs {key} as a string.")
    role = arguments.get("RoleArn")
    if role and f":{get_account_id()}:" not in str(role):
        raise ValueError(f"{FUNCTION} cannot assume {role}: the local cloud has one account, {get_account_id()}.")
    return _output(arguments["StackName"], arguments["OutputName"], arguments.get("Region") or get_region())


def _resolving(resolve):
    def resolve_refs(value, *scope):
        if not isinstance(value, dict) or FUNCTION not in value:
            return resolve(value, *scope)
        # Through the emulator's own function, so that references inside of the arguments are resolved as well.
        arguments = resolve(value[FUNCTION], *scope)
        if _planning.get():
            return "{{changeSet:KNOWN_AFTER_APPLY}}" + json.dumps(arguments, sort_keys=True)
        return _read(arguments)

    return resolve_refs


def _planned(resolve_for_diff):
    def resolve_props_for_diff(*arguments):
        token = _planning.set(True)
        try:
            return resolve_for_diff(*arguments)
        finally:
            _planning.reset(token)

    return resolve_props_for_diff


def _uses(node) -> bool:
    if isinstance(node, dict):
        return FUNCTION in node or any(_uses(value) for value in node.values())
    return isinstance(node, list) and any(_uses(value) for value in node)


def _check(node) -> None:
    """Refuses malformed arguments, and the function where AWS does not resolve it."""
    if isinstance(node, list):
        for value in node:
            _check(value)
    if not isinstance(node, dict):
        return
    if FUNCTION in node:
        arguments = node[FUNCTION]
        if not isinstance(arguments, dict) or not {"StackName", "OutputName"} <= set(arguments) <= KEYS:
            raise ValueError(
                f"Template error: {FUNCTION} takes StackName and OutputName, and may take Region and RoleArn."
            )
    if _uses(node.get("Fn::ImportValue")):
        raise ValueError(
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported "
            "values, or Fn::GetAZs"
        )
    for value in node.values():
        _check(value)


def _validating(validate):
    def validate_template_support(template, conditions, params=None):
        if _uses(template.get("Conditions")):
            raise ValueError(f"Template error: Cannot use {FUNCTION} in Conditions")
        for section in ("Resources", "Outputs"):
            _check(template.get(section) or {})
        for output in (template.get("Outputs") or {}).values():
            if isinstance(output, dict) and _uses(output.get("Export")):
                raise ValueError(
                    "Template format error: The Name field of Export must not depend on any resources, "
                    "imported values, or Fn::GetAZs"
                )
        return validate(template, conditions, params=params)

    return validate_template_support


def install() -> None:
    engine.CfnLoader.add_constructor("!GetStackOutput", seams.engine.construct_cfn_tag(FUNCTION))
    seams.engine.wrap(resolve_refs=_resolving, validate_template_support=_validating)
    seams.changesets.wrap(resolve_props_for_diff=_planned)
