"""Which operations a stack takes in which state, and that a resource keeps its type.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (stack status codes): a stack
that was rolled back after its creation can only be deleted; one whose rollback failed is continued, or deleted.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html: AlreadyExistsException.
"""

from cloud import seams

# A change set that creates a stack is reviewed in this state.
REVIEWED = "REVIEW_IN_PROGRESS"
UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
}
UNDELETABLE = {
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
}


def _stack(params):
    stack = seams.handlers.resolve_stack(seams.helpers.p(params, "StackName"))
    return stack if stack is not None and stack["StackStatus"] != "DELETE_COMPLETE" else None


def _refuse(message: str, code: str = "ValidationError"):
    return seams.helpers.error(code, message)


def _changed_types(stack: dict, params) -> list[str]:
    """The logical ids whose type the template of the request changes."""
    body, error = seams.helpers.resolve_template(params)
    if error or not body:
        return []
    try:
        wanted = seams.engine.parse_template(body).get("Resources") or {}
    except Exception:  # the operation itself says what is wrong with the template
        return []
    held = stack.get("_template", {}).get("Resources", {})
    return sorted(
        name
        for name in held.keys() & wanted.keys()
        if isinstance(wanted[name], dict) and held[name].get("Type") != wanted[name].get("Type")
    )


def _refused_update(stack: dict, params):
    if stack["StackStatus"] not in UPDATABLE:
        return _refuse(f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated.")
    changed = _changed_types(stack, params)
    if changed:
        return _refuse(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(changed)}]"
        )
    return None


def _creating(create):
    def create_stack(params):
        stack = _stack(params)
        if stack:
            return _refuse(f"Stack [{stack['StackName']}] already exists", "AlreadyExistsException")
        return create(params)

    return create_stack


def _updating(update):
    def update_stack(params):
        stack = _stack(params)
        return (stack and _refused_update(stack, params)) or update(params)

    return update_stack


def _planning(create):
    def create_change_set(params):
        stack = _stack(params)
        if stack and stack["StackStatus"] != REVIEWED:
            refused = _refused_update(stack, params)
            if refused:
                return refused
        return create(params)

    return create_change_set


def _deleting(delete):
    def delete_stack(params):
        stack = _stack(params)
        if stack and stack["StackStatus"] in UNDELETABLE:
            return _refuse(f"Stack [{stack['StackName']}] cannot be deleted while in status {stack['StackStatus']}")
        return delete(params)

    return delete_stack


def _continuing(continue_rollback):
    def continue_update_rollback(params):
        # An empty list of resources to skip arrives as one empty name.
        if params.get("ResourcesToSkip") == [""]:
            params = {name: value for name, value in params.items() if name != "ResourcesToSkip"}
        return continue_rollback(params)

    return continue_update_rollback


def install() -> None:
    seams.handlers.wrap(
        create_stack=_creating, update_stack=_updating, delete_stack=_deleting, continue_update_rollback=_continuing
    )
    seams.changesets.wrap(create_change_set=_planning)
