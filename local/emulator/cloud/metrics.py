"""The metrics of CloudWatch that services publish by themselves, and those that functions write into their logs.

- Embedded metric format:
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
- AWS/Lambda, where a throttled request counts as neither invocation nor error:
  https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
- AWS/States: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
- AWS/SQS, once a minute:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
  A message that was received three times or more without being deleted is a poison pill, whose age
  ApproximateAgeOfOldestMessage leaves out "until successfully processed".

All follow the clock of `clock.py`. Queues count as active all the time, as they are while a mapping polls them.
"""

import collections
import functools
import json
import logging
import threading
import time

from cloud import clock, seams

logger = logging.getLogger("rekey.metrics")

_POISON_RECEIVES = 3
# Alarms look back over hours; older values of a metric go.
_MOST_VALUES = 5000
_ENDED = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
    "RUNNING": "ExecutionsStarted",
}

# What happened at a queue since its last sample, by name of the queue and of the metric.
_happened: dict = collections.defaultdict(collections.Counter)
_lock = threading.Lock()


def record(
    namespace: str, name: str, value: float, dimensions: dict, stamp: float | None = None, unit: str = "Count"
) -> None:
    """Keeps one value of a metric, of now or of `stamp`."""
    with _lock:
        bucket = seams.cloudwatch.metric_bucket((namespace, name, seams.cloudwatch.dims_key(dimensions)))
        bucket.append(
            {
                "Timestamp": clock.now() if stamp is None else stamp,
                "Value": float(value),
                "Unit": unit,
                "Dimensions": dict(dimensions),
            }
        )
        del bucket[:-_MOST_VALUES]


def values(namespace: str, name: str, dimensions: dict) -> list[dict]:
    """What is kept of a metric. One metric is one set of dimensions: another set is another metric."""
    with _lock:
        return list(seams.cloudwatch.metrics.get((namespace, name, seams.cloudwatch.dims_key(dimensions))) or [])


def _embedded(line: str) -> dict | None:
    start = line.find("{")
    if start < 0 or '"_aws"' not in line:
        return None
    try:
        document = json.loads(line[start:])
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("_aws"), dict) else None


def publish_embedded(document: dict) -> None:
    """Makes metrics of one document in the embedded metric format."""
    head = document["_aws"]
    ahead = clock.now() - time.time()
    stamp = float(head.get("Timestamp", time.time() * 1000)) / 1000 + ahead
    for directive in head.get("CloudWatchMetrics", []):
        for keys in directive.get("Dimensions") or [[]]:
            dimensions = {key: str(document[key]) for key in keys if key in document}
            if len(dimensions) != len(keys):
                continue
            for metric in directive.get("Metrics", []):
                given = document.get(metric["Name"])
                for value in given if isinstance(given, list) else [given]:
                    if isinstance(value, (int, float)) and not isinstance(value, bool):
                        record(
                            directive["Namespace"], metric["Name"], value, dimensions, stamp, metric.get("Unit", "None")
                        )


def _publish_logs(log_text: str) -> None:
    for line in (log_text or "").splitlines():
        document = _embedded(line)
        if document:
            publish_embedded(document)


def _name_of(queue: dict) -> str:
    return queue["attributes"]["QueueArn"].rpartition(":")[2]


def sample_queues(stamp: float) -> None:
    """Publishes what SQS tells of every queue once a minute."""
    with seams.sqs.queues_lock:
        for queue in list(seams.sqs.queues.values()):
            seams.sqs.refresh_counts(queue)
            name, attributes = _name_of(queue), queue["attributes"]
            dimensions = {"QueueName": name}
            count = _happened.pop(name, collections.Counter())
            for metric in ("Visible", "NotVisible", "Delayed"):
                suffix = "" if metric == "Visible" else metric
                record(
                    "AWS/SQS",
                    f"ApproximateNumberOfMessages{metric}",
                    float(attributes[f"ApproximateNumberOfMessages{suffix}"]),
                    dimensions,
                    stamp,
                )
            for metric in ("NumberOfMessagesSent", "NumberOfMessagesDeleted"):
                record("AWS/SQS", metric, count[metric], dimensions, stamp)
            # In a dead-letter queue the age counts from the move.
            ages = [
                stamp - message.get("enqueued_at", message["sent_at"])
                for message in queue["messages"]
                if message["receive_count"] < _POISON_RECEIVES
            ]
            if ages:
                record("AWS/SQS", "ApproximateAgeOfOldestMessage", max(0.0, max(ages)), dimensions, stamp, "Seconds")


def _counting(function, metric: str):
    """Counts by how many messages a queue grew or shrank."""

    @functools.wraps(function)
    def call(first, second):
        # Handlers take (request, url), the deletion for event source mappings (url, handles).
        url = first if isinstance(first, str) else first.get("QueueUrl", second)
        with seams.sqs.queues_lock:
            name = str(url).rpartition("/")[2]
            queue = next((one for one in seams.sqs.queues.values() if _name_of(one) == name), None)
            before = len(queue["messages"]) if queue else 0
            answer = function(first, second)
            if queue:
                _happened[name][metric] += abs(len(queue["messages"]) - before)
            return answer

    return call


def install() -> None:
    """Publishes what the emulator leaves out."""
    dispatch = seams.lambda_svc.execute_function_dispatch
    emit_logs = seams.lambda_svc.emit_lambda_logs
    emit_status = seams.stepfunctions.emit_execution_status_event

    def _execute_function_dispatch(func, config, event, request_id, started):
        begun = time.monotonic()
        result = dispatch(func, config, event, request_id, started)
        dimensions = {"FunctionName": config.get("FunctionName", "")}
        record("AWS/Lambda", "Invocations", 1, dimensions)
        record("AWS/Lambda", "Errors", 1 if result.get("error") else 0, dimensions)
        record("AWS/Lambda", "Throttles", 0, dimensions)
        record("AWS/Lambda", "Duration", (time.monotonic() - begun) * 1000, dimensions, unit="Milliseconds")
        return result

    def _emit_lambda_metrics(function_name, duration_ms, error, throttle):
        # The emulator calls it for some invocations only; what is invoked is counted above.
        if throttle:
            record("AWS/Lambda", "Throttles", 1, {"FunctionName": function_name})

    def _emit_lambda_logs(func, request_id, log_text, *rest, **options):
        try:
            _publish_logs(log_text)
        except Exception:
            logger.exception("Metrics of a function's log")
        return emit_logs(func, request_id, log_text, *rest, **options)

    def _emit_execution_status_event(execution, *rest, **options):
        metric = _ENDED.get(execution["status"])
        if metric:
            record("AWS/States", metric, 1, {"StateMachineArn": execution["stateMachineArn"]})
        return emit_status(execution, *rest, **options)

    seams.lambda_svc.replace(
        execute_function_dispatch=_execute_function_dispatch,
        emit_lambda_metrics=_emit_lambda_metrics,
        emit_lambda_logs=_emit_lambda_logs,
    )
    seams.stepfunctions.replace(emit_execution_status_event=_emit_execution_status_event)
    seams.cloudwatch.replace(time=clock.Following())
    # It reads the table on the server's thread while functions add to it on theirs; values are bounded above.
    seams.cloudwatch.replace(evict_old_metrics=lambda: None)
    for name, metric in (
        ("act_send_message", "NumberOfMessagesSent"),
        ("act_delete_message", "NumberOfMessagesDeleted"),
        ("delete_messages_for_esm", "NumberOfMessagesDeleted"),
    ):
        counted = _counting(getattr(seams.sqs, name), metric)
        for action, function in list(seams.sqs.HANDLERS.items()):
            if function.__name__ == f"_{name}":
                seams.sqs.HANDLERS[action] = counted
        seams.sqs.replace(**{name: counted})
