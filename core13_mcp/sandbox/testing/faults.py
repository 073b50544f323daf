"""Inject faults into responses, so that clients can be tested.

A fault is a string of options, such as `status=503; retry-after=2`; the README describes the options. A request
carries it in the header `X-Sandbox-Fault`. A fault in the schedule waits for the first request that it matches.
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
from .errors import ERRORS
from .responses import FaultyRequest

HEADER: Final = "x-sandbox-fault"
CONTROL_PATH: Final = "/_sandbox/faults"
OPTIONS: Final = (
    "status", "error", "retry-after", "retry-after-date", "delay", "applied", "reset", "lost", "reset-midway", "truncated",
    "wrong-types", "html", "redirect", "huge", "gzip-bomb", "trickle", "method", "path", "times",
    "redirect-error", "wrong-state",
)  # fmt: skip
NUMBERS: Final = {"status", "retry-after-date", "delay", "huge", "gzip-bomb", "trickle", "times"}
# The number of an option that is sent without one.
DEFAULTS: Final = {"huge": "50000000", "gzip-bomb": "100000000", "trickle": "1"}


def parse(fault: str) -> dict[str, str]:
    """Return the options of a fault.

    Raises:
        ValueError: An option or a named error does not exist, or an option requires a number.
    """
    pairs = (part.partition("=") for part in fault.split(";") if part.strip())
    options = {name.strip(): value.strip() or DEFAULTS.get(name.strip(), "") for name, _, value in pairs}
    unknown = options.keys() - set(OPTIONS)
    if unknown:
        raise ValueError(f"Unknown fault option {min(unknown)!r}. The options are: {', '.join(OPTIONS)}.")
    for name in NUMBERS & options.keys():
        float(options[name])
    if options.get("error", "ai-credits") not in ERRORS:
        raise ValueError(f"Unknown error {options['error']!r}. The errors are: {', '.join(ERRORS)}.")
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

    def _choose(self, request: Request) -> Mapping[str, str]:
        """The fault in the header of a request, else the first in the schedule that matches it."""
        if HEADER in request.headers:
            return parse(request.headers[HEADER])
        for index, fault in enumerate(self.schedule):
            options = parse(fault)
            method = options.get("method", request.method).upper()
            if method == request.method and options.get("path", "") in request.url.path:
                remaining = {**options, "times": str(int(options.get("times", "1")) - 1)}
                rest = "; ".join(f"{name}={value}" for name, value in remaining.items())
                self.schedule[index : index + 1] = [rest] if int(remaining["times"]) > 0 else []
                return options
        return {}

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
