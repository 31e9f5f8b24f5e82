"""The clock of what services do by themselves. Tests move it forward: `POST /_rekey/clock {"advanceSeconds": n}`.

`GET /_rekey/clock` answers `{"now": <epoch seconds>, "advancedSeconds": <total>}`. Schedules and the ages that they are
measured by, the messages of queues, metrics and alarms follow this clock; signatures, sessions and certificates keep to
the machine's own.
"""

import json
import threading
import time
from collections.abc import Callable

from cloud import control

PATH = "/_rekey/clock"
LIMIT_SECONDS = 10 * 366 * 24 * 3600

_advanced = 0.0
_lock = threading.Lock()
_listeners: list[Callable[[], None]] = []


def now() -> float:
    """The time in epoch seconds, with what tests added."""
    return time.time() + _advanced


class Following:
    """Python's module `time` for a service whose times follow this clock."""

    time = staticmethod(now)

    def __getattr__(self, name):
        return getattr(time, name)


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


def _answer(method: str, body: bytes) -> tuple[int, dict]:
    if method == "POST":
        return _advance(body)
    if method == "GET":
        return 200, {"now": now(), "advancedSeconds": _advanced}
    return 405, {"message": f"{PATH} answers GET and POST."}


def install() -> None:
    control.serve(PATH, _answer)
    control.on_reset(reset)
