"""How much the account may do at once, for tests that ask for more: `POST /_rekey/limits`.

`{"invocations": 10}` sets how many invocations run at once
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html: an account begins with a quota that may be as low
as 10). `{"calls": {"secretsmanager:DescribeSecret": 5}}` sets how many calls of an action are taken each second; one
more is answered with ThrottlingException, "Rate exceeded"
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html,
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html,
https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html). `GET` tells what was turned away since the
start.
"""

import json
import threading
import time

from cloud import control, seams

PATH = "/_rekey/limits"

# What the header X-Amz-Target calls a service, and what IAM does.
_SERVICES = {
    "secretsmanager": "secretsmanager",
    "AWSStepFunctions": "states",
    "TrentService": "kms",
    "AmazonSSM": "ssm",
    "AWSEvents": "events",
    "AmazonSQS": "sqs",
}

_lock = threading.Lock()
_rates: dict[str, float] = {}
# By action: how many calls are left, and since when that is so.
_left: dict[str, tuple[float, float]] = {}
_refused: dict[str, int] = {}


def _action(target: str) -> str:
    service, _, call = target.partition(".")
    return f"{_SERVICES.get(service, service)}:{call}"


def _takes(action: str) -> bool:
    """Takes a call off the bucket of its action, which holds what one second allows."""
    with _lock:
        rate = _rates.get(action)
        if rate is None:
            return True
        now = time.monotonic()
        left, since = _left.get(action, (rate, now))
        left = min(max(rate, 1.0), left + (now - since) * rate)
        taken = left >= 1.0
        _left[action] = (left - 1.0 if taken else left, now)
        if not taken:
            _refused[action] = _refused.get(action, 0) + 1
        return taken


def _answer(method: str, body: bytes) -> tuple[int, dict]:
    if method == "POST":
        try:
            wanted = json.loads(body)
            invocations = wanted.get("invocations")
            calls = {str(action): float(rate) for action, rate in wanted.get("calls", {}).items()}
            if invocations is not None:
                seams.lambda_svc.replace(ACCOUNT_CONCURRENCY_CAP=int(invocations))
        except (AttributeError, TypeError, ValueError) as error:
            return 400, {"message": f"The body must be {{invocations?: number, calls?: {{action: rate}}}}: {error}"}
        with _lock:
            _rates.update(calls)
    elif method != "GET":
        return 405, {"message": f"{PATH} answers GET and POST."}
    return 200, {"invocations": seams.lambda_svc.ACCOUNT_CONCURRENCY_CAP, "calls": _rates, "refused": _refused}


async def _refuse(send) -> None:
    body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"x-amzn-errortype", b"ThrottlingException"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def install() -> None:
    emulator, cap = seams.app.app, seams.lambda_svc.ACCOUNT_CONCURRENCY_CAP

    async def app(scope, receive, send):
        target = dict(scope.get("headers") or []).get(b"x-amz-target", b"").decode("latin-1")
        if target and _rates and not _takes(_action(target)):
            await _refuse(send)
        else:
            await emulator(scope, receive, send)

    def reset() -> None:
        with _lock:
            for kept in (_rates, _left, _refused):
                kept.clear()
        seams.lambda_svc.replace(ACCOUNT_CONCURRENCY_CAP=cap)

    seams.app.replace(app=app)
    control.on_reset(reset)
    control.serve(PATH, _answer)
