"""A change set that changes nothing but outputs can be executed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
The emulator compares resources alone, so an output that another stack is to read could not be added by itself (the CDK
deploys through change sets: aws/aws-cdk#186).
"""

from cloud import seams


def _with_outputs(create):
    def create_change_set(params):
        before = set(seams.cloudformation.change_sets)
        answer = create(params)
        for identifier in set(seams.cloudformation.change_sets) - before:
            change_set = seams.cloudformation.change_sets[identifier]
            stack = seams.cloudformation.stacks.get(change_set["StackName"]) or {}
            empty = change_set["Status"] == "FAILED" and not change_set["Changes"]
            same = change_set["_template"].get("Outputs", {}) == stack.get("_template", {}).get("Outputs", {})
            if change_set["ChangeSetType"] == "UPDATE" and empty and not same:
                change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        return answer

    return create_change_set


def install() -> None:
    seams.changesets.wrap(create_change_set=_with_outputs)
