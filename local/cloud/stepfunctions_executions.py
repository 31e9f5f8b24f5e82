"""The executions of Step Functions: how they start and end, what their errors match, what their history holds.

- Which errors `States.ALL` and `States.TaskFailed` match; retry intervals; what a missing path does:
  https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
- StartExecution is idempotent by name and input:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
- Every state and task leaves its input and output in the history:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import contextvars
import json
import threading

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import stepfunctions

from .stepfunctions import scheduled

_history_lock = threading.Lock()
_start_lock = threading.Lock()

# "States.ALL ... can't catch the States.DataLimitExceeded terminal error or Runtime error types".
_TERMINAL = frozenset({"States.DataLimitExceeded", "States.Runtime"})


def _error_matches(error_equals, error) -> bool:
    if error in error_equals:
        return True
    if error in _TERMINAL:
        return False
    return "States.ALL" in error_equals or ("States.TaskFailed" in error_equals and error != "States.Timeout")


def _missing(path: str, data) -> bool:
    """Whether a path that names one value names none; a path that may name several always resolves."""
    tokens = stepfunctions._parse_jsonpath_tokens(path)
    if tokens is None or any(kind == "wildcard" for kind, _ in tokens):
        return False
    for kind, value in tokens:
        known = (isinstance(data, dict) and value in data) if kind == "field" else (
            isinstance(data, list) and value < len(data))
        if not known:
            return True
        data = data[value]
    return False


def _require_path(path, field: str, data) -> None:
    if isinstance(path, str) and path.startswith("$") and not path.startswith("$$") and _missing(path, data):
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"The JSONPath '{path}' specified for the field '{field}' could not be found in the "
                              f"input '{json.dumps(data)}'")


def _wrap_paths() -> None:
    """A path to nothing ends the execution; the emulator goes on with null."""
    resolve = stepfunctions._resolve_params_obj
    input_path, output_path = stepfunctions._apply_input_path, stepfunctions._apply_output_path

    def _resolve_params_obj(template, data, ctx=None):
        for name, value in template.items() if isinstance(template, dict) else ():
            if name.endswith(".$"):
                _require_path(value, name, data)
        return resolve(template, data, ctx)

    def _apply_input_path(state_def, data, ctx=None):
        _require_path(state_def.get("InputPath"), "InputPath", data)
        return input_path(state_def, data, ctx)

    def _apply_output_path(state_def, data, ctx=None):
        _require_path(state_def.get("OutputPath"), "OutputPath", data)
        return output_path(state_def, data, ctx)

    stepfunctions._resolve_params_obj = _resolve_params_obj
    stepfunctions._apply_input_path = _apply_input_path
    stepfunctions._apply_output_path = _apply_output_path


def _wrap_retries() -> None:
    find = stepfunctions._find_matching_retrier

    def _find_matching_retrier(retriers, error, retry_counts):
        retrier, index = find(retriers, error, retry_counts)
        if retrier is None or "MaxDelaySeconds" not in retrier:
            return retrier, index
        wait = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retry_counts.get(index, 0)
        return {**retrier, "IntervalSeconds": min(wait, retrier["MaxDelaySeconds"]), "BackoffRate": 1.0}, index

    stepfunctions._error_matches = _error_matches
    stepfunctions._find_matching_retrier = _find_matching_retrier


def _wrap_history() -> None:
    add = stepfunctions._add_event

    def _add_event(execution, event_type, details=None):
        with _history_lock:
            previous = len(execution["events"])
            event = add(execution, event_type, details)
            event["previousEventId"] = previous
        if event_type == "TaskScheduled":
            scheduled.set(event)
            event["taskScheduledEventDetails"].update(region=get_region(), parameters="{}")
        for key, detail in event.items():
            if key.startswith("task") and str(detail.get("resource", "")).startswith("arn:aws:states:::"):
                # arn:aws:states:::<type>:<action>, where the type of an SDK integration is aws-sdk:<service>.
                kind, _, action = detail["resource"].removeprefix("arn:aws:states:::").rpartition(":")
                detail.update(resourceType=kind, resource=action)
        return event

    stepfunctions._add_event = _add_event


def _wrap_inner_states() -> None:
    """Record the states of a Map's iterations and a Parallel's branches, which the emulator leaves out."""
    run_sub_machine = stepfunctions._run_sub_machine
    handlers = ("_execute_pass", "_execute_task", "_execute_choice", "_execute_wait", "_execute_parallel", "_execute_map")
    inner: contextvars.ContextVar[dict | None] = contextvars.ContextVar("rekey_sfn_inner", default=None)

    def _run_sub_machine(states, start_at, input_data, execution, ctx):
        is_child = execution.get("mapRunArn") and not execution["events"]
        if is_child:
            stepfunctions._add_event(execution, "ExecutionStarted", {
                "executionStartedEventDetails": {"input": execution["input"]}})
        token = inner.set(execution)
        # Branches run side by side; each has a context object of its own, with the variables they share.
        ctx = {**ctx}
        try:
            output = run_sub_machine(states, start_at, input_data, execution, ctx)
            if is_child:
                stepfunctions._add_event(execution, "ExecutionSucceeded", {
                    "executionSucceededEventDetails": {"output": json.dumps(output)}})
            return output
        except stepfunctions._ExecutionError as error:
            if is_child:
                stepfunctions._add_event(execution, "ExecutionFailed", {
                    "executionFailedEventDetails": {"error": error.error, "cause": error.cause}})
            raise
        finally:
            inner.reset(token)

    def recorded(handler):
        def run(state_def, raw_input, *rest):
            execution = inner.get()
            if execution is None:
                return handler(state_def, raw_input, *rest)
            # What a state runs inside itself sets `inner` anew; the state's own record is made here.
            name = rest[-1]["State"]["Name"]
            kind = state_def["Type"]
            stepfunctions._add_event(execution, f"{kind}StateEntered", {
                "stateEnteredEventDetails": {"name": name, "input": json.dumps(raw_input)}})
            output, following = handler(state_def, raw_input, *rest)
            stepfunctions._add_event(execution, f"{kind}StateExited", {
                "stateExitedEventDetails": {"name": name, "output": json.dumps(output)}})
            return output, following
        return run

    stepfunctions._run_sub_machine = _run_sub_machine
    for name in handlers:
        setattr(stepfunctions, name, recorded(getattr(stepfunctions, name)))


def _wrap_start() -> None:
    start = stepfunctions._start_execution

    def _start_execution(data):
        with _start_lock:
            arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
            machine = stepfunctions._state_machines.get(arn) if arn else None
            if machine and data.get("name") and machine.get("type", "STANDARD") == "STANDARD":
                execution = stepfunctions._executions.get(
                    f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine['name']}:{data['name']}")
                if execution is not None:
                    if execution["status"] == "RUNNING" and execution["input"] == data.get("input", "{}"):
                        return json_response({
                            "executionArn": execution["executionArn"], "startDate": execution["startDate"]})
                    return error_response_json(
                        "ExecutionAlreadyExists", f"Execution Already Exists: '{execution['executionArn']}'", 400)
            return start(data)

    stepfunctions._start_execution = _start_execution


def _wrap_end() -> None:
    """An execution that ran out of its time, or was stopped, does not end a second time.

    https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html (TimeoutSeconds)
    """
    run = stepfunctions._run_execution
    fail = stepfunctions._fail_execution

    def _fail_execution(execution, error, cause):
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    def _expire(execution):
        if execution["status"] == "RUNNING":
            execution.update(status="TIMED_OUT", error="States.Timeout", stopDate=stepfunctions.now_iso())
            stepfunctions._add_event(execution, "ExecutionTimedOut", {
                "executionTimedOutEventDetails": {"error": "States.Timeout"}})
            stepfunctions._emit_execution_status_event(execution)

    def _run_execution(exec_arn):
        execution = stepfunctions._executions.get(exec_arn)
        machine = stepfunctions._state_machines.get((execution or {}).get("stateMachineArn")) or {}
        try:
            seconds = json.loads(machine.get("definition") or "{}").get("TimeoutSeconds")
        except ValueError:
            seconds = None
        if execution is None or not seconds:
            run(exec_arn)
            return
        timer = threading.Timer(seconds, contextvars.copy_context().run, (_expire, execution))
        timer.daemon = True
        timer.start()
        try:
            run(exec_arn)
        finally:
            timer.cancel()

    stepfunctions._fail_execution = _fail_execution
    stepfunctions._run_execution = _run_execution


def install() -> None:
    """Let executions start, retry, record and end as documented."""
    _wrap_paths()
    _wrap_retries()
    _wrap_history()
    _wrap_inner_states()
    _wrap_start()
    _wrap_end()
