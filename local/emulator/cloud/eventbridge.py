"""EventBridge's delivery to the targets of a rule.

- A delivery that fails for a passing reason is retried as the target's RetryPolicy says; one that cannot succeed is
  not; what is not delivered goes to the target's dead-letter queue with the reason in its attributes:
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
- A target is reached only if its resource policy admits events.amazonaws.com for the rule, or the target's role may:
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html
- Functions are invoked asynchronously, so their own errors and throttles are Lambda's to retry:
  https://docs.aws.amazon.com/lambda/latest/dg/services-eventbridge.html

AWS spreads 185 attempts over 24 hours; here the waits between attempts are short.
"""

import contextvars
import json
import logging
import random
import time

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, sns

from cloud import lambda_async, readings, seams, service_roles, sqs

logger = logging.getLogger("rekey.eventbridge")

_DEFAULT_ATTEMPTS = 185
_DEFAULT_AGE_SECONDS = 86_400
_WAIT_SECONDS = (0.2, 2.0)

# The target, rule and event that the emulator's own code is working on.
_delivery: contextvars.ContextVar[tuple | None] = contextvars.ContextVar("rekey_delivery", default=None)


class DeliveryError(Exception):
    """Why a target did not take an event. ``code`` is one of the documented dead-letter error codes."""

    def __init__(self, code: str, message: str, passing: bool = False):
        super().__init__(message)
        self.code = code
        self.passing = passing


def _principal(rule: dict) -> str:
    """The service that delivers: EventBridge for a rule, EventBridge Scheduler for a schedule."""
    return "scheduler.amazonaws.com" if ":scheduler:" in rule.get("Arn", "") else "events.amazonaws.com"


def _authorise(target: dict, rule: dict, action: str, policy) -> None:
    """Raises unless the target's role, when it names one, or else the resource's policy permits the delivery."""
    arn, rule_arn, role_arn = target["Arn"], rule.get("Arn", ""), target.get("RoleArn")
    if role_arn:
        _authorise_role(target, rule, action, arn)
    elif not service_roles.policy_admits(policy, _principal(rule), action, arn, rule_arn):
        raise DeliveryError(
            "NO_PERMISSIONS",
            f"The resource policy of {arn} does not let {_principal(rule)} perform {action} for {rule_arn}.",
        )


def _authorise_role(target: dict, rule: dict, action: str, resource: str) -> None:
    role_arn = target.get("RoleArn")
    if not role_arn or not service_roles.role_trusts(role_arn, _principal(rule), rule.get("Arn", "")):
        raise DeliveryError("FAILED_TO_ASSUME_ROLE", f"{_principal(rule)} cannot assume role {role_arn}.")
    denial = service_roles.role_denial(role_arn, "delivery", action, resource)
    if denial:
        raise DeliveryError("NO_PERMISSIONS", denial)


def _require_key(key_arn: str | None, rule: dict) -> None:
    """Raises unless the key's policy lets the service encrypt for the queue.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    if not key_arn:
        return
    policy, _owner = kms.key_policy_for_arn(key_arn) or ("", "")
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        if not service_roles.policy_admits(policy, _principal(rule), action, key_arn, rule.get("Arn", "")):
            raise DeliveryError(
                "NO_PERMISSIONS", f"The policy of key {key_arn} does not let {_principal(rule)} perform {action}."
            )


def _to_lambda(target: dict, rule: dict, payload: str) -> None:
    func, config, name = seams.lambda_svc.get_func_record_for_ref(target["Arn"])
    if not func or not config:
        raise DeliveryError("NO_RESOURCE", f"Function not found: {name}")
    _authorise(target, rule, "lambda:InvokeFunction", func.get("policy"))
    try:
        event = json.loads(payload)
    except ValueError as error:
        raise DeliveryError("INVALID_JSON", f"The target's input is not JSON: {error}") from error
    lambda_async.invoke_async(seams.lambda_svc.execution_record_for_config(func, config), event)


def _to_sqs(target: dict, rule: dict, payload: str) -> None:
    arn = target["Arn"]
    queue = seams.sqs.queue_by_arn(arn)
    if queue is None:
        raise DeliveryError("NO_RESOURCE", f"Queue {arn} does not exist.")
    _authorise(target, rule, "sqs:SendMessage", queue["attributes"].get("Policy"))
    _require_key(sqs.encryption_key(arn), rule)
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    try:
        sqs.send(arn, payload, group=group)
    except seams.sqs.Err as error:
        raise DeliveryError("INVALID_PARAMETER", error.message) from error


def _to_sns(target: dict, rule: dict, payload: str) -> None:
    arn = target["Arn"]
    found = sns.topic_policy_for_arn(arn)
    if found is None:
        raise DeliveryError("NO_RESOURCE", f"Topic {arn} does not exist.")
    _authorise(target, rule, "sns:Publish", found[0])
    try:
        sns.publish_internal(arn, payload)
    except sns.SnsPublishError as error:
        raise DeliveryError("INVALID_PARAMETER", str(error)) from error


def _to_state_machine(target: dict, rule: dict, payload: str) -> None:
    arn = target["Arn"]
    _authorise_role(target, rule, "states:StartExecution", arn)
    status, _headers, body = seams.stepfunctions.start_execution({"stateMachineArn": arn, "input": payload})
    if status >= 400:
        answer = json.loads(body)
        code = str(answer.get("__type", "")).rsplit("#", 1)[-1]
        known = {"StateMachineDoesNotExist": "NO_RESOURCE", "ExecutionLimitExceeded": "THROTTLING"}
        raise DeliveryError(known.get(code, "ERROR_FROM_TARGET"), answer.get("message", code), code not in known)


_SENDERS = {"lambda": _to_lambda, "sqs": _to_sqs, "sns": _to_sns, "states": _to_state_machine}


def _to_dead_letters(
    target: dict, rule: dict, event: str, error: DeliveryError, retries: int, exhausted: str | None
) -> None:
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        logger.warning("Rule %s: event dropped, target %s: %s: %s", rule.get("Arn"), target["Arn"], error.code, error)
        return
    attributes = {
        "RULE_ARN": rule.get("Arn", ""),
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error)[:1024] or error.code,
        "RETRY_ATTEMPTS": str(retries),
    }
    if exhausted:
        attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
    try:
        # A schedule reaches its dead-letter queue with its role, a rule by the queue's policy.
        role = {"RoleArn": target["RoleArn"]} if _principal(rule).startswith("scheduler") else {}
        queue = seams.sqs.queue_by_arn(arn)
        if queue is None:
            raise DeliveryError("NO_RESOURCE", f"Queue {arn} does not exist.")
        _authorise({"Arn": arn, **role}, rule, "sqs:SendMessage", queue["attributes"].get("Policy"))
        _require_key(sqs.encryption_key(arn), rule)
        sqs.send(
            arn,
            event,
            attributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
        )
    except (DeliveryError, seams.sqs.Err) as refused:
        logger.warning("Rule %s: event lost, dead-letter queue %s: %s", rule.get("Arn"), arn, refused)


def _deliver(service: str, target: dict, rule: dict, event: str, payload: str) -> None:
    service_roles.act_as(_principal(rule))
    policy = target.get("RetryPolicy") or {}
    attempts = policy.get("MaximumRetryAttempts")
    attempts = _DEFAULT_ATTEMPTS if attempts is None else int(attempts)
    expires = time.monotonic() + float(policy.get("MaximumEventAgeInSeconds") or _DEFAULT_AGE_SECONDS)
    wait = _WAIT_SECONDS[0]
    retries, doubled = 0, False
    while True:
        try:
            _SENDERS[service](target, rule, payload)
            # "at least once": https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html
            if readings.is_read("eventbridge-delivery", "twice") and not doubled:
                doubled = True
                continue
            return
        except DeliveryError as error:
            failure = error
        except Exception as error:
            logger.exception("Rule %s: target %s", rule.get("Arn"), target["Arn"])
            failure = DeliveryError("INTERNAL_ERROR", str(error), passing=True)
        exhausted = None
        if failure.passing:
            pause = wait * random.uniform(0.5, 1)
            if retries >= attempts:
                exhausted = "MaximumRetryAttempts"
            elif time.monotonic() + pause > expires:
                exhausted = "MaximumEventAgeInSeconds"
        if exhausted or not failure.passing:
            _to_dead_letters(target, rule, event, failure, retries, exhausted)
            return
        time.sleep(pause)
        wait = min(wait * 2, _WAIT_SECONDS[1])
        retries += 1


def _start_delivery(service: str, payload: str) -> None:
    delivery = _delivery.get()
    if delivery is None:
        raise RuntimeError("an event is dispatched to a target outside of _invoke_target")
    target, rule, event = delivery
    spawn_background(_deliver, service, dict(target), dict(rule), event, payload, thread_name="eventbridge-delivery")


def install() -> None:
    """Puts retries, permissions and dead letters between a matching rule and its targets."""
    invoke_target = seams.eventbridge.invoke_target

    def _invoke_target(target, event, rule, view=None):
        view = view or seams.eventbridge.pattern_event_view(event)
        token = _delivery.set((target, rule, json.dumps(view.event_with_detail())))
        try:
            spec = parse_arn(target.get("Arn", ""))
            if spec.service in _SENDERS and (spec.account_id, spec.region) != (get_account_id(), get_region()):
                logger.warning("Rule %s: target %s is in another account or region", rule.get("Arn"), target["Arn"])
                return
            invoke_target(target, event, rule, view)
        except ArnParseError:
            logger.warning("Rule %s: target %s is no ARN", rule.get("Arn"), target.get("Arn"))
        finally:
            _delivery.reset(token)

    seams.eventbridge.replace(
        invoke_target=_invoke_target,
        dispatch_to_lambda=lambda arn, payload: _start_delivery("lambda", payload),
        dispatch_to_sqs=lambda spec, payload, parameters=None: _start_delivery("sqs", payload),
        dispatch_to_sns=lambda arn, payload: _start_delivery("sns", payload),
        dispatch_to_stepfunctions=lambda arn, payload: _start_delivery("states", payload),
    )
