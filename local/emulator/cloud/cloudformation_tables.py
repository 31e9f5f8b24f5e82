"""AWS::DynamoDB::Table with its encryption, its time to live and its recovery, which the emulator drops.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-ssespecification.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-timetolivespecification.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-pointintimerecoveryspecification.html
"""

from cloud import seams
from cloud.cloudformation import checked, is_true


def _encrypt(name: str, wanted: dict | None) -> None:
    """Encrypts a new table; the emulator's own update does it for one that is there."""
    if not wanted:
        return
    # The template says SSEEnabled where the API says Enabled.
    request = {key: value for key, value in wanted.items() if key != "SSEEnabled"}
    specification = request | {"Enabled": is_true(wanted.get("SSEEnabled", False))}
    checked(seams.dynamodb.update_table({"TableName": name, "SSESpecification": specification}), "AWS::DynamoDB::Table")


def _forget(name: str, before: dict | None, wanted: dict | None) -> None:
    """Has DynamoDB delete items after a time; a template that no longer says so turns it off."""
    if wanted == before:
        return
    specification = {
        "AttributeName": (wanted or before or {}).get("AttributeName", ""),
        "Enabled": is_true((wanted or {}).get("Enabled", False)),
    }
    checked(
        seams.dynamodb.update_ttl({"TableName": name, "TimeToLiveSpecification": specification}),
        "AWS::DynamoDB::Table",
    )


def _recover(name: str, wanted: dict | None) -> None:
    specification = {"PointInTimeRecoveryEnabled": is_true((wanted or {}).get("PointInTimeRecoveryEnabled", False))}
    checked(
        seams.dynamodb.update_continuous_backups(
            {"TableName": name, "PointInTimeRecoverySpecification": specification}
        ),
        "AWS::DynamoDB::Table",
    )


def install() -> None:
    table = seams.provisioners.RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create_bare, update_bare = table["create"], table["update"]

    def create(logical_id, props, stack_name):
        name, attributes = create_bare(logical_id, props, stack_name)
        _encrypt(name, props.get("SSESpecification"))
        _forget(name, None, props.get("TimeToLiveSpecification"))
        _recover(name, props.get("PointInTimeRecoverySpecification"))
        return name, attributes

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        # What was encrypted differently is encrypted here, by the words of the API.
        kept = new_props | {"SSESpecification": old_props.get("SSESpecification")}
        name, attributes = update_bare(physical_id, old_props, kept, stack_name, logical_id)
        if name != physical_id or old_props.get("SSESpecification") != new_props.get("SSESpecification"):
            _encrypt(name, new_props.get("SSESpecification") or {"SSEEnabled": False})
        before = old_props.get("TimeToLiveSpecification") if name == physical_id else None
        _forget(name, before, new_props.get("TimeToLiveSpecification"))
        _recover(name, new_props.get("PointInTimeRecoverySpecification"))
        return name, attributes

    table["create"], table["update"] = create, update
