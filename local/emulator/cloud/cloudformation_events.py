"""A stack's events tell of the resources that an operation touched, and of the deletes that end an update.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html: what an update removes or
replaces is deleted in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS, after everything else succeeded; a resource that did not
change has no events.
"""

from cloud import seams

# Stack and logical id of resources that the running update found unchanged.
_unchanged: set[tuple[str, str]] = set()


def _noting(update):
    def update_keeping_seed(resource_type, physical_id, old_props, new_props, stack_name, logical_id, *others):
        if old_props == new_props:
            events = seams.cloudformation.stack_events.get(seams.cloudformation.stacks[stack_name]["StackId"], [])
            if events and events[-1]["LogicalResourceId"] == logical_id:
                events.pop()
            _unchanged.add((stack_name, logical_id))
        return update(resource_type, physical_id, old_props, new_props, stack_name, logical_id, *others)

    return update_keeping_seed


def _telling(add_event):
    def add(stack_id, stack_name, logical_id, resource_type, status, *others, **named):
        if status == "UPDATE_COMPLETE" and (stack_name, logical_id) in _unchanged:
            _unchanged.discard((stack_name, logical_id))
            return
        add_event(stack_id, stack_name, logical_id, resource_type, status, *others, **named)

    return add


def _cleaning(delete):
    def delete_resource(resource_type, physical_id, props, stack_name=None, logical_id=None):
        stack = seams.cloudformation.stacks.get(stack_name) if stack_name else None
        cleanup = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        # Rollbacks and the deletion of a stack have other states, and the emulator tells of those itself.
        if stack is None or logical_id is None or stack["StackStatus"] not in ("UPDATE_IN_PROGRESS", cleanup):
            delete(resource_type, physical_id, props, stack_name, logical_id)
            return
        identifier = stack["StackId"]
        if stack["StackStatus"] != cleanup:
            stack["StackStatus"] = cleanup
            seams.stacks.add_event(
                identifier, stack_name, stack_name, "AWS::CloudFormation::Stack", cleanup, "", identifier
            )
        about = (identifier, stack_name, logical_id, resource_type)
        seams.stacks.add_event(*about, "DELETE_IN_PROGRESS", physical_id=physical_id)
        delete(resource_type, physical_id, props, stack_name, logical_id)
        seams.stacks.add_event(*about, "DELETE_COMPLETE", physical_id=physical_id)

    return delete_resource


def install() -> None:
    seams.stacks.wrap(update_keeping_seed=_noting, add_event=_telling)
    seams.provisioners.wrap(delete_resource=_cleaning)
