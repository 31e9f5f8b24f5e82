"""What tests ask of the local cloud itself, beside the AWS services: JSON below `/_rekey/`."""

import json
from collections.abc import Callable

from cloud import seams

# Answers one method and body with a status and a JSON document.
Handler = Callable[[str, bytes], tuple[int, dict]]

_handlers: dict[str, Handler] = {}
_resets: list[Callable[[], None]] = []


def serve(path: str, handler: Handler) -> None:
    """Has `handler` answer `path`. It runs on the server's event loop, so it must not block."""
    _handlers[path] = handler


def on_reset(undo: Callable[[], None]) -> None:
    """Calls `undo` whenever the emulator is reset."""
    _resets.append(undo)


async def _answer(handler: Handler, scope, receive, send) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, answer = handler(scope["method"], body)
    content = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def install() -> None:
    emulator, reset_state = seams.app.app, seams.app.reset_all_state

    async def app(scope, receive, send):
        handler = _handlers.get(scope["path"]) if scope["type"] == "http" else None
        if handler is None:
            await emulator(scope, receive, send)
        else:
            await _answer(handler, scope, receive, send)

    def reset_all():
        for undo in _resets:
            undo()
        reset_state()

    seams.app.replace(app=app, reset_all_state=reset_all)
