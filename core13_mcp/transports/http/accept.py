"""The Accept header of requests, and JSON responses for clients that do not read event streams.

The JSON-only mode of the SDK does not cancel a call when its client disconnects. So the SDK always gets the Accept header
that allows an event stream, and `as_json` turns the stream into one JSON response.
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.types import Message, Scope, Send

from .errors import Rejected

_EVENT_STREAM = b"text/event-stream"


def accepts_event_stream(request: Request) -> bool:
    """Return whether the client names a media type for event streams. A client without Accept header gets JSON.

    Raises:
        Rejected: The client does not accept JSON, which the errors are sent as.
    """
    header = ",".join(request.headers.getlist("Accept"))
    types = set(_media_types(header)) if header.strip() else {"application/json"}
    if types.isdisjoint({"application/json", "application/*", "*/*"}):
        raise Rejected(406, "Send `Accept: application/json, text/event-stream`, or `Accept: application/json` alone.")
    return not types.isdisjoint({"text/event-stream", "text/*", "*/*"})


def sdk_scope(scope: Scope) -> Scope:
    """Return the scope with the Accept header that the SDK requires."""
    headers = [header for header in scope["headers"] if header[0] != b"accept"]
    return {**scope, "headers": [*headers, (b"accept", b"application/json, " + _EVENT_STREAM)]}


def as_json(send: Send) -> Send:
    """Wrap `send` so that an event stream becomes a JSON response with its last message, which is the response."""
    is_stream, events = False, bytearray()

    async def send_json(message: Message) -> None:
        nonlocal is_stream
        if message["type"] == "http.response.start":
            is_stream = is_event_stream(message)
        if not is_stream:
            await send(message)
        elif message["type"] == "http.response.body":
            events.extend(message.get("body", b""))
            if not message.get("more_body"):
                for part in _json_response(bytes(events)):
                    await send(part)

    return send_json


def is_event_stream(start: Message) -> bool:
    """Return whether the start of a response is that of an event stream."""
    return any(name.lower() == b"content-type" and value.startswith(_EVENT_STREAM) for name, value in start["headers"])


def _media_types(header: str) -> Iterator[str]:
    for item in header.split(","):
        media_type, *parameters = (part.strip().lower() for part in item.split(";"))
        if not any(parameter.startswith("q=") and not parameter[2:].strip("0.") for parameter in parameters):
            yield media_type


def _json_response(events: bytes) -> Iterator[Message]:
    # JSON contains no line end, so each message is one line.
    messages = [line.removeprefix(b"data: ") for line in events.splitlines() if line.startswith(b"data: ")]
    status, body = 200, messages[-1] if messages else b""
    if not messages:
        error = Rejected(503, "This server stopped before the request was complete, so its outcome is unknown.")
        status, body = error.status, bytes(error.response.body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    yield {"type": "http.response.start", "status": status, "headers": [*headers, (b"cache-control", b"no-store")]}
    yield {"type": "http.response.body", "body": body}
