"""Amazon SQS keeps every message that it accepted until it is deleted or expires.

The emulator's queues are lists that are replaced by filtered copies on the poller's thread while the server's thread
appends to them, so a message sent at that moment was lost. Here every operation on the queues takes one lock.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-how-it-works.html
"""

import asyncio
import functools
import threading

from ministack.core.responses import get_account_id
from ministack.services import sns, sqs

# Parts of the one asynchronous operation (ReceiveMessage), and writers outside SQS's own operations.
_PARTS = ("_collect_msgs", "_dlq_sweep", "_expire_retained", "_refresh_counts")


def send(queue_arn: str, body: str, *, attributes: dict | None = None, group: str | None = None,
         deduplication: str | None = None) -> None:
    """Send a message as a service does. Raises `LookupError` for a missing queue, `sqs._Err` for a refusal by SQS."""
    queue = sqs._queue_by_arn(queue_arn)
    if queue is None:
        raise LookupError(queue_arn)
    request = {"MessageBody": body, "MessageAttributes": attributes or {}}
    if group is not None:
        request["MessageGroupId"] = group
    if deduplication is not None:
        request["MessageDeduplicationId"] = deduplication
    _spec, _, name = queue_arn.rpartition(":")
    sqs._act_send_message(request, sqs._queue_url_for_account(queue_arn.split(":")[4] or get_account_id(), name))


def encryption_key(queue_arn: str) -> str | None:
    """The ARN of the customer managed key that encrypts the queue, if one does."""
    from ministack.services import kms

    queue = sqs._queue_by_arn(queue_arn)
    key_id = (queue or {}).get("attributes", {}).get("KmsMasterKeyId")
    record = kms._resolve_key(key_id) if key_id and key_id != "alias/aws/sqs" else None
    return (record or {}).get("Arn")


def install() -> None:
    """Serialise every read and write of the queues."""
    lock = threading.RLock()

    def locked(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            with lock:
                return function(*args, **kwargs)
        return call

    sqs._queues_lock = lock
    for action, function in list(sqs._HANDLERS.items()):
        if not asyncio.iscoroutinefunction(function):
            sqs._HANDLERS[action] = locked(function)
            setattr(sqs, function.__name__, sqs._HANDLERS[action])
    for name in _PARTS:
        setattr(sqs, name, locked(getattr(sqs, name)))
    sns._deliver_to_sqs = locked(sns._deliver_to_sqs)
