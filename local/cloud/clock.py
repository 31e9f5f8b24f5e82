"""The clock of what Secrets Manager does by itself. Tests move it forward: `POST /_rekey/clock {"advanceSeconds": n}`.

`GET /_rekey/clock` answers `{"now": <epoch seconds>, "advancedSeconds": <total>}`. Only schedules and the ages that
they are measured by follow this clock; signatures, sessions and certificates keep to the machine's own.
"""

import json
import threading
import time
from collections.abc import Callable

PATH = "/_rekey/clock"
LIMIT_SECONDS = 10 * 366 * 24 * 3600

_advanced = 0.0
_lock = threading.Lock()
_listeners: list[Callable[[], None]] = []


def now() -> float:
    """The time in epoch seconds, with what tests added."""
    return time.time() + _advanced


def on_advance(listener: Callable[[], None]) -> None:
    """Calls `listener` (on the server's event loop, so it must not block) whenever the clock was moved."""
    _listeners.append(listener)


def reset() -> None:
    """Takes back what tests added."""
    global _advanced
    with _lock:
        _advanced = 0.0


def _advance(body: bytes) -> tuple[int, dict]:
    global _advanced
    try:
        seconds = json.loads(body)["advanceSeconds"]
    except (ValueError, KeyError, TypeError):
        return 400, {"message": 'The body must be {"advanceSeconds": <number>}.'}
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= LIMIT_SECONDS:
        return 400, {"message": f"advanceSeconds must be a number between 0 and {LIMIT_SECONDS}."}
    with _lock:
        _advanced += seconds
    for listener in _listeners:
        listener()
    return 200, {"now": now(), "advancedSeconds": _advanced}


async def _answer(scope, receive, send) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["method"] == "POST":
        status, answer = _advance(body)
    elif scope["method"] == "GET":
        status, answer = 200, {"now": now(), "advancedSeconds": _advanced}
    else:
        status, answer = 405, {"message": f"{PATH} answers GET and POST."}
    content = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def install() -> None:
    from ministack import app as gateway

    emulator, reset_state = gateway.app, gateway._reset_all_state

    async def app(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == PATH:
            await _answer(scope, receive, send)
        else:
            await emulator(scope, receive, send)

    def reset_all():
        reset()
        reset_state()

    gateway.app, gateway._reset_all_state = app, reset_all
