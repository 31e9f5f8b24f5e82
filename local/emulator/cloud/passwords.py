"""How a service changes a password: later than it answers, and on a real server where there is one.

A database or a user is bound to a server of this machine by tags that it is created with; AWS knows nothing of them:
`rekey:endpoint` (`host:port`) is where a database then says that it listens, `rekey:password-url` is POSTed
`{"username": …, "passwords": […]}` and sets those there, `rekey:reset-seconds` is how long a change takes, a third of
it before work on it begins, and `rekey:modify-seconds` how long any other change.
"""

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

MASK = "****"
RESET_SECONDS = 0.05
_GIVE_UP_SECONDS = 120

logger = logging.getLogger("passwords")


def tag(tags: list[dict], key: str) -> str | None:
    """The value of a tag of a resource."""
    return next((item.get("Value") for item in tags if item.get("Key") == key), None)


def endpoint(tags: list[dict]) -> tuple[str, int] | None:
    """Where the bound server listens."""
    host, _, port = (tag(tags, "rekey:endpoint") or "").rpartition(":")
    return (host, int(port)) if host else None


def fault(password: str, shortest: int, longest: int, forbidden: str) -> str | None:
    """Why a service does not take the password, in words that do not hold it."""
    if len(password) < shortest:
        return f"it is shorter than {shortest} characters"
    if len(password) > longest:
        return f"it is longer than {longest} characters"
    if any(not 32 < ord(character) < 127 or character in forbidden for character in password):
        return f"only printable ASCII characters besides {' '.join(forbidden)} and the space may be used"
    return None


def _tell(url: str, username: str, passwords: list[str]) -> None:
    body = json.dumps({"username": username, "passwords": passwords}).encode()
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        answer.read()


def _tell_until_heard(url: str, username: str, passwords: list[str]) -> None:
    """The services go on until the server takes the password: one that is down takes it when it is up again."""
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while True:
        try:
            _tell(url, username, passwords)
            return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                logger.error("the passwords of %s were not set: %s", username, type(error).__name__)
                return
            time.sleep(0.1)


def reset(
    tags: list[dict], username: str, passwords: list[str], begun: Callable[[], None], done: Callable[[], None]
) -> None:
    """Sets passwords in the background; `begun` is called when work on it starts, `done` when they are set."""
    seconds = float(tag(tags, "rekey:reset-seconds") or RESET_SECONDS)
    url = tag(tags, "rekey:password-url")

    def work() -> None:
        time.sleep(seconds / 3)
        begun()
        time.sleep(seconds * 2 / 3)
        if url:
            _tell_until_heard(url, username, passwords)
        done()

    threading.Thread(target=work, daemon=True, name="password-change").start()


def busy(tags: list[dict], show: Callable[[str], None]) -> None:
    """Shows the state of a resource while another change than that of a password is made."""
    seconds = float(tag(tags, "rekey:modify-seconds") or 0)
    if seconds > 0:
        show("modifying")
        timer = threading.Timer(seconds, show, ["available"])
        timer.daemon = True
        timer.start()
