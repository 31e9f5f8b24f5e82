"""Delivers one event to a target that fails a number of times, and prints what came of it as JSON.

No operation of the emulated services fails for a passing reason on request, so the target is made to here.
Usage: failing_target.py FAILURES MAXIMUM_RETRY_ATTEMPTS MAXIMUM_EVENT_AGE_IN_SECONDS
"""

import json
import sys

from cloud import eventbridge, seams, sqs

failures, attempts, age = (int(argument) for argument in sys.argv[1:4])
sqs.install()
seams.sqs.act_create_queue({"QueueName": "dead"}, "")
dead = "arn:aws:sqs:us-east-1:000000000000:dead"
deliveries = []


def deliver(_target, _rule, _payload):
    deliveries.append(1)
    if len(deliveries) <= failures:
        raise eventbridge.DeliveryError("THROTTLING", "Rate exceeded", passing=True)


eventbridge._SENDERS["lambda"] = deliver
eventbridge._deliver(
    "lambda",
    {
        "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "DeadLetterConfig": {"Arn": dead},
        "RetryPolicy": {"MaximumRetryAttempts": attempts, "MaximumEventAgeInSeconds": age},
    },
    {"Arn": "arn:aws:events:us-east-1:000000000000:rule/r"},
    '{"the":"event"}',
    '{"the":"input"}',
)
kept = []
for message in seams.sqs.queue_by_arn(dead)["messages"]:
    attributes = {name: value["StringValue"] for name, value in message["message_attributes"].items()}
    kept.append({"body": message["body"], **attributes})
print(json.dumps({"deliveries": len(deliveries), "kept": kept}))
