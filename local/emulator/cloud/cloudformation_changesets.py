"""A change set that changes nothing but outputs can be executed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
The emulator compares resources alone, so an output that another stack is to read could not be added by itself (the CDK
deploys through change sets: aws/aws-cdk#186).
"""

from cloud import emulator


def _with_outputs(create):
    def create_change_set(params):
        from ministack.services.cloudformation import _change_sets, _stacks

        before = set(_change_sets)
        answer = create(params)
        for identifier in set(_change_sets) - before:
            change_set = _change_sets[identifier]
            stack = _stacks.get(change_set["StackName"]) or {}
            empty = change_set["Status"] == "FAILED" and not change_set["Changes"]
            same = change_set["_template"].get("Outputs", {}) == stack.get("_template", {}).get("Outputs", {})
            if change_set["ChangeSetType"] == "UPDATE" and empty and not same:
                change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        return answer

    return create_change_set


def install() -> None:
    from ministack.services.cloudformation import changesets

    emulator.replace(changesets, "_create_change_set", _with_outputs)
