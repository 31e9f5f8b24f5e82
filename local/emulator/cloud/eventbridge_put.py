"""PutEvents, and what EventBridge refuses of rules and targets.

- https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
- Recorded on AWS in the snapshots of LocalStack (tests/aws/services/events/*.snapshot.json, 2025-01): the envelope's
  time is the given one in whole seconds (test_put_events_time); events for a bus that is not there are taken and lost
  (test_put_events_nonexistent_event_bus); DeleteRule with targets, a sixth target, the ids of targets, and two ways of
  input are refused (test_delete_rule_with_targets, test_put_target_*, test_put_targets_*).
"""

import json
import re

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid

from cloud import readings, seams

_TARGETS_PER_RULE = 5
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
_LONGEST_INPUT = 8192


def _refused(message: str, code: str = "ValidationException") -> tuple:
    return error_response_json(code, message, 400)


def entry_size(entry: dict) -> int:
    """The bytes that an entry counts: its texts, and 14 for a time."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return (14 if entry.get("Time") is not None else 0) + sum(len(str(text or "").encode()) for text in texts)


def _limit() -> int:
    return 256 * 1024 if readings.is_read("put-events-limit", "256-KB") else 1024 * 1024


def _entry_fault(entry: dict) -> tuple[str, str] | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    return None if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")


def _put(entry: dict, allow_aws_source: bool) -> dict:
    """Hands one sound entry to the rules of its bus."""
    bus, fault = seams.eventbridge.event_bus_name_from_ref(entry.get("EventBusName", "default"))
    source = entry["Source"]
    if fault is None and not allow_aws_source and isinstance(source, str) and source.startswith("aws."):
        fault = ("NotAuthorizedForSourceException", "Not authorized for the source.")
    if fault is not None:
        return {"ErrorCode": fault[0], "ErrorMessage": fault[1]}
    given = entry.get("Time")
    event = {
        "EventId": new_uuid(),
        "Source": source,
        "DetailType": entry["DetailType"],
        "Detail": entry["Detail"],
        "EventBusName": bus,
        "Time": int(seams.eventbridge.coerce_timestamp(given) if given else seams.eventbridge.now_ts()),
        "Resources": entry.get("Resources") or [],
        "Account": get_account_id(),
        "Region": get_region(),
    }
    seams.eventbridge.events_log_list().append(event)
    view = seams.eventbridge.pattern_event_view(event)
    seams.eventbridge.dispatch_event(event, view)
    seams.eventbridge.archive_event(event, view)
    return {"EventId": event["EventId"]}


def _put_events(data: dict, allow_aws_source: bool = False) -> tuple:
    entries = data.get("Entries") or []
    for wrong, bound in ((not entries, "greater than or equal to 1"), (len(entries) > 10, "less than or equal to 10")):
        if wrong:
            return _refused(
                f"1 validation error detected: Value '{len(entries) or '[]'}' at 'entries' failed to satisfy "
                f"constraint: Member must have length {bound}"
            )
    if sum(map(entry_size, entries)) > _limit():
        return _refused("Total size of the entries in the request is over the limit.")
    results = []
    for entry in entries:
        fault = _entry_fault(entry)
        results.append({"ErrorCode": fault[0], "ErrorMessage": fault[1]} if fault else _put(entry, allow_aws_source))
    return json_response({"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results})


def _target_fault(target: dict) -> tuple | None:
    name = str(target.get("Id") or "")
    if not re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", name):
        return _refused(
            f"1 validation error detected: Value '{name}' at 'targets.1.member.id' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
        )
    if sum(target.get(way) is not None for way in ("Input", "InputPath", "InputTransformer")) > 1:
        return _refused(f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}.")
    if len(target.get("Input") or "") > _LONGEST_INPUT:
        return _refused(
            "1 validation error detected: Value at 'targets.1.member.input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_LONGEST_INPUT}"
        )
    if ":states:" in target.get("Arn", "") and not target.get("RoleArn"):
        return _refused(f"RoleArn is required for target {target['Arn']}.")
    return None


def _missing_bus(data: dict) -> tuple | None:
    bus, fault = seams.eventbridge.event_bus_name_from_ref(data.get("EventBusName", "default"))
    if fault is None and bus != "default" and bus not in seams.eventbridge.event_buses:
        return _refused(f"Event bus {bus} does not exist.", "ResourceNotFoundException")
    return None


def install() -> None:
    validate, put_targets = seams.eventbridge.validate_target_arn, seams.eventbridge.put_targets
    delete_rule, list_rules = seams.eventbridge.delete_rule, seams.eventbridge.list_rules

    def _put_targets(data):
        key = seams.eventbridge.rule_key(data.get("Rule"), data.get("EventBusName", "default"))
        ids = {target["Id"] for target in seams.eventbridge.targets.get(key, [])}
        if len(ids | {target.get("Id") for target in data.get("Targets", [])}) > _TARGETS_PER_RULE:
            return _refused("The requested resource exceeds the maximum number allowed.", "LimitExceededException")
        return put_targets(data)

    def _delete_rule(data):
        key = seams.eventbridge.rule_key(data.get("Name"), data.get("EventBusName", "default"))
        if seams.eventbridge.targets.get(key):
            return _refused("Rule can't be deleted since it has targets.")
        return delete_rule(data)

    seams.eventbridge.replace(
        put_events=_put_events,
        put_targets=_put_targets,
        delete_rule=_delete_rule,
        list_rules=lambda data: _missing_bus(data) or list_rules(data),
        validate_target_arn=lambda target: _target_fault(target) or validate(target),
    )
