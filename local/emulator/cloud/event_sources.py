"""Lambda's event source mappings for SQS queues.

- Which answers of a function fail a batch, and which only some of its messages:
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
- The execution role must be allowed to receive and delete, and to decrypt what the queue encrypts:
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
- A queue's visibility timeout must not be shorter than the function's timeout (same page).
"""

import json
import logging
import time
from typing import Any

from ministack.core.responses import error_response_json

from cloud import seams, service_roles, sqs

logger = logging.getLogger("rekey.event_sources")


def failed_messages(batch_ids: set[str], answer) -> set[str]:
    """The messages of a batch that a function's ``batchItemFailures`` answer leaves in the queue."""
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            return batch_ids
    if answer is None:
        return set()
    if not isinstance(answer, dict):
        return batch_ids
    failures = answer.get("batchItemFailures")
    if failures is None:
        return set()
    identifiers: list[Any] = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in failures]
    # An identifier that is missing, empty or of no message in the batch fails the whole batch.
    return set(identifiers) if all(identifier in batch_ids for identifier in identifiers) else batch_ids


def _invoke(func_rec, event, queue_url: str) -> dict:
    """Invokes the function; a throttled batch is tried again until its messages would become visible again."""
    visibility = float(seams.sqs.get_q(queue_url)["attributes"].get("VisibilityTimeout", "30"))
    expires = time.monotonic() + visibility - float((func_rec.get("config") or {}).get("Timeout", 3))
    wait = 0.05
    while True:
        result = seams.lambda_svc.execute_function(func_rec, event)
        if not result.get("throttle") or time.monotonic() + wait > expires:
            return result
        time.sleep(wait)
        wait = min(wait * 2, 1.0)


def _run_sqs_batch(esm, func_rec, event, batch, queue_url, queue_name) -> None:
    result = _invoke(func_rec, event, queue_url)
    every = {message["id"] for message in batch}
    if result.get("error"):
        body = result.get("body")
        told = body if isinstance(body, dict) else {}
        failed = every
        esm["LastProcessingResult"] = "PROBLEM: Function call failed"
        logger.warning(
            "%s failed on a batch of %s: %s",
            esm["FunctionName"],
            queue_name,
            told.get("errorType") or told.get("Reason"),
        )
    elif "ReportBatchItemFailures" in (esm.get("FunctionResponseTypes") or []):
        failed = failed_messages(every, result.get("body"))
        esm["LastProcessingResult"] = "OK"
    else:
        failed = set()
        esm["LastProcessingResult"] = "OK"
    handles = {message["receipt_handle"] for message in batch if message["id"] not in failed}
    seams.sqs.delete_messages_for_esm(queue_url, handles)
    if failed == every:
        seams.lambda_svc.esm_backoff_until[esm["UUID"]] = time.time() + seams.lambda_svc.ESM_BACKOFF_SECONDS
    else:
        seams.lambda_svc.esm_backoff_until.pop(esm["UUID"], None)


def _missing_permission(config: dict, queue_arn: str) -> str | None:
    role, name = config.get("Role", ""), config.get("FunctionName", "function")
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        denial = service_roles.role_denial(role, name, action, queue_arn)
        if denial:
            return denial
    key = sqs.encryption_key(queue_arn)
    return service_roles.role_denial(role, name, "kms:Decrypt", key) if key else None


def _unfit_queue(request: dict) -> str | None:
    queue = seams.sqs.queue_by_arn(request.get("EventSourceArn", ""))
    _func, config, _name = seams.lambda_svc.get_func_record_for_ref(request.get("FunctionName", ""))
    if queue is None or not config:
        return None
    visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
    timeout = int(config.get("Timeout", 3))
    if visibility >= timeout:
        return None
    return f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"


def _refused(request: dict) -> tuple[str, str] | None:
    """The code and message of the refusals of CreateEventSourceMapping for a queue that AWS was recorded with.

    LocalStack's snapshots of Lambda's event source mappings (2024 and 2025): a queue that is not there, a mapping that
    is there already, a batch over ten messages without a window.
    """
    source = request.get("EventSourceArn", "")
    if ":sqs:" not in source:
        return None
    invalid = "InvalidParameterValueException"
    if seams.sqs.queue_by_arn(source) is None:
        return invalid, (
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    if int(request.get("BatchSize") or 10) > 10 and not int(request.get("MaximumBatchingWindowInSeconds") or 0):
        return invalid, (
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    _func, _config, name = seams.lambda_svc.get_func_record_for_ref(request.get("FunctionName", ""))
    for mapping in seams.lambda_svc.esms.values():
        if mapping.get("EventSourceArn") == source and mapping.get("FunctionName") == name:
            return "ResourceConflictException", (
                f'An event source mapping with SQS arn (" {source} ") and function (" {name} ") already exists. Please '
                f"update or delete the existing mapping with UUID {mapping['UUID']}"
            )
    unfit = _unfit_queue(request)
    return (invalid, unfit) if unfit else None


def install() -> None:
    """Polls only what the function's role may read, and settles batches as documented."""
    concurrency = seams.lambda_svc.sqs_esm_concurrency
    create = seams.lambda_svc.create_esm
    in_stacks = seams.provisioners.RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    create_of_stack = in_stacks["create"]

    def _sqs_esm_concurrency(esm, func_rec, config, queue=None):
        denial = _missing_permission(config, esm.get("EventSourceArn", ""))
        if denial:
            esm["LastProcessingResult"] = f"PROBLEM: {denial}"
            return 0
        return concurrency(esm, func_rec, config, queue)

    def _create_esm(data: dict):
        refused = _refused(data)
        if refused is None:
            return create(data)
        return error_response_json(*refused, 409 if refused[0] == "ResourceConflictException" else 400)

    def _create_esm_of_stack(logical_id, props, stack_name):
        refused = _refused(props)
        if refused:
            raise ValueError(f"{refused[1]} (Service: Lambda, {refused[0]})")
        return create_of_stack(logical_id, props, stack_name)

    in_stacks["create"] = _create_esm_of_stack
    seams.lambda_svc.replace(
        run_sqs_batch=_run_sqs_batch, sqs_esm_concurrency=_sqs_esm_concurrency, create_esm=_create_esm
    )
