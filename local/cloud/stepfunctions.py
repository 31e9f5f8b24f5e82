"""Step Functions: whose role a task uses, which error it ends with, and what the history holds.

- Names of a task's errors; which of them `States.ALL` and `States.TaskFailed` match; retry intervals:
  https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
- Tasks act with the state machine's execution role:
  https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
- StartExecution is idempotent by name and input:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
- Events of a task hold its parameters and output:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import contextvars
import json
import threading
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import lambda_svc, sqs, stepfunctions

from . import service_roles

# The execution role of the state machine whose task this thread runs, as (role ARN, session name).
_role: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("rekey_sfn_role", default=None)
# The TaskScheduled event of the task this thread runs.
_scheduled: contextvars.ContextVar[dict | None] = contextvars.ContextVar("rekey_sfn_scheduled", default=None)
# Whether the task waits for a token.
_waiting: contextvars.ContextVar[bool] = contextvars.ContextVar("rekey_sfn_waiting", default=False)

_history_lock = threading.Lock()
_start_lock = threading.Lock()

# "States.ALL ... can't catch the States.DataLimitExceeded terminal error or Runtime error types".
_TERMINAL = frozenset({"States.DataLimitExceeded", "States.Runtime"})


class _Denied(Exception):
    """The execution role may not make the service call of an aws-sdk integration."""


class _CallbackInvokeFailed(Exception):
    """A function that was to return a task token could not be invoked."""


def _require(action: str, resource_arn: str, error: str) -> None:
    """Fail the task with ``error`` unless the execution role may do this."""
    role = _role.get()
    if role is None:
        return
    denial = service_roles.role_denial(role[0], role[1], action, resource_arn)
    if denial:
        raise stepfunctions._ExecutionError(error, denial)


# ---------------------------------------------------------------------------
# Tasks
# ---------------------------------------------------------------------------

def _call_lambda(func_ref, event):
    func, config, name = lambda_svc._get_func_record_for_ref(func_ref)
    arn = (config or {}).get("FunctionArn") or f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
    _require("lambda:InvokeFunction", arn, "Lambda.AWSLambdaException")
    if not func or not config:
        raise stepfunctions._ExecutionError("Lambda.ResourceNotFoundException", f"Function not found: {arn}")
    record = lambda_svc._execution_record_for_config(func, config)
    result = lambda_svc._execute_function_with_config_scope(record, event)
    body = result.get("body")
    if result.get("throttle"):
        message = body.get("message", "Rate Exceeded.") if isinstance(body, dict) else "Rate Exceeded."
        raise stepfunctions._ExecutionError(
            "Lambda.TooManyRequestsException", f"{message} (Service: Lambda, Status Code: 429)")
    if result.get("error"):
        if isinstance(body, dict) and body.get("errorType"):
            raise stepfunctions._ExecutionError(body["errorType"], json.dumps(body))
        raise stepfunctions._ExecutionError("Lambda.Unknown", json.dumps(body))
    if isinstance(body, (str, bytes)):
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body


def _authorised_service_call(call):
    """Calls of aws-sdk integrations reach the service as the execution role, not as the account's root."""

    def call_service_handler_sync(handler, method, path, headers, body, query_params, timeout=None):
        role = _role.get()
        if role is None or not service_roles.enforced():
            return call(handler, method, path, headers, body, query_params, timeout)
        service = headers.get("host", "").split(".", 1)[0]
        raw = body.encode() if isinstance(body, str) else body or b""
        parameters = dict(query_params)
        if "x-www-form-urlencoded" in headers.get("content-type", ""):
            parameters.update(parse_qs(raw.decode()))
        action = iam_actions.extract_iam_action(service, method, path, headers, raw, parameters)
        session = service_roles.shared_session(*role)
        if action:
            resource = iam_actions.extract_resource_arn(
                service, method, path, headers, raw, parameters, get_region(), get_account_id())
            context = iam_actions.request_tag_context(service, action, raw, parameters)
            denial = service_roles.role_denial(*role, action, resource, context)
            if denial:
                raise _Denied(denial)
        scope = f"{get_region()}/{service}/aws4_request"
        signed = {**headers, "authorization": (
            f"AWS4-HMAC-SHA256 Credential={session['AccessKeyId']}/20260101/{scope}")}
        return call(handler, method, path, signed, body, query_params, timeout)

    return call_service_handler_sync


def _queue_arn(request: dict) -> str:
    return sqs._get_q(request.get("QueueUrl", ""))["attributes"]["QueueArn"]


def _bus_arn(name: str | None) -> str:
    if name and name.startswith("arn:"):
        return name
    return f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{name or 'default'}"


def _table_arn(request: dict) -> str:
    name = request.get("TableName", "")
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{get_region()}:{get_account_id()}:table/{name}"


# Optimised integrations that the emulator runs in process: action, resources, and the error of a denial.
_OPTIMISED = {
    "arn:aws:states:::sqs:sendMessage": ("sqs:SendMessage", lambda r: [_queue_arn(r)], "SQS.AccessDeniedException"),
    "arn:aws:states:::sns:publish": (
        "sns:Publish", lambda r: [r.get("TopicArn") or r.get("TargetArn") or "*"], "SNS.AuthorizationErrorException"),
    "arn:aws:states:::events:putEvents": (
        "events:PutEvents", lambda r: sorted({_bus_arn(e.get("EventBusName")) for e in r.get("Entries") or []}),
        "EventBridge.AccessDeniedException"),
    **{f"arn:aws:states:::dynamodb:{name}Item": (
        f"dynamodb:{name.capitalize()}Item", lambda r: [_table_arn(r)], "DynamoDB.AccessDeniedException")
       for name in ("get", "put", "update", "delete")},
}


def _authorised(prefix: str, handler):
    action, resources, error = _OPTIMISED[prefix]

    def invoke(resource, input_data):
        try:
            arns = resources(input_data)
        except sqs._Err as missing:
            raise stepfunctions._ExecutionError(f"SQS.{missing.code}", missing.message) from missing
        for arn in arns:
            _require(action, arn, error)
        result = handler(resource, input_data)
        if prefix.endswith("events:putEvents") and result.get("FailedEntryCount"):
            # https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
            raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(result))
        return result

    return invoke


def _wrap_tasks() -> None:
    execute_task = stepfunctions._execute_task
    invoke_resource = stepfunctions._invoke_resource
    invoke_with_callback = stepfunctions._invoke_with_callback
    invoke_aws_sdk = stepfunctions._invoke_aws_sdk_integration
    nested_request = stepfunctions._nested_start_execution_request

    def _execute_task(state_def, raw_input, execution, ctx):
        machine = stepfunctions._state_machines.get((ctx.get("StateMachine") or {}).get("Id")) or {}
        role_arn = machine.get("roleArn")
        if not role_arn or not service_roles.enforced():
            return execute_task(state_def, raw_input, execution, ctx)
        # Session names are at most 64 characters; a session serves the tasks of one execution.
        role = (role_arn, (execution.get("name") or "execution")[:64])
        return contextvars.copy_context().run(_as_role, role, execute_task, state_def, raw_input, execution, ctx)

    def _as_role(role, function, *args):
        _role.set(role)
        service_roles.act_as(service_roles.shared_session(*role)["Arn"])
        return function(*args)

    def _note_parameters(input_data):
        event = _scheduled.get()
        if event is not None:
            event["taskScheduledEventDetails"]["parameters"] = json.dumps(input_data)

    def _invoke_resource(resource, input_data):
        _note_parameters(input_data)
        return invoke_resource(resource, input_data)

    def _invoke_with_callback(resource, input_data, token, state_def):
        _note_parameters(input_data)
        _waiting.set(True)
        try:
            return invoke_with_callback(resource, input_data, token, state_def)
        except _CallbackInvokeFailed as failed:
            stepfunctions._task_tokens.pop(token, None)
            raise failed.__cause__ from None
        finally:
            _waiting.set(False)

    def _call_lambda_of_task(func_ref, event):
        try:
            return _call_lambda(func_ref, event)
        except stepfunctions._ExecutionError as error:
            if _waiting.get():
                # The emulator would go on waiting for a token that nobody has.
                raise _CallbackInvokeFailed from error
            raise

    def _nested_start_execution_request(input_data):
        request = nested_request(input_data)
        _require("states:StartExecution", request["stateMachineArn"], "StepFunctions.AccessDeniedException")
        return request

    def _invoke_aws_sdk_integration(resource, input_data):
        try:
            return invoke_aws_sdk(resource, input_data)
        except _Denied as denied:
            # An error that the service's model does not name is reported as the service's own exception.
            service = resource.split(":")[6].lower()
            prefix = stepfunctions._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
            raise stepfunctions._ExecutionError(f"{prefix}.{prefix}Exception", str(denied)) from None

    stepfunctions._invoke_aws_sdk_integration = _invoke_aws_sdk_integration
    stepfunctions._execute_task = _execute_task
    stepfunctions._invoke_resource = _invoke_resource
    stepfunctions._invoke_with_callback = _invoke_with_callback
    stepfunctions._call_lambda = _call_lambda_of_task
    stepfunctions._nested_start_execution_request = _nested_start_execution_request
    for prefix in _OPTIMISED:
        stepfunctions._SERVICE_DISPATCH[prefix] = _authorised(prefix, stepfunctions._SERVICE_DISPATCH[prefix])
    app.call_service_handler_sync = _authorised_service_call(app.call_service_handler_sync)


# ---------------------------------------------------------------------------
# Errors, history, start
# ---------------------------------------------------------------------------

def _error_matches(error_equals, error) -> bool:
    if error in error_equals:
        return True
    if error in _TERMINAL:
        return False
    return "States.ALL" in error_equals or ("States.TaskFailed" in error_equals and error != "States.Timeout")


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
            _scheduled.set(event)
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
    """Run tasks under the execution role, name their errors, and record what they were given."""
    _wrap_tasks()
    _wrap_retries()
    _wrap_history()
    _wrap_inner_states()
    _wrap_start()
    _wrap_end()
