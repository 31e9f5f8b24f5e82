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

from cloud import readings, seams
from cloud.stepfunctions import LARGEST_PAYLOAD, scheduled
from cloud.stepfunctions_siblings import end_if_over, note_failure

_history_lock = threading.Lock()
_start_lock = threading.Lock()
_LONGEST_WAIT = 99_999_999
# A hard quota; the last event says how the execution ended.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MOST_EVENTS = 25_000
# The execution whose Map, Parallel or child this thread runs.
_inner: contextvars.ContextVar[dict | None] = contextvars.ContextVar("rekey_sfn_inner", default=None)


def _error_matches(error_equals, error) -> bool:
    """Whether it is one of them; a runtime error never is (recorded in 2024-03, test_catch_states_runtime)."""
    if error == "States.Runtime":
        return False
    if error in error_equals:
        return True
    if error == "States.DataLimitExceeded":
        return "States.ALL" in error_equals and readings.is_read("data-limit", "caught")
    return "States.ALL" in error_equals or ("States.TaskFailed" in error_equals and error != "States.Timeout")


def _missing(path: str, data) -> bool:
    """Whether a path that names one value names none; a path that may name several always resolves."""
    tokens = seams.stepfunctions.parse_jsonpath_tokens(path)
    if tokens is None or any(kind == "wildcard" for kind, _ in tokens):
        return False
    for kind, value in tokens:
        known = (
            (isinstance(data, dict) and value in data)
            if kind == "field"
            else (isinstance(data, list) and value < len(data))
        )
        if not known:
            return True
        data = data[value]
    return False


def _require_path(path, field: str, data) -> None:
    if isinstance(path, str) and path.startswith("$") and not path.startswith("$$") and _missing(path, data):
        raise seams.stepfunctions.ExecutionError(
            "States.Runtime",
            f"The JSONPath '{path}' specified for the field '{field}' could not be found in the "
            f"input '{json.dumps(data)}'",
        )


def _wrap_paths() -> None:
    """A path to nothing ends the execution; the emulator goes on with null."""
    resolve = seams.stepfunctions.resolve_params_obj
    input_path, output_path = seams.stepfunctions.apply_input_path, seams.stepfunctions.apply_output_path
    execute_wait = seams.stepfunctions.execute_wait

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

    def _execute_wait(state_def, raw_input, ctx=None):
        # https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
        path = state_def.get("SecondsPath")
        if path is not None:
            effective = seams.stepfunctions.apply_input_path(state_def, raw_input, ctx)
            _require_path(path, "SecondsPath", effective)
            seconds = seams.stepfunctions.resolve_path_or_ctx(path, effective, ctx)
            if not isinstance(seconds, int) or not 0 <= seconds <= _LONGEST_WAIT:
                raise seams.stepfunctions.ExecutionError(
                    "States.Runtime",
                    f"The SecondsPath parameter does not reference an integer value: {path} == {seconds}",
                )
        return execute_wait(state_def, raw_input, ctx)

    seams.stepfunctions.replace(
        resolve_params_obj=_resolve_params_obj,
        apply_input_path=_apply_input_path,
        apply_output_path=_apply_output_path,
        execute_wait=_execute_wait,
    )


def _wrap_retries() -> None:
    find = seams.stepfunctions.find_matching_retrier

    def _find_matching_retrier(retriers, error, retry_counts):
        retrier, index = find(retriers, error, retry_counts)
        if retrier is None or "MaxDelaySeconds" not in retrier:
            return retrier, index
        wait = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retry_counts.get(index, 0)
        return {**retrier, "IntervalSeconds": min(wait, retrier["MaxDelaySeconds"]), "BackoffRate": 1.0}, index

    seams.stepfunctions.replace(error_matches=_error_matches, find_matching_retrier=_find_matching_retrier)


def _details_of(event_type: str) -> str:
    return f"{event_type[0].lower()}{event_type[1:]}EventDetails"


def _as_recorded(event_type: str, details: dict) -> tuple[str, dict]:
    """An event of the emulator as AWS's histories have it (LocalStack's snapshots of Step Functions, 2023 to 2025).

    A function named by its ARN has events of its own; what ran out of time is TimedOut; data say that they are whole.
    """
    detail = dict(details.get(_details_of(event_type)) or {})
    resource = str(detail.get("resource", ""))
    kind, timed_out = event_type, event_type == "TaskFailed" and detail.get("error") == "States.Timeout"
    if event_type.startswith("Task") and resource.startswith("arn:aws:lambda:"):
        kind = event_type.replace("Task", "LambdaFunction")
        kept = {"LambdaFunctionScheduled": ("resource",), "LambdaFunctionSucceeded": ("output",)}
        detail = {name: detail[name] for name in kept.get(kind, ("error", "cause")) if name in detail}
        if kind == "LambdaFunctionScheduled":
            detail["input"] = "{}"
    elif event_type == "TaskScheduled":
        detail.update(region=get_region(), parameters="{}")
    if event_type.startswith("Task") and resource.startswith("arn:aws:states:::"):
        # arn:aws:states:::<type>:<action>, where the type of an SDK integration is aws-sdk:<service>.
        service, _, action = resource.removeprefix("arn:aws:states:::").rpartition(":")
        detail.update(resourceType=service, resource=action)
    if timed_out:
        kind = kind.replace("Failed", "TimedOut")
        detail.pop("cause", None)
    others = {key: value for key, value in details.items() if key != _details_of(event_type)}
    told = others | ({_details_of(kind): detail} if detail else {})
    for data in told.values():
        if isinstance(data, dict):
            data.update({f"{name}Details": {"truncated": False} for name in ("input", "output") if name in data})
    return kind, told


def _started(scheduled_details: dict) -> dict:
    detail = scheduled_details.get("taskScheduledEventDetails")
    return (
        {}
        if detail is None
        else {
            "taskStartedEventDetails": {name: detail[name] for name in ("resourceType", "resource") if name in detail}
        }
    )


def _wrap_results() -> None:
    """A result that is too large ends the task, whoever gave it; a task that ran out of time has an empty cause."""
    invoke, invoke_in_time = seams.stepfunctions.invoke_resource, seams.stepfunctions.invoke_resource_with_timeout

    def _invoke_resource_with_timeout(*args):
        try:
            return invoke_in_time(*args)
        except seams.stepfunctions.ExecutionError as error:
            raise (
                seams.stepfunctions.ExecutionError(error.error, "") if error.error == "States.Timeout" else error
            ) from None

    def _invoke_resource(resource, input_data):
        # A task that is tried again may find that its execution was stopped meanwhile.
        end_if_over(_inner.get())
        result = invoke(resource, input_data)
        if len(json.dumps(result).encode()) > LARGEST_PAYLOAD:
            raise seams.stepfunctions.ExecutionError(
                "States.DataLimitExceeded",
                f"The state/task '{resource}' returned a result with a size exceeding the "
                "maximum number of bytes service limit.",
            )
        return result

    seams.stepfunctions.replace(
        invoke_resource=_invoke_resource, invoke_resource_with_timeout=_invoke_resource_with_timeout
    )


def _wrap_history() -> None:
    add = seams.stepfunctions.add_event

    def put(execution, event_type, details):
        with _history_lock:
            previous = len(execution["events"])
            event = add(execution, event_type, details)
            event["previousEventId"] = previous
        return event

    def _add_event(execution, event_type, details=None):
        if len(execution["events"]) >= _MOST_EVENTS - 1 and not event_type.startswith("Execution"):
            raise seams.stepfunctions.ExecutionError(
                "States.Runtime", f"The execution reached the maximum number of history events ({_MOST_EVENTS})."
            )
        event_type, details = _as_recorded(event_type, details or {})
        event = put(execution, event_type, details)
        if event_type in ("TaskScheduled", "LambdaFunctionScheduled"):
            scheduled.set(event)
            put(execution, event_type.replace("Scheduled", "Started"), _started(details))
        return event

    seams.stepfunctions.replace(add_event=_add_event)


def _wrap_inner_states() -> None:
    """Records the states of a Map's iterations and a Parallel's branches, which the emulator leaves out."""
    run_sub_machine = seams.stepfunctions.run_sub_machine
    handlers = ("execute_pass", "execute_task", "execute_choice", "execute_wait", "execute_parallel", "execute_map")

    def _run_sub_machine(states, start_at, input_data, execution, ctx):
        token = _inner.set(execution)
        # Branches run side by side; each has a context object of its own, with the variables they share.
        ctx = {**ctx}
        try:
            return run_sub_machine(states, start_at, input_data, execution, ctx)
        except seams.stepfunctions.ExecutionError as error:
            note_failure(error)
            raise
        finally:
            _inner.reset(token)

    def recorded(handler):
        def run(state_def, raw_input, *rest):
            execution = _inner.get()
            if execution is None:
                return handler(state_def, raw_input, *rest)
            end_if_over(execution)
            # What a state runs inside itself sets `_inner` anew; the state's own record is made here.
            name = rest[-1]["State"]["Name"]
            kind = state_def["Type"]
            seams.stepfunctions.add_event(
                execution,
                f"{kind}StateEntered",
                {"stateEnteredEventDetails": {"name": name, "input": json.dumps(raw_input)}},
            )
            output, following = handler(state_def, raw_input, *rest)
            end_if_over(execution)
            seams.stepfunctions.add_event(
                execution,
                f"{kind}StateExited",
                {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}},
            )
            return output, following

        return run

    seams.stepfunctions.replace(run_sub_machine=_run_sub_machine)
    seams.stepfunctions.replace(**{name: recorded(getattr(seams.stepfunctions, name)) for name in handlers})


def _wrap_start() -> None:
    start = seams.stepfunctions.start_execution

    def _start_execution(data):
        with _start_lock:
            arn = seams.stepfunctions.resolve_state_machine_arn(data.get("stateMachineArn", ""))
            machine = seams.stepfunctions.state_machines.get(arn) if arn else None
            if machine and data.get("name") and machine.get("type", "STANDARD") == "STANDARD":
                execution = seams.stepfunctions.executions.get(
                    f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine['name']}:{data['name']}"
                )
                if execution is not None:
                    if execution["status"] == "RUNNING" and execution["input"] == data.get("input", "{}"):
                        return json_response(
                            {"executionArn": execution["executionArn"], "startDate": execution["startDate"]}
                        )
                    return error_response_json(
                        "ExecutionAlreadyExists", f"Execution Already Exists: '{execution['executionArn']}'", 400
                    )
            return start(data)

    seams.stepfunctions.replace(start_execution=_start_execution)


def _wrap_end() -> None:
    """An execution that ran out of its time, or was stopped, does not end a second time.

    https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html (TimeoutSeconds)
    """
    run = seams.stepfunctions.run_execution
    fail = seams.stepfunctions.fail_execution

    def _fail_execution(execution, error, cause):
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    def _expire(execution):
        if execution["status"] == "RUNNING":
            # Recorded (timeouts/*): DescribeExecution of TIMED_OUT has neither error nor cause.
            execution.update(status="TIMED_OUT", stopDate=stepfunctions.now_iso())
            seams.stepfunctions.add_event(
                execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
            )
            seams.stepfunctions.emit_execution_status_event(execution)

    def _run_execution(exec_arn):
        execution = seams.stepfunctions.executions.get(exec_arn)
        machine = seams.stepfunctions.state_machines.get((execution or {}).get("stateMachineArn")) or {}
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

    seams.stepfunctions.replace(fail_execution=_fail_execution, run_execution=_run_execution)


def install() -> None:
    """Lets executions start, retry, record and end as documented."""
    _wrap_paths()
    _wrap_retries()
    _wrap_history()
    _wrap_results()
    _wrap_inner_states()
    _wrap_start()
    _wrap_end()
