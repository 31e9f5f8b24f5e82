"""Amazon SQS keeps every message that it accepted until it is deleted or expires.

The emulator's queues are lists that are replaced by filtered copies on the poller's thread while the server's thread
appends to them, so a message sent at that moment was lost. Here every operation on the queues takes one lock, and
messages age by the clock of `clock.py`.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-how-it-works.html
"""

import asyncio
import functools
import threading
import time

from ministack.core.responses import get_account_id

from cloud import clock, seams

# Parts of the one asynchronous operation (ReceiveMessage), and writers outside SQS's own operations.
_PARTS = ("collect_msgs", "dlq_sweep", "expire_retained", "refresh_counts")


def send(
    queue_arn: str,
    body: str,
    *,
    attributes: dict | None = None,
    group: str | None = None,
    deduplication: str | None = None,
) -> None:
    """Sends a message as a service does. Raises `LookupError` for a missing queue, `seams.sqs.Err` for a refusal."""
    queue = seams.sqs.queue_by_arn(queue_arn)
    if queue is None:
        raise LookupError(queue_arn)
    request = {"MessageBody": body, "MessageAttributes": attributes or {}}
    if group is not None:
        request["MessageGroupId"] = group
    if deduplication is not None:
        request["MessageDeduplicationId"] = deduplication
    _spec, _, name = queue_arn.rpartition(":")
    seams.sqs.act_send_message(
        request, seams.sqs.queue_url_for_account(queue_arn.split(":")[4] or get_account_id(), name)
    )


def encryption_key(queue_arn: str) -> str | None:
    """The ARN of the customer managed key that encrypts the queue, if one does."""
    queue = seams.sqs.queue_by_arn(queue_arn)
    key_id = (queue or {}).get("attributes", {}).get("KmsMasterKeyId")
    record = seams.kms.resolve_key(key_id) if key_id and key_id != "alias/aws/sqs" else None
    return (record or {}).get("Arn")


def _is_expired(queue: dict, handle: str) -> bool:
    """Whether the message of this handle is visible again in a FIFO queue.

    Recorded on AWS 2025-03-28 (test_fifo_delete_after_visibility_timeout in LocalStack's test_sqs.snapshot.json): a
    FIFO queue no longer takes the handle then, and the message comes again.
    """
    return bool(queue.get("is_fifo")) and any(
        message.get("receipt_handle") == handle and message["visible_at"] <= time.time()
        for message in queue["messages"]
    )


def _refuse_expired_handles() -> None:
    delete, delete_batch, delete_for_mapping = (
        seams.sqs.HANDLERS["DeleteMessage"],
        seams.sqs.HANDLERS["DeleteMessageBatch"],
        seams.sqs.delete_messages_for_esm,
    )

    def fault(handle):
        return f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."

    def _act_delete_message(data, qurl):
        handle = data.get("ReceiptHandle", "")
        if handle and _is_expired(seams.sqs.get_q(data.get("QueueUrl", qurl)), handle):
            raise seams.sqs.Err("InvalidParameterValue", fault(handle))
        return delete(data, qurl)

    def _act_delete_message_batch(data, qurl):
        queue = seams.sqs.get_q(data.get("QueueUrl", qurl))
        expired = [entry for entry in data.get("Entries", []) if _is_expired(queue, entry.get("ReceiptHandle", ""))]
        answer = (
            delete_batch({**data, "Entries": [entry for entry in data["Entries"] if entry not in expired]}, qurl)
            if len(expired) < len(data.get("Entries", []))
            else {"Successful": [], "Failed": []}
        )
        answer.setdefault("Failed", []).extend(
            {
                "Id": entry.get("Id", ""),
                "Code": "InvalidParameterValue",
                "Message": fault(entry["ReceiptHandle"]),
                "SenderFault": True,
            }
            for entry in expired
        )
        return answer

    def _delete_messages_for_esm(queue_url, receipt_handles):
        queue = seams.sqs.get_q(queue_url)
        delete_for_mapping(queue_url, {handle for handle in receipt_handles if not _is_expired(queue, handle)})

    seams.sqs.HANDLERS.update(DeleteMessage=_act_delete_message, DeleteMessageBatch=_act_delete_message_batch)
    seams.sqs.replace(act_delete_message=_act_delete_message, act_delete_message_batch=_act_delete_message_batch)
    seams.sqs.replace(delete_messages_for_esm=_delete_messages_for_esm)


def install() -> None:
    """Serialises every read and write of the queues."""
    lock = threading.RLock()
    _refuse_expired_handles()

    def locked(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            with lock:
                return function(*args, **kwargs)

        return call

    # Visibility, retention and deduplication end by the clock that tests move.
    seams.sqs.replace(queues_lock=lock, time=clock.Following())
    for action, function in list(seams.sqs.HANDLERS.items()):
        if not asyncio.iscoroutinefunction(function):
            seams.sqs.HANDLERS[action] = locked(function)
            seams.sqs.replace(**{function.__name__.removeprefix("_"): seams.sqs.HANDLERS[action]})
    seams.sqs.replace(**{name: locked(getattr(seams.sqs, name)) for name in _PARTS})
    seams.sns.replace(deliver_to_sqs=locked(seams.sns.deliver_to_sqs))
