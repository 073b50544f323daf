"""Inject faults into responses, so that clients can be tested.

A fault is a string of options, such as `status=503; retry-after=2`. A request carries it in the header
`X-Sandbox-Fault`. A fault in the schedule waits for the first request that it matches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..responses import json_response
from .responses import TRANSFORMING, FaultyRequest

HEADER: Final = "x-sandbox-fault"
CONTROL_PATH: Final = "/_sandbox/faults"
OPTIONS: Final = {
    "status": "respond with this status",
    "retry-after": "seconds, in the header Retry-After",
    "retry-after-date": "seconds from now, as an HTTP date in the header Retry-After",
    "delay": "seconds to wait first",
    "applied": "apply the request before the fault",
    "reset": "reset the connection without a response",
    "lost": "apply the request, then reset; the same as reset; applied",
    "reset-midway": "apply the request, send half of the response, then reset",
    "truncated": "cut the JSON of the real response in half",
    "wrong-types": "give every value of the real response another JSON type",
    "html": "an HTML page instead of JSON",
    "redirect": "redirect to this URL",
    "huge": "JSON of this many bytes, 50,000,000 by default",
    "gzip-bomb": "a small response that unpacks to this many bytes, 100,000,000 by default",
    "trickle": "the real response byte by byte, with this many seconds between, 1 by default",
    "method": "match only requests with this method",
    "path": "match only requests with this text in the path",
    "times": "match this many requests, 1 by default",
}
# Options with a number. The number is optional where the option also has a default.
NUMBERS: Final = {"status", "retry-after-date", "delay", "huge", "gzip-bomb", "trickle", "times"}
OPTIONAL_NUMBERS: Final = (*TRANSFORMING, "huge", "gzip-bomb")


def parse(fault: str) -> dict[str, str]:
    """Return the options of a fault.

    Raises:
        ValueError: An option does not exist, or requires a number.
    """
    pairs = (part.partition("=") for part in fault.split(";") if part.strip())
    options = {name.strip(): value.strip() for name, _, value in pairs}
    unknown = options.keys() - OPTIONS.keys()
    if unknown:
        raise ValueError(f"Unknown fault option {min(unknown)!r}. The options are: {', '.join(OPTIONS)}.")
    for name in NUMBERS & options.keys():
        if options[name] or name not in OPTIONAL_NUMBERS:
            float(options[name])
    return options


class FaultMiddleware:
    """ASGI middleware that injects faults. The caller may change the list `schedule` at any time."""

    def __init__(self, app: ASGIApp, schedule: list[str], clock: Callable[[], datetime]) -> None:
        self.app, self.schedule, self.clock = app, schedule, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"].rstrip("/") == CONTROL_PATH:
            return await (await self._control(Request(scope, receive)))(scope, receive, send)
        try:
            options = self._choose(Request(scope))
        except ValueError as error:
            return await PlainTextResponse(str(error), 400)(scope, receive, send)
        await FaultyRequest(self.app, options, self.clock)(scope, receive, send)

    def _choose(self, request: Request) -> dict[str, str]:
        """The fault in the header of a request, else the first in the schedule that matches it."""
        if HEADER in request.headers:
            return parse(request.headers[HEADER])
        for index, fault in enumerate(self.schedule):
            options = parse(fault)
            if _matches(options, request):
                self._consume(index, options)
                return options
        return {}

    def _consume(self, index: int, options: Mapping[str, str]) -> None:
        remaining = int(options.get("times", "1")) - 1
        if remaining <= 0:
            del self.schedule[index]
        else:
            rest = {**options, "times": str(remaining)}
            self.schedule[index] = "; ".join(f"{name}={value}" for name, value in rest.items())

    async def _control(self, request: Request) -> Response:
        """GET returns the schedule, POST appends a JSON list of faults, DELETE clears it."""
        try:
            faults = json.loads(await request.body()) if request.method == "POST" else []
            for fault in faults:
                parse(fault)
        except (ValueError, AttributeError, TypeError) as error:
            return PlainTextResponse(f"{error}\n", 400)
        if request.method == "DELETE":
            self.schedule.clear()
        self.schedule.extend(faults)
        return json_response(200, self.schedule)


def _matches(options: Mapping[str, str], request: Request) -> bool:
    method, path = options.get("method"), options.get("path", "")
    return (method is None or method.upper() == request.method) and path in request.url.path
