"""The tasks of Step Functions: whose role they use, and which error they end with.

- Tasks act with the state machine's execution role:
  https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
- A function's own error name, a throttle and a refusal each have their name:
  https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
- The history holds what a task was given:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_TaskScheduledEventDetails.html
"""

import contextvars
import json
from urllib.parse import parse_qs

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region

from cloud import readings, seams, service_roles

# "256 KiB of data as a UTF-8 encoded string": https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LARGEST_PAYLOAD = 256 * 1024

# The execution role of the state machine whose task this thread runs, as (role ARN, session name).
_role: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("rekey_sfn_role", default=None)
# The TaskScheduled event of the task this thread runs.
scheduled: contextvars.ContextVar[dict | None] = contextvars.ContextVar("rekey_sfn_scheduled", default=None)
# Whether the task waits for a token.
_waiting: contextvars.ContextVar[bool] = contextvars.ContextVar("rekey_sfn_waiting", default=False)
# The state machine whose task this thread runs.
_machine: contextvars.ContextVar[str] = contextvars.ContextVar("rekey_sfn_machine", default="*")
# The state machine of each token that was given out; one that has ended is still of its machine.
machines_by_token: dict[str, str] = {}


def role_of(machine: dict, execution: dict) -> tuple[str, str] | None:
    """The role and session name that an execution of a state machine acts with, where IAM is enforced."""
    role_arn = machine.get("roleArn")
    if not role_arn or not service_roles.enforced():
        return None
    # Session names are at most 64 characters; a session serves the tasks of one execution.
    return role_arn, (execution.get("name") or "execution")[:64]


class _Denied(Exception):
    """The execution role may not make the service call of an aws-sdk integration."""


class _CallbackInvokeFailed(Exception):
    """A function that was to return a task token could not be invoked."""

    def __init__(self, error: Exception):
        super().__init__(str(error))
        self.error = error


def _require(action: str, resource_arn: str, error: str) -> None:
    """Fails the task with ``error`` unless the execution role may do this."""
    role = _role.get()
    if role is None:
        return
    denial = service_roles.role_denial(role[0], role[1], action, resource_arn)
    if denial:
        raise seams.stepfunctions.ExecutionError(error, denial)


def _call_lambda(func_ref, event):
    func, config, name = seams.lambda_svc.get_func_record_for_ref(func_ref)
    arn = (config or {}).get("FunctionArn") or f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
    _require("lambda:InvokeFunction", arn, "Lambda.AWSLambdaException")
    if not func or not config:
        raise seams.stepfunctions.ExecutionError("Lambda.ResourceNotFoundException", f"Function not found: {arn}")
    record = seams.lambda_svc.execution_record_for_config(func, config)
    result = seams.lambda_svc.execute_function_with_config_scope(record, event)
    body = result.get("body")
    if result.get("throttle"):
        message = body.get("message", "Rate Exceeded.") if isinstance(body, dict) else "Rate Exceeded."
        # Which name the history holds is not recorded; the Lambda API's is TooManyRequestsException.
        name = readings.reading_of("task-throttled")
        raise seams.stepfunctions.ExecutionError(name, f"{message} (Service: Lambda, Status Code: 429)")
    if result.get("error"):
        if isinstance(body, dict) and body.get("errorType"):
            raise seams.stepfunctions.ExecutionError(body["errorType"], json.dumps(body))
        raise seams.stepfunctions.ExecutionError("Lambda.Unknown", json.dumps(body))
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
            resource = seams.iam_actions.extract_resource_arn(
                service, method, path, headers, raw, parameters, get_region(), get_account_id()
            )
            context = seams.iam_actions.request_tag_context(service, action, raw, parameters)
            denial = service_roles.role_denial(*role, action, resource, context)
            if denial:
                raise _Denied(denial)
        scope = f"{get_region()}/{service}/aws4_request"
        signed = {
            **headers,
            "authorization": (f"AWS4-HMAC-SHA256 Credential={session['AccessKeyId']}/20260101/{scope}"),
        }
        return call(handler, method, path, signed, body, query_params, timeout)

    return call_service_handler_sync


def _queue_arn(request: dict) -> str:
    return seams.sqs.get_q(request.get("QueueUrl", ""))["attributes"]["QueueArn"]


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
        "sns:Publish",
        lambda r: [r.get("TopicArn") or r.get("TargetArn") or "*"],
        "SNS.AuthorizationErrorException",
    ),
    "arn:aws:states:::events:putEvents": (
        "events:PutEvents",
        lambda r: sorted({_bus_arn(e.get("EventBusName")) for e in r.get("Entries") or []}),
        "EventBridge.AccessDeniedException",
    ),
    **{
        f"arn:aws:states:::dynamodb:{name}Item": (
            f"dynamodb:{name.capitalize()}Item",
            lambda r: [_table_arn(r)],
            "DynamoDB.AccessDeniedException",
        )
        for name in ("get", "put", "update", "delete")
    },
}


def _authorised(prefix: str, handler):
    action, resources, error = _OPTIMISED[prefix]

    def invoke(resource, input_data):
        try:
            arns = resources(input_data)
        except seams.sqs.Err as missing:
            raise seams.stepfunctions.ExecutionError(f"SQS.{missing.code}", missing.message) from missing
        for arn in arns:
            _require(action, arn, error)
        result = handler(resource, input_data)
        if prefix.endswith("events:putEvents") and result.get("FailedEntryCount"):
            # https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
            raise seams.stepfunctions.ExecutionError("EventBridge.FailedEntry", json.dumps(result))
        return result

    return invoke


def install() -> None:
    """Runs tasks under the execution role, and names their errors."""
    execute_task = seams.stepfunctions.execute_task
    invoke_resource = seams.stepfunctions.invoke_resource
    invoke_with_callback = seams.stepfunctions.invoke_with_callback
    invoke_aws_sdk = seams.stepfunctions.invoke_aws_sdk_integration
    nested_request = seams.stepfunctions.nested_start_execution_request

    def _execute_task(state_def, raw_input, execution, ctx):
        machine = seams.stepfunctions.state_machines.get((ctx.get("StateMachine") or {}).get("Id")) or {}
        role = role_of(machine, execution)
        if role is None:
            return execute_task(state_def, raw_input, execution, ctx)
        return contextvars.copy_context().run(_as_role, role, execute_task, state_def, raw_input, execution, ctx)

    def _as_role(role, function, *args):
        _role.set(role)
        _machine.set((args[-1].get("StateMachine") or {}).get("Id") or "*")
        service_roles.act_as(service_roles.shared_session(*role)["Arn"])
        return function(*args)

    def _note_parameters(input_data):
        event = scheduled.get() or {}
        for details, field in (
            ("taskScheduledEventDetails", "parameters"),
            ("lambdaFunctionScheduledEventDetails", "input"),
        ):
            if details in event:
                event[details][field] = json.dumps(input_data)

    def _invoke_resource(resource, input_data):
        _note_parameters(input_data)
        return invoke_resource(resource, input_data)

    def _invoke_with_callback(resource, input_data, token, state_def):
        _note_parameters(input_data)
        _waiting.set(True)
        machines_by_token[token] = _machine.get()
        try:
            return invoke_with_callback(resource, input_data, token, state_def)
        except _CallbackInvokeFailed as failed:
            seams.stepfunctions.task_tokens.pop(token, None)
            raise failed.error from None
        finally:
            _waiting.set(False)

    def _call_lambda_of_task(func_ref, event):
        try:
            return _call_lambda(func_ref, event)
        except seams.stepfunctions.ExecutionError as error:
            if _waiting.get():
                # The emulator would go on waiting for a token that nobody has.
                raise _CallbackInvokeFailed(error) from error
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
            prefix = seams.stepfunctions.AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
            raise seams.stepfunctions.ExecutionError(f"{prefix}.{prefix}Exception", str(denied)) from None

    seams.stepfunctions.replace(
        invoke_aws_sdk_integration=_invoke_aws_sdk_integration,
        execute_task=_execute_task,
        invoke_resource=_invoke_resource,
        invoke_with_callback=_invoke_with_callback,
        call_lambda=_call_lambda_of_task,
        nested_start_execution_request=_nested_start_execution_request,
    )
    for prefix in _OPTIMISED:
        seams.stepfunctions.SERVICE_DISPATCH[prefix] = _authorised(prefix, seams.stepfunctions.SERVICE_DISPATCH[prefix])
    seams.app.replace(call_service_handler_sync=_authorised_service_call(seams.app.call_service_handler_sync))
