"""Lambda's queue of asynchronous invocations.

- A function's error is retried twice; a throttle is retried with back-off for as long as the event may live and
  takes none of those two: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
- What became of the event goes to the OnSuccess or OnFailure destination as an invocation record; what was given up
  goes as it came to the dead-letter queue, with the request's id and error as attributes; both under the function's
  execution role: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html

Waits are those of AWS scaled down: a quarter of a second where AWS waits a minute. The age of an event counts as if
they were not: what would be too old on AWS before its next attempt is given up at once, as recorded in 2025-11
(test_lambda_destinations.snapshot.json).
"""

import contextvars
import functools
import json
import logging
import os
import time
from datetime import datetime, timezone

from ministack.core.concurrency import spawn_background
from ministack.core.responses import new_uuid
from ministack.services import sns

from cloud import seams, service_roles, sqs

logger = logging.getLogger("rekey.lambda")

# AWS waits 1 minute before the first retry of an error and 2 before the second.
_AWS_ERROR_WAIT_SECONDS = 60.0
_ERROR_WAIT_SECONDS = float(os.environ.get("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.25"))
# AWS backs off from 1 second to 5 minutes when throttled.
_THROTTLE_WAIT_SECONDS = (0.1, 1.0)

_of_custom_resource: contextvars.ContextVar[bool] = contextvars.ContextVar("rekey_custom_resource", default=False)
_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("rekey_async_request_id", default="")


def _settings(config: dict) -> dict:
    """The event invoke configuration of the version or alias that was invoked."""
    name = config.get("FunctionName", "")
    parts = config.get("FunctionArn", "").split(":")
    qualifier = parts[7] if len(parts) > 7 else ""
    base = seams.lambda_svc.functions.get(name) or {}
    configs = base.get("event_invoke_configs") or {}
    unqualified = configs.get("") or configs.get("$LATEST") or base.get("event_invoke_config") or {}
    return configs.get(qualifier) or ({} if qualifier not in ("", "$LATEST") else unqualified)


def _qualified_arn(config: dict) -> str:
    arn = config.get("FunctionArn", "")
    return arn if arn.count(":") > 6 else f"{arn}:{config.get('Version', '$LATEST')}"


def _record(config: dict, event, result: dict, condition: str, attempts: int, request_id: str) -> dict:
    response: dict = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")}
    if result.get("throttle"):
        response["statusCode"] = 429
    elif result.get("error"):
        response["functionError"] = result.get("function_error") or "Unhandled"
    record = {
        "version": "1.0",
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": _qualified_arn(config),
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": response,
    }
    if not result.get("throttle"):
        record["responsePayload"] = result.get("body")
    return record


def _deliver(config: dict, target: str, action: str, send) -> None:
    """Sends under the execution role; a failure is Lambda's own, and never reaches the caller."""
    name = config.get("FunctionName", "function")
    denial = service_roles.role_denial(config.get("Role", ""), name, action, target)
    if denial:
        logger.warning("Lambda %s: not delivered to %s: %s", name, target, denial)
        return
    try:
        send()
    except Exception as error:
        logger.warning("Lambda %s: not delivered to %s: %s", name, target, error)


def _send_record(config: dict, target: str, record: dict) -> None:
    service = target.split(":")[2] if target.count(":") >= 5 else ""
    if service == "sqs":
        _deliver(config, target, "sqs:SendMessage", lambda: sqs.send(target, json.dumps(record)))
    elif service == "sns":
        _deliver(config, target, "sns:Publish", lambda: sns.publish_internal(target, json.dumps(record)))
    elif service == "lambda":

        def invoke():
            func, target_config, name = seams.lambda_svc.get_func_record_for_ref(target)
            if not func or not target_config:
                raise LookupError(f"function {name} does not exist")
            invoke_async(seams.lambda_svc.execution_record_for_config(func, target_config), record)

        _deliver(config, target, "lambda:InvokeFunction", invoke)
    elif service == "events":
        outcome = "Success" if record["requestContext"]["condition"] == "Success" else "Failure"
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {outcome}",
            "Detail": json.dumps(record),
            "EventBusName": target,
            "Resources": [target, record["requestContext"]["functionArn"]],
        }
        _deliver(config, target, "events:PutEvents", lambda: seams.eventbridge.put_events({"Entries": [entry]}))
    else:
        logger.warning("Lambda destination %s is of a kind that is not available locally", target)


def _send_to_dead_letter_queue(config: dict, target: str, event, result: dict, request_id: str) -> None:
    body = result.get("body")
    message = (body.get("errorMessage") or body.get("message") or "") if isinstance(body, dict) else str(body)
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "429" if result.get("throttle") else "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message[:1024] or "Unknown"},
    }
    if target.split(":")[2] == "sqs":
        _deliver(config, target, "sqs:SendMessage", lambda: sqs.send(target, json.dumps(event), attributes=attributes))
    else:
        _deliver(
            config,
            target,
            "sns:Publish",
            lambda: sns.publish_internal(target, json.dumps(event), message_attributes=attributes),
        )


def _run(func: dict, event) -> None:
    config = func.get("config") or func
    settings = _settings(config)
    retries = settings.get("MaximumRetryAttempts")
    retries = 2 if retries is None else int(retries)
    oldest = float(settings.get("MaximumEventAgeInSeconds") or 21600)
    # The age on AWS: what passed here, and for each wait after an error what AWS would have waited.
    born, waited = time.monotonic(), 0.0
    request_id = new_uuid()
    _request_id.set(request_id)
    never = (
        seams.lambda_svc.reserved_concurrency(seams.lambda_svc.functions.get(config.get("FunctionName", "")), config)
        == 0
    )
    attempts = errors = 0
    throttle_wait = _THROTTLE_WAIT_SECONDS[0]
    condition = "RetriesExhausted"
    while True:
        result = seams.lambda_svc.execute_function(func, event)
        if result.get("throttle"):
            if never:
                break
            wait, throttle_wait = throttle_wait, min(throttle_wait * 2, _THROTTLE_WAIT_SECONDS[1])
            on_aws = wait
        else:
            attempts += 1
            if not result.get("error"):
                condition = "Success"
                break
            errors += 1
            if errors > retries:
                break
            wait, on_aws = _ERROR_WAIT_SECONDS * errors, _AWS_ERROR_WAIT_SECONDS * errors
        if time.monotonic() - born + waited + on_aws > oldest:
            condition = "EventAgeExceeded"
            break
        waited += on_aws - wait
        time.sleep(wait)
    _request_id.set("")
    service_roles.act_as(config.get("Role", ""))
    destinations = settings.get("DestinationConfig") or {}
    target = (destinations.get("OnSuccess" if condition == "Success" else "OnFailure") or {}).get("Destination")
    if target:
        _send_record(config, target, _record(config, event, result, condition, attempts, request_id))
    dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letters and condition != "Success":
        _send_to_dead_letter_queue(config, dead_letters, event, result, request_id)


def invoke_async(func: dict, event) -> None:
    """Queues an event for `func`, a record as `execution_record_for_config` of the emulator makes it."""
    spawn_background(
        seams.lambda_svc.run_with_function_config_scope, func, _run, func, event, thread_name="lambda-async"
    )


def _as_custom_resource(invoke):
    """CloudFormation invokes the function behind a custom resource asynchronously, so a throttle is tried again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-cloudformation.html. The emulator invoked it once, and then
    waited an hour for the answer to an event that no function had got.
    """

    @functools.wraps(invoke)
    def invoke_custom_resource(*args, **kwargs):
        token = _of_custom_resource.set(True)
        try:
            return invoke(*args, **kwargs)
        finally:
            _of_custom_resource.reset(token)

    return invoke_custom_resource


def _deliver_from_topic(endpoint: str, envelope: str, topic_arn: str, sub_arn: str, *_rest) -> None:
    # SNS invokes a function asynchronously: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    func, config, name = seams.lambda_svc.get_func_record_for_ref(endpoint)
    if not func or not config:
        logger.warning("SNS %s: function %s does not exist", topic_arn, name)
        return
    invoke_async(
        seams.lambda_svc.execution_record_for_config(func, config),
        {
            "Records": [
                {
                    "EventVersion": "1.0",
                    "EventSubscriptionArn": sub_arn,
                    "EventSource": "aws:sns",
                    "Sns": json.loads(envelope),
                }
            ]
        },
    )


def _keep_settings(handler, properties_at: int):
    """Keeps what a template says of a function's dead letters, concurrency and network, which the emulator drops.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
    """

    @functools.wraps(handler)
    def provision(*args, **kwargs):
        outcome = handler(*args, **kwargs)
        properties = args[properties_at]
        func = seams.lambda_svc.functions[outcome[0]]
        func["config"]["DeadLetterConfig"] = properties.get("DeadLetterConfig") or {}
        func["config"]["VpcConfig"] = seams.lambda_svc.vpc_config_with_id(properties.get("VpcConfig"))
        reserved = properties.get("ReservedConcurrentExecutions")
        func["concurrency"] = None if reserved is None else int(reserved)
        return outcome

    return provision


def install() -> None:
    """Replaces the emulator's retry loop, and keeps one request id over the attempts of an event."""
    dispatch, throttle = seams.lambda_svc.execute_function_dispatch, seams.lambda_svc.throttle_response

    def _execute_function_dispatch(func, config, event, request_id, started):
        return dispatch(func, config, event, _request_id.get() or request_id, started)

    def _throttle_response(reason_code, msg, retry_after=1):
        """The text says no more, and Type tells whose limit it was (recorded by LocalStack, TestLambdaConcurrency)."""
        answer = throttle(reason_code, "Rate Exceeded.", retry_after)
        answer["body"]["Type"] = "User"
        return answer

    execute = seams.lambda_svc.execute_function_with_config_scope

    def _execute_function_with_config_scope(func, event, *args, **kwargs):
        if _of_custom_resource.get():
            return seams.lambda_svc.run_with_function_config_scope(func, _run, func, event)
        return execute(func, event, *args, **kwargs)

    seams.lambda_svc.replace(execute_function_with_config_scope=_execute_function_with_config_scope)
    seams.custom_resource.wrap(invoke_custom_resource=_as_custom_resource)
    seams.lambda_svc.replace(
        throttle_response=_throttle_response,
        execute_function_dispatch=_execute_function_dispatch,
        invoke_async_with_retry=invoke_async,
    )
    seams.sns.replace(deliver_to_lambda=_deliver_from_topic)
    functions = seams.provisioners.RESOURCE_HANDLERS["AWS::Lambda::Function"]
    functions["create"] = _keep_settings(functions["create"], 1)
    functions["update"] = _keep_settings(functions["update"], 2)
