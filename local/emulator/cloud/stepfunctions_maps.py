"""The Map states of Step Functions: Map Runs with children of their own.

- A distributed Map, where its items come from, what it tolerates:
  https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
  https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
  https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html
- What its role must be granted: https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
- What stands for a child that failed, and that nothing is written by default:
  https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
- 40 iterations of an inline Map run at once: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html

The events, "Attempting to map over non-iterable node." and the counts are as recorded on AWS (LocalStack's
test_base_scenarios and test_sfn_api_map_run, 2023 to 2025). The name of a denied states:StartExecution is not recorded.
"""

import contextvars
import copy
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core.responses import new_uuid, now_iso

from cloud import readings, seams, service_roles
from cloud.stepfunctions import LARGEST_PAYLOAD, role_of
from cloud.stepfunctions_siblings import among_siblings, end_if_over, leave_siblings

# A Map Run has up to 10,000 children at once. Here each is a thread, so no more run than a machine bears.
_MOST_CHILDREN = 256
_MOST_ITERATIONS = 40
_COUNTS = (
    *("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten"),
    *("failuresNotRedrivable", "pendingRedrive"),
)

# The Map Runs that have not ended, by the ARN of the execution that they belong to.
_unfinished: dict[str, list["_MapRun"]] = {}
_unfinished_lock = threading.Lock()


def _require(execution: dict, action: str, resource_arn: str, error: str) -> None:
    machine = seams.stepfunctions.state_machines.get(_machine_arn(execution)) or {}
    role = role_of(machine, execution)
    denial = service_roles.role_denial(*role, action, resource_arn) if role else None
    if denial:
        raise seams.stepfunctions.ExecutionError(error, denial)


def _machine_arn(execution: dict) -> str:
    """The state machine whose definition and role an execution has; a child's ARN goes on with the label of its Map."""
    return str(execution["stateMachineArn"]).split("/", 1)[0]


def _require_grants(execution: dict) -> None:
    error = "StepFunctions.AccessDeniedException"
    machine = _machine_arn(execution)
    _require(execution, "states:StartExecution", machine, error)
    if readings.is_read("map-run-grants", "documented"):
        for action in ("states:DescribeExecution", "states:StopExecution"):
            _require(execution, action, f"{machine.replace(':stateMachine:', ':execution:')}:{new_uuid()}", error)


def _read_items(reader: dict, effective: Any, execution: dict, ctx: dict) -> list:
    """The items of an ItemReader, read as the execution role."""
    parameters = seams.stepfunctions.resolve_params_obj(reader.get("Parameters") or {}, effective, ctx)
    bucket, key = parameters.get("Bucket", ""), parameters.get("Key")
    failed = "States.ItemReaderFailed"
    if key is None:
        _require(execution, "s3:ListBucket", f"arn:aws:s3:::{bucket}", failed)
    else:
        _require(execution, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", failed)
        status, headers, _body = seams.s3.get_object(bucket, key, {}, {})
        key_arn = headers.get("x-amz-server-side-encryption-aws-kms-key-id") if status == 200 else None
        if key_arn and "alias/aws/s3" not in key_arn:
            _require(execution, "kms:Decrypt", key_arn, failed)
    try:
        items = seams.stepfunctions.read_map_items(reader, effective, ctx)
    except (ValueError, KeyError, IndexError) as error:
        raise seams.stepfunctions.ExecutionError(failed, f"The items could not be read: {error}") from None
    if not isinstance(items, list):
        raise seams.stepfunctions.ExecutionError(failed, "Attempting to map over non-iterable node.")
    return items


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _require_size(value: Any, cause: str) -> None:
    if len(_compact(value).encode()) > LARGEST_PAYLOAD:
        raise seams.stepfunctions.ExecutionError("States.DataLimitExceeded", cause)


def _number(state_def: dict, field: str, effective: Any, ctx: dict) -> float | None:
    """A number of the definition, or the one that its path names."""
    if f"{field}Path" in state_def:
        return float(seams.stepfunctions.resolve_path_or_ctx(state_def[f"{field}Path"], effective, ctx))
    return float(state_def[field]) if field in state_def else None


class _MapRun:
    """The record of one Map Run, and its children."""

    def __init__(self, state_def: dict, effective: Any, execution: dict, ctx: dict) -> None:
        machine = _machine_arn(execution)
        label = state_def.get("Label") or new_uuid()
        self._execution = execution
        self._lock = threading.Lock()
        self._running: list[dict] = []
        self._failures = 0
        self._over_or_done = threading.Event()
        self.child_machine = f"{machine}/{label}"
        self.limit = int(_number(state_def, "MaxConcurrency", effective, ctx) or 0)
        self._percentage = _number(state_def, "ToleratedFailurePercentage", effective, ctx)
        self._count = _number(state_def, "ToleratedFailureCount", effective, ctx)
        self.arn = f"{self.child_machine.replace(':stateMachine:', ':mapRun:')}:{new_uuid()}"
        self.record: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": now_iso(),
            "maxConcurrency": self.limit,
            "toleratedFailurePercentage": self._percentage or 0.0,
            "toleratedFailureCount": int(self._count or 0),
            "itemCounts": dict.fromkeys(_COUNTS, 0),
            "executionCounts": dict.fromkeys(_COUNTS, 0),
            "redriveCount": 0,
            "_stateMachineArn": self.child_machine,
        }
        seams.stepfunctions.map_runs[self.arn] = self.record

    def _add(self, name: str, by: int) -> None:
        for counts in ("itemCounts", "executionCounts"):
            self.record[counts][name] += by

    def expect(self, items: int) -> None:
        """Counts what is going to run."""
        self._add("total", items)
        self._add("pending", items)

    def begin(self, child: dict, ctx: dict) -> bool:
        """Starts a child and counts it as running, unless the run is over."""
        with self._lock:
            if self.record["status"] != "RUNNING":
                return False
            child["startDate"] = ctx["Execution"]["StartTime"] = now_iso()
            seams.stepfunctions.executions[child["executionArn"]] = child
            self._running.append(child)
            self._add("pending", -1)
            self._add("running", 1)
            return True

    def _over(self) -> bool:
        """Whether more has failed than is tolerated; with no threshold, whatever fails is too much."""
        if self._percentage is None and self._count is None:
            return self._failures > 0
        total = self.record["itemCounts"]["total"]
        by_percentage = self._percentage is not None and self._failures * 100 > self._percentage * total
        return by_percentage or (self._count is not None and self._failures > self._count)

    def end(self, child: dict, outcome: str) -> None:
        """Counts how a child ended, and ends the run with it when that was one too many."""
        with self._lock:
            if child not in self._running:
                return
            self._running.remove(child)
            self._add("running", -1)
            self._add(outcome, 1)
            if outcome == "succeeded":
                self._add("resultsWritten", 1)
            self._failures += outcome == "failed"
            exceeded = self._over()
            counts = self.record["executionCounts"]
            if not counts["pending"] and not counts["running"]:
                self._over_or_done.set()
        if exceeded:
            self.finish("FAILED")

    def wait(self) -> None:
        """Waits until all children have ended, or the run is over."""
        self._over_or_done.wait()

    def finish(self, status: str) -> bool:
        """Ends the run once, and stops the children that still run. Returns whether it was not over before."""
        with self._lock:
            if self.record["status"] != "RUNNING":
                return False
            self.record.update(status=status, stopDate=now_iso())
            self._over_or_done.set()
            stopped, self._running = self._running, []
            for child in stopped:
                child.update(status="ABORTED", stopDate=now_iso())
                self._add("running", -1)
                self._add("aborted", 1)
        for child in stopped:
            seams.stepfunctions.add_event(child, "ExecutionAborted", {"executionAbortedEventDetails": {}})
            stop_children(child)
        return True


def stop_children(execution: dict) -> None:
    """Stops the Map Runs of an execution that has ended, with all that runs in them."""
    with _unfinished_lock:
        runs = list(_unfinished.get(execution["executionArn"], ()))
    for run in runs:
        if run.finish("ABORTED"):
            seams.stepfunctions.add_event(execution, "MapRunAborted", {})


def _result_of(child: dict) -> Any:
    """What the array of results has for a child: its output, or of one that failed all that is known of it."""
    if child["status"] == "SUCCEEDED":
        return json.loads(child["output"])
    told = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE",
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
    }
    return told | {name.capitalize(): child[name] for name in ("error", "cause") if child.get(name)}


def _new_child(run: _MapRun, child_input: Any, execution: dict) -> dict:
    name = new_uuid()
    return {
        "executionArn": f"{run.child_machine.replace(':stateMachine:', ':execution:')}:{name}",
        "stateMachineArn": run.child_machine,
        "name": name,
        "status": "RUNNING",
        "startDate": now_iso(),
        "stopDate": None,
        "input": _compact(child_input),
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": {"included": True},
        "mapRunArn": run.arn,
        "events": [],
        "testCase": execution.get("testCase"),
        "mockAttempts": {},
    }


def _run_child(run: _MapRun, child: dict, iterator: dict, ctx: dict) -> None:
    """Runs one child to its end, as an execution of its own."""
    if not run.begin(child, ctx):
        return
    told = {"executionStartedEventDetails": {"input": child["input"]}}
    seams.stepfunctions.add_event(child, "ExecutionStarted", told)
    leave_siblings()
    try:
        output = seams.stepfunctions.run_sub_machine(
            iterator.get("States", {}), iterator.get("StartAt"), json.loads(child["input"]), child, ctx
        )
        _require_size(output, "The output of the execution is larger than the service limit.")
        if child["status"] == "RUNNING":
            child.update(status="SUCCEEDED", output=_compact(output), stopDate=now_iso())
            told = {"executionSucceededEventDetails": {"output": child["output"]}}
            seams.stepfunctions.add_event(child, "ExecutionSucceeded", told)
    except Exception as failure:
        if child["status"] == "RUNNING":
            error = str(getattr(failure, "error", "States.Runtime"))
            cause = str(getattr(failure, "cause", failure))
            child.update(status="FAILED", error=error, cause=cause, stopDate=now_iso())
            told = {"executionFailedEventDetails": {"error": error, "cause": cause}}
            seams.stepfunctions.add_event(child, "ExecutionFailed", told)
    run.end(child, {"SUCCEEDED": "succeeded", "FAILED": "failed"}.get(child["status"], "aborted"))


def _children(run: _MapRun, state_def: dict, items: list, effective: Any, execution: dict, ctx: dict) -> list:
    """The children of all items, each with the context that it runs in."""
    selector = state_def.get("ItemSelector") or state_def.get("Parameters")
    children = []
    for index, item in enumerate(items):
        item_ctx = {**copy.deepcopy({**ctx, "variables": {}}), "Map": {"Item": {"Index": index, "Value": item}}}
        child_input = seams.stepfunctions.resolve_params_obj(selector, effective, item_ctx) if selector else item
        _require_size(child_input, f"The input of item {index} is larger than the service limit.")
        child = _new_child(run, child_input, execution)
        # A child is an execution of its own: what it reads of its context is its own name and input.
        item_ctx["Execution"] = {
            "Id": child["executionArn"],
            "Input": child_input,
            "Name": child["name"],
            "StartTime": child["startDate"],
        }
        children.append((child, item_ctx))
    return children


def _run_all(run: _MapRun, children: list, iterator: dict) -> None:
    """Runs children side by side until all have ended; those that were stopped may sleep on, and then do nothing."""
    if not children:
        return
    most = min(run.limit or _MOST_CHILDREN, _MOST_CHILDREN, len(children))
    pool = ThreadPoolExecutor(max_workers=most)
    for child, item_ctx in children:
        pool.submit(contextvars.copy_context().run, _run_child, run, child, iterator, item_ctx)
    run.wait()
    pool.shutdown(wait=False, cancel_futures=True)


def _given_items(state_def: dict, effective: Any, ctx: dict) -> list:
    """The items that the input of the state holds."""
    items = seams.stepfunctions.resolve_path_or_ctx(state_def.get("ItemsPath", "$"), effective, ctx)
    return items if isinstance(items, list) else [items]


def _results(
    run: _MapRun, state_def: dict, given: list | None, effective: Any, iterator: dict, execution: dict, ctx: dict
) -> list:
    """What the children of a run gave, in the order of the items."""
    _require_grants(execution)
    items = _read_items(state_def["ItemReader"], effective, execution, ctx) if given is None else given
    run.expect(len(items))
    children = _children(run, state_def, items, effective, execution, ctx)
    _run_all(run, children, iterator)
    end_if_over(execution)
    if run.record["status"] == "FAILED":
        raise seams.stepfunctions.ExecutionError(
            "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
        )
    results = [_result_of(child) for child, _ in children]
    _require_size(
        results,
        f"The state/task '{run.arn}' returned a result with a size exceeding the "
        "maximum number of bytes service limit.",
    )
    return results


def _run_distributed_map(state_def, raw_input, effective, iterator, execution, ctx):
    add = seams.stepfunctions.add_event
    given = None if state_def.get("ItemReader") else _given_items(state_def, effective, ctx)
    # Recorded: a run that reads its items tells their number nowhere, and begins before it reads them.
    add(execution, "MapStateStarted", {"mapStateStartedEventDetails": {"length": len(given or [])}})
    run = _MapRun(state_def, effective, execution, ctx)
    add(execution, "MapRunStarted", {"mapRunStartedEventDetails": {"mapRunArn": run.arn}})
    with _unfinished_lock:
        _unfinished.setdefault(execution["executionArn"], []).append(run)
    try:
        results = _results(run, state_def, given, effective, iterator, execution, ctx)
    except seams.stepfunctions.ExecutionError as error:
        run.finish("FAILED")
        told = {"mapRunFailedEventDetails": {"error": error.error, "cause": error.cause}}
        add(execution, "MapRunFailed", told)
        add(execution, "MapStateFailed", {})
        raise
    finally:
        with _unfinished_lock:
            _unfinished[execution["executionArn"]].remove(run)
    run.finish("SUCCEEDED")
    add(execution, "MapRunSucceeded", {})
    add(execution, "MapStateSucceeded", {})
    steps = seams.stepfunctions
    output = steps.apply_result_path(state_def, raw_input, steps.apply_result_selector(state_def, results))
    return steps.apply_output_path(state_def, output, ctx), steps.next_or_end(state_def)


def install() -> None:
    """Runs Map states as documented."""
    run_map_items, emit = seams.stepfunctions.run_map_items, seams.stepfunctions.emit_execution_status_event

    def _run_map_items(state_def, raw_input, execution, ctx):
        wanted = state_def.get("MaxConcurrency", 0)
        if isinstance(wanted, int):
            iterator = state_def.get("Iterator") or state_def.get("ItemProcessor", {})
            inline = (iterator.get("ProcessorConfig") or {}).get("Mode") != "DISTRIBUTED"
            state_def = (
                {**state_def, "MaxConcurrency": min(wanted or _MOST_ITERATIONS, _MOST_ITERATIONS)}
                if inline
                else state_def
            )
        return run_map_items(state_def, raw_input, execution, ctx)

    def _emit_execution_status_event(execution):
        if execution["status"] not in ("RUNNING", "SUCCEEDED"):
            stop_children(execution)
        emit(execution)

    seams.stepfunctions.replace(
        run_distributed_map=_run_distributed_map,
        run_map_items=among_siblings(_run_map_items),
        run_parallel_branches=among_siblings(seams.stepfunctions.run_parallel_branches),
        emit_execution_status_event=_emit_execution_status_event,
    )
