"""Faults on demand, for whoever tests a client: off unless the sandbox was built with ``faults=True``.

A fault is a text of options: ``status=503; retry-after=2``. It comes with one request in the header
``X-Sandbox-Fault``, or waits in a schedule, where it meets the next request that it fits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import errors, floods
from .connection import RESET

HEADER: Final = "x-sandbox-fault"
CONTROL: Final = "/_sandbox/faults"
OPTIONS: Final = {
    "status": "answer with this status",
    "retry-after": "seconds, in the header Retry-After",
    "retry-after-date": "seconds from now, as an HTTP-date",
    "delay": "seconds to wait first",
    "applied": "let the request take effect before the fault",
    "reset": "reset the connection instead of answering",
    "lost": "let the request take effect, then reset: short for reset; applied",
    "reset-midway": "answer half, then reset",
    "truncated": "cut the JSON of the real answer in half",
    "wrong-types": "give every value of the real answer another JSON type",
    "html": "an HTML page instead of JSON",
    "redirect": "send the client to this URL",
    "huge": "a JSON answer of so many bytes, 50,000,000 by default",
    "gzip-bomb": "a small answer that unpacks to so many bytes, 100,000,000 by default",
    "trickle": "the real answer byte by byte, with so many seconds between, 1 by default",
    "method": "only meet a request with this method",
    "path": "only meet a request whose path contains this",
    "times": "meet so many requests, not one",
}
TRANSFORMING: Final = ("reset-midway", "truncated", "wrong-types", "trickle", "applied", "lost")
FLOODS: Final = ("huge", "gzip-bomb")
NUMBERS: Final = {"status", "retry-after-date", "delay", "huge", "gzip-bomb", "trickle", "times"}
CUT: Final = b'{"id": 1, "tit'


def parse(spelled: str) -> dict[str, str]:
    """The options of a fault. Raises ValueError for an option that does not exist, or wants a number."""
    pairs = (part.partition("=") for part in spelled.split(";") if part.strip())
    options = {name.strip(): value.strip() for name, _, value in pairs}
    unknown = options.keys() - OPTIONS.keys()
    if unknown:
        raise ValueError(f"unknown fault option {min(unknown)!r}; known: {', '.join(OPTIONS)}")
    for name in NUMBERS & options.keys():
        if options[name] or name not in TRANSFORMING + FLOODS:
            float(options[name])
    return options


@dataclass
class Answer:
    """What the app answered, in one piece."""

    status: int = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], tuple(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")

    def plain_headers(self) -> dict[str, str]:
        kept = Headers(raw=list(self.headers))
        return {name: value for name, value in kept.items() if name != "content-length"}


class Faults:
    """ASGI middleware. ``schedule`` is a list of faults, and may be changed at any time."""

    def __init__(self, app: ASGIApp, schedule: list[str], clock: Callable[[], datetime]) -> None:
        self.app, self.schedule, self.clock = app, schedule, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"].rstrip("/") == CONTROL:
            return await (await self.control(Request(scope, receive)))(scope, receive, send)
        try:
            options = self.choose(Request(scope))
        except ValueError as fault:
            return await PlainTextResponse(str(fault), 400)(scope, receive, send)
        await Faulty(self.app, options, self.clock)(scope, receive, send)

    def choose(self, request: Request) -> dict[str, str]:
        """The fault of this request: from its header, else the first of the schedule that it meets."""
        if HEADER in request.headers:
            return parse(request.headers[HEADER])
        for place, spelled in enumerate(self.schedule):
            options = parse(spelled)
            if meets(options, request):
                self._consume(place, options)
                return options
        return {}

    def _consume(self, place: int, options: Mapping[str, str]) -> None:
        left = int(options.get("times", "1")) - 1
        if left <= 0:
            del self.schedule[place]
        else:
            self.schedule[place] = "; ".join(f"{k}={v}" for k, v in {**options, "times": str(left)}.items())

    async def control(self, request: Request) -> Response:
        """GET shows the schedule, POST adds a JSON list of faults to it, DELETE empties it."""
        try:
            added = json.loads(await request.body()) if request.method == "POST" else []
            for spelled in added:
                parse(spelled)
        except (ValueError, AttributeError, TypeError) as fault:
            return PlainTextResponse(f"{fault}\n", 400)
        if request.method == "DELETE":
            self.schedule.clear()
        self.schedule.extend(added)
        return errors.answer(200, self.schedule)


def meets(options: Mapping[str, str], request: Request) -> bool:
    method, path = options.get("method"), options.get("path", "")
    return (method is None or method.upper() == request.method) and path in request.url.path


@dataclass
class Faulty:
    """One request under one fault."""

    app: ASGIApp
    options: Mapping[str, str]
    clock: Callable[[], datetime]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "delay" in self.options:
            await anyio.sleep(float(self.options["delay"]))
        if not self.options.keys() - {"delay", "method", "path", "times"}:
            return await self.app(scope, receive, send)
        answer = Answer()
        if self.options.keys() & set(TRANSFORMING):
            await self.app(scope, receive, answer.send)
        if self.options.keys() & {"reset", "lost"}:
            return await break_off(scope, receive)
        if "reset-midway" in self.options:
            return await self.half(answer, scope, receive, send)
        await self.response(answer)(scope, receive, send)

    async def half(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        content = answer.body or CUT
        headers = [*Headers(answer.plain_headers()).raw, (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        await break_off(scope, receive)

    def response(self, answer: Answer) -> Response:
        if "redirect" in self.options:
            return Response(None, int(self.options.get("status", 307)), {"location": self.options["redirect"]})
        if "html" in self.options:
            return HTMLResponse("<!doctype html><title>Please wait</title>", int(self.options.get("status", 200)))
        if "huge" in self.options:
            size = int(self.options["huge"] or 50_000_000)
            return StreamingResponse(floods.huge(size), media_type="application/json")
        if "gzip-bomb" in self.options:
            packed = floods.bomb(int(self.options["gzip-bomb"] or 100_000_000))
            return Response(packed, 200, {"content-encoding": "gzip"}, "application/json")
        return self.failure() if "status" in self.options else self.altered(answer)

    def failure(self) -> Response:
        status = int(self.options["status"])
        headers = {}
        if "retry-after" in self.options:
            headers["retry-after"] = self.options["retry-after"]
        if "retry-after-date" in self.options:
            headers["retry-after"] = http_date(
                self.clock() + timedelta(seconds=float(self.options["retry-after-date"]))
            )
        kind, code = ("throttled_error", "throttled") if status == 429 else (errors.SERVER, "error")
        return errors.refusal(status, kind, code, "A fault that was asked for.", headers=headers).response

    def altered(self, answer: Answer) -> Response:
        content, headers = answer.body, answer.plain_headers()
        if "trickle" in self.options:
            seconds = float(self.options["trickle"] or 1)
            return StreamingResponse(floods.trickle(content or CUT, seconds), answer.status, headers)
        if "wrong-types" in self.options:
            content = json.dumps(retyped(json.loads(content or b"{}"))).encode()
        if "truncated" in self.options:
            content = content[: len(content) // 2] or CUT
        return Response(content, answer.status, headers)


async def break_off(scope: Scope, receive: Receive) -> None:
    """Resets the connection, and waits until the server has noticed.

    In process there is no connection: then ConnectionResetError leaves the app.
    """
    if RESET not in scope:
        raise ConnectionResetError("The sandbox reset the connection, as it was asked to.")
    scope[RESET]()
    while (await receive())["type"] != "http.disconnect":
        pass


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def retyped(value: Any) -> Any:
    """The same structure with every leaf of another type, and the outermost object kept."""
    if isinstance(value, dict):
        return {name: _other(found) for name, found in value.items()}
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return {"0": value[0]} if value else {}
    return [] if isinstance(value, dict) else str(value)
