"""The responses of a request under a fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import anyio
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..responses import error_body, json_response
from .connections import RESET
from .oversized import gzip_bomb, huge_json, trickle

# Faults that apply the request before they change or drop its response.
TRANSFORMING: Final = ("reset-midway", "truncated", "wrong-types", "trickle", "applied", "lost")
# Options that do not change the response.
NEUTRAL: Final = {"delay", "method", "path", "times"}
TRUNCATED_JSON: Final = b'{"id": 1, "tit'


@dataclass
class RealResponse:
    """The complete response of the application."""

    status: int = 500
    raw_headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    async def send(self, message: Message) -> None:
        """Collect a message that the application sends."""
        if message["type"] == "http.response.start":
            self.status, self.raw_headers = message["status"], tuple(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")

    @property
    def headers(self) -> dict[str, str]:
        """The headers without Content-Length."""
        headers = Headers(raw=list(self.raw_headers))
        return {name: value for name, value in headers.items() if name != "content-length"}


@dataclass(frozen=True)
class FaultyRequest:
    """An ASGI application that handles one request under a fault."""

    app: ASGIApp
    options: Mapping[str, str]
    clock: Callable[[], datetime]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = self.options.keys()
        if "delay" in names:
            await anyio.sleep(float(self.options["delay"]))
        if not names - NEUTRAL:
            return await self.app(scope, receive, send)
        real = RealResponse()
        if names & set(TRANSFORMING):
            await self.app(scope, receive, real.send)
        if names & {"reset", "lost"}:
            return await reset(scope, receive)
        if "reset-midway" in names:
            await send_half(real, send)
            return await reset(scope, receive)
        await self._response(real)(scope, receive, send)

    def _response(self, real: RealResponse) -> Response:
        options = self.options
        if "redirect" in options:
            return Response(None, int(options.get("status", 307)), {"location": options["redirect"]})
        if "html" in options:
            return HTMLResponse("<!doctype html><title>Please wait</title>", int(options.get("status", 200)))
        if "huge" in options:
            return StreamingResponse(huge_json(int(options["huge"] or 50_000_000)), media_type="application/json")
        if "gzip-bomb" in options:
            packed = gzip_bomb(int(options["gzip-bomb"] or 100_000_000))
            return Response(packed, 200, {"content-encoding": "gzip"}, "application/json")
        return self._error() if "status" in options else self._transform(real)

    def _error(self) -> Response:
        status, headers = int(self.options["status"]), {}
        if "retry-after" in self.options:
            headers["retry-after"] = self.options["retry-after"]
        if "retry-after-date" in self.options:
            date = self.clock() + timedelta(seconds=float(self.options["retry-after-date"]))
            headers["retry-after"] = format_datetime(date, usegmt=True)
        body = error_body(429 if status == 429 else 500, "This is an injected fault.")
        return json_response(status, body, headers)

    def _transform(self, real: RealResponse) -> Response:
        content = real.body
        if "trickle" in self.options:
            chunks = trickle(content or TRUNCATED_JSON, float(self.options["trickle"] or 1))
            return StreamingResponse(chunks, real.status, real.headers)
        if "wrong-types" in self.options:
            content = json.dumps(change_types(json.loads(content or b"{}"))).encode()
        if "truncated" in self.options:
            content = content[: len(content) // 2] or TRUNCATED_JSON
        return Response(content, real.status, real.headers)


async def send_half(real: RealResponse, send: Send) -> None:
    """Send the headers and the first half of the body."""
    content = real.body or TRUNCATED_JSON
    headers = Headers(real.headers | {"content-length": str(len(content))})
    await send({"type": "http.response.start", "status": real.status, "headers": headers.raw})
    await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection and wait until the server has noticed.

    Raises:
        ConnectionResetError: The application runs in process, where there is no connection.
    """
    if RESET not in scope:
        raise ConnectionResetError("The sandbox reset the connection, as requested.")
    scope[RESET]()
    while (await receive())["type"] != "http.disconnect":
        pass


def change_types(value: Any) -> Any:
    """Give every value of an object another JSON type; keep the object itself."""
    if isinstance(value, dict):
        return {name: _other_type(item) for name, item in value.items()}
    return _other_type(value)


def _other_type(value: Any) -> Any:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return {"0": value[0]} if value else {}
    return [] if isinstance(value, dict) else str(value)
