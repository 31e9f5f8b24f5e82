"""An export that another stack imports keeps its name, its value and its stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html
An update that breaks this is rolled back once its resources are done, with the reason (linz/geostore#630,
convox/rack#2410); a delete leaves the stack in the state that it had, with the reason (rlister/stax#40).
"""

from cloud import seams

# Stacks in these states hold nothing that could import.
WITHOUT_RESOURCES = {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}


def _importers(names: set[str], own_stack_id: str) -> dict[str, list[str]]:
    """The names of the stacks that import each of `names`."""
    importers: dict[str, list[str]] = {}
    if not names:
        return importers
    for stack_name, stack in seams.cloudformation.stacks.items():
        if stack.get("StackId") == own_stack_id or stack.get("StackStatus") in WITHOUT_RESOURCES:
            continue
        for name in names & seams.handlers.imported_export_names(stack, stack_name):
            importers.setdefault(name, []).append(stack_name)
    return importers


def _of_stack(stack_id: str) -> dict[str, dict]:
    return {name: export for name, export in seams.cloudformation.exports.items() if export.get("StackId") == stack_id}


def _checking(resolve_outputs):
    def resolve_stack_outputs(*arguments):
        """The stack's outputs, and its exports if no other stack stands against them."""
        outputs, wanted = resolve_outputs(*arguments)
        stack_id = arguments[-1]
        held = _of_stack(stack_id)
        for name in wanted:
            owner = seams.cloudformation.exports.get(name, {}).get("StackId", stack_id)
            if owner != stack_id:
                raise ValueError(f"Export with name {name} is already exported by stack {owner.split('/')[1]}.")
        gone = held.keys() - wanted.keys()
        changed = {name for name in held.keys() & wanted.keys() if held[name]["Value"] != wanted[name]["Value"]}
        for name, stacks in sorted(_importers(gone | changed, stack_id).items()):
            verb = "deleted" if name in gone else "updated"
            raise ValueError(f"Export {name} cannot be {verb} as it is in use by {', '.join(sorted(stacks))}")
        for name in gone:
            seams.cloudformation.exports.pop(name, None)
        return outputs, wanted

    return resolve_stack_outputs


def _refusing(delete):
    def delete_stack(params):
        stack = seams.handlers.resolve_stack(seams.helpers.p(params, "StackName"))
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" or stack.get("EnableTerminationProtection"):
            return delete(params)
        used = _importers(set(_of_stack(stack["StackId"])), stack["StackId"])
        if not used:
            return delete(params)
        name, stacks = sorted(used.items())[0]
        reason = f"Export {name} cannot be deleted as it is in use by {', '.join(sorted(stacks))}"
        stack["StackStatusReason"] = reason
        for status, why in (("DELETE_IN_PROGRESS", "User Initiated"), (stack["StackStatus"], reason)):
            seams.stacks.add_event(
                stack["StackId"],
                stack["StackName"],
                stack["StackName"],
                "AWS::CloudFormation::Stack",
                status,
                why,
                stack["StackId"],
            )
        return seams.helpers.xml(200, "DeleteStackResponse", "")

    return delete_stack


def _importing(resolve):
    def resolve_refs(value, *scope):
        if not isinstance(value, dict) or "Fn::ImportValue" not in value:
            return resolve(value, *scope)
        name = str(resolve(value["Fn::ImportValue"], *scope))
        if name not in seams.cloudformation.exports:
            raise ValueError(f"No export named {name} found.")
        return seams.cloudformation.exports[name]["Value"]

    return resolve_refs


def install() -> None:
    seams.engine.wrap(resolve_refs=_importing)
    seams.stacks.wrap(resolve_stack_outputs=_checking)
    seams.handlers.wrap(delete_stack=_refusing)
