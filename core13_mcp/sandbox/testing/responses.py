"""The responses of a request under a fault."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final

import anyio
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..responses import error_body, json_response
from .connections import RESET
from .errors import ERRORS

# Faults that apply the request before they change or drop its response.
TRANSFORMING: Final = {"reset-midway", "truncated", "wrong-types", "trickle", "applied", "lost", "wrong-state"}
# Options that do not change the response.
NEUTRAL: Final = {"delay", "method", "path", "times"}
TRUNCATED_JSON: Final = b'{"id": 1, "tit'
CHUNK_SIZE: Final = 65_536


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
        real = Response(None, 500)
        if names & TRANSFORMING:
            real = await real_response(self.app, scope, receive)
        if names & {"reset", "lost"}:
            return await reset(scope, receive)
        if "reset-midway" in names:
            await send({"type": "http.response.start", "status": real.status_code, "headers": real.raw_headers})
            await send({"type": "http.response.body", "body": first_half(bytes(real.body)), "more_body": True})
            return await reset(scope, receive)
        await self._response(Request(scope), real)(scope, receive, send)

    def _response(self, request: Request, real: Response) -> Response:
        options = self.options
        if "redirect" in options:
            return Response(None, int(options.get("status", 307)), {"location": options["redirect"]})
        if "redirect-error" in options:
            return redirect_with_error(request, options["redirect-error"])
        if "html" in options:
            return HTMLResponse("<!doctype html><title>Please wait</title>", int(options.get("status", 200)))
        if "huge" in options:
            return StreamingResponse(huge_json(int(options["huge"])), media_type="application/json")
        if "gzip-bomb" in options:
            packed = gzip_bomb(int(options["gzip-bomb"]))
            return Response(packed, 200, {"content-encoding": "gzip"}, "application/json")
        return self._error() if options.keys() & {"status", "error"} else self._transform(real)

    def _error(self) -> Response:
        named = ERRORS.get(self.options.get("error", ""))
        status, headers = named.status if named else int(self.options["status"]), {}
        if "retry-after" in self.options:
            headers["retry-after"] = self.options["retry-after"]
        if "retry-after-date" in self.options:
            date = self.clock() + timedelta(seconds=float(self.options["retry-after-date"]))
            headers["retry-after"] = format_datetime(date, usegmt=True)
        body = named.body() if named else error_body(429 if status == 429 else 500, "This is an injected fault.")
        return json_response(status, body, headers)

    def _transform(self, real: Response) -> Response:
        content, headers = bytes(real.body), {**real.headers}
        headers.pop("content-length", None)
        if "wrong-state" in self.options and "location" in headers:
            headers["location"] = str(URL(headers["location"]).include_query_params(state="wrong"))
        if "trickle" in self.options:
            chunks = trickle(content or TRUNCATED_JSON, float(self.options["trickle"]))
            return StreamingResponse(chunks, real.status_code, headers)
        if "wrong-types" in self.options:
            content = json.dumps(change_types(json.loads(content or b"{}"))).encode()
        if "truncated" in self.options:
            content = first_half(content)
        return Response(content, real.status_code, headers)


def redirect_with_error(request: Request, error: str) -> Response:
    """Send the browser back to the client of an authorization request."""
    query = {"error": error, "state": request.query_params.get("state", "")}
    return RedirectResponse(URL(request.query_params.get("redirect_uri", "")).include_query_params(**query), 302)


def first_half(content: bytes) -> bytes:
    return content[: len(content) // 2] or TRUNCATED_JSON


async def real_response(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """The complete response of the application."""
    start: Message = {"status": 500, "headers": []}
    body = bytearray()

    async def send(message: Message) -> None:
        start.update(message)
        body.extend(message.get("body", b""))

    await app(scope, receive, send)
    response = Response(bytes(body), start["status"])
    response.raw_headers = start["headers"]
    return response


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


async def huge_json(size: int) -> AsyncIterator[bytes]:
    """Valid JSON of exactly `size` bytes."""
    start, end = b'{"results":["', b'"]}'
    yield start
    for remaining in range(size - len(start) - len(end), 0, -CHUNK_SIZE):
        yield b"x" * min(CHUNK_SIZE, remaining)
    yield end


@lru_cache(maxsize=2)
def gzip_bomb(size: int) -> bytes:
    """Gzip data that unpacks to JSON of at least `size` bytes, a thousand times its own size."""
    return zlib.compress(b"[" + b" " * size + b"]", 9, wbits=31)


async def trickle(content: bytes, seconds: float) -> AsyncIterator[bytes]:
    """The content byte by byte, with a pause after each one."""
    for byte in content:
        yield bytes([byte])
        await anyio.sleep(seconds)


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
