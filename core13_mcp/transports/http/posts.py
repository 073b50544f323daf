"""The body of a POST request: its limits and its message."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
from mcp_types import JSONRPCMessage
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from ..jsonrpc import MessageError, parse_message
from .accept import is_event_stream, sdk_scope
from .errors import Rejected
from .limits import LimitOptions, OpenRequest


@dataclass(slots=True)
class PostedMessage:
    """A message with its body, and the ASGI scope with which the SDK handles it."""

    message: JSONRPCMessage
    body: bytes
    scope: Scope
    _receive: Receive
    _is_received: bool = False

    @classmethod
    async def read(cls, request: Request, options: LimitOptions) -> PostedMessage:
        """Read the message of a request.

        Raises:
            Rejected: The body is too long, arrives too slowly, or is not a message.
        """
        body = await _read_body(request, options)
        try:
            message = parse_message(body)
        except MessageError as error:
            raise Rejected.for_message(error) from None
        return cls(message, body, sdk_scope(request.scope), request.receive)

    async def receive(self) -> Message:
        """Return the body, and then what the client sends after it."""
        if self._is_received:
            return await self._receive()
        self._is_received = True
        return {"type": "http.request", "body": self.body, "more_body": False}


def finish_before_writing(open_request: OpenRequest, send: Send) -> Send:
    """Wrap `send` so that a request is not open any more while its response is written.

    An event stream starts before the work is done. `RequestRunner` finishes its request.
    """

    async def send_after_finish(message: Message) -> None:
        if message["type"] == "http.response.start" and not is_event_stream(message):
            open_request.finish()
        await send(message)

    return send_after_finish


def reject_other_bodies(request: Request) -> None:
    """Raise `Rejected` if the body is not JSON, or compressed."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Rejected(415, "Send a JSON-RPC message with `Content-Type: application/json`.", {"Connection": "close"})
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        message = (
            f"This server does not decode request bodies with the encoding {coding[:40]}. Send the body uncompressed."
        )
        raise Rejected(415, message, {"Accept-Encoding": "identity", "Connection": "close"})


async def _read_body(request: Request, options: LimitOptions) -> bytes:
    body = bytearray()
    # The rest of a rejected body would be read as the next request, so the connection is closed.
    close = {"Connection": "close"}
    too_long = Rejected(413, f"The request body has more than {options.max_body} bytes.", close)
    if int(request.headers.get("Content-Length", 0)) > options.max_body:
        raise too_long
    with anyio.move_on_after(options.body_timeout):
        async for chunk in request.stream():
            body += chunk
            if len(body) > options.max_body:
                raise too_long
        return bytes(body)
    message = f"The request body did not arrive within {options.body_timeout:g} s. Send the request again."
    raise Rejected(408, message, close)
