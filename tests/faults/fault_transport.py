"""A transport to the sandbox that injects one fault into each request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
from starlette.types import ASGIApp

from ..asgi import ResetTransport

Change = Callable[[httpx2.Request, httpx2.Response], httpx2.Response]

# Faults that the sandbox produces. With `applied` and `lost` the request takes effect first.
SANDBOX_FAULTS = (
    "status=429; retry-after=1",
    "status=429; retry-after-date=2",
    "status=429; retry-after=3600",
    "status=429",
    "status=500",
    "status=500; applied",
    "status=502; applied",
    "status=503; retry-after=2; applied",
    "status=504; applied",
    "status=520; applied",
    "status=401",
    "status=402",
    "status=403",
    "status=404",
    "status=405",
    "status=409",
    "status=418",
    "reset",
    "lost",
    "reset-midway",
    "truncated",
    "wrong-types",
    "html",
    "html; status=502",
    "redirect=https://elsewhere.example/",
    "redirect=https://elsewhere.example/; status=302; applied",
    "huge=5000000",
    "gzip-bomb=6000000",
    "delay=1",
    "delay=20",
    "delay=31",
    "delay=40; lost",
    "trickle=1",
)


def _refuse(body: Callable[[httpx2.Request], Any]) -> Change:
    return lambda request, _: httpx2.Response(400, json=body(request), request=request)


def _replace_body(change: Callable[[bytes], bytes]) -> Change:
    return lambda request, real: httpx2.Response(real.status_code, content=change(real.content), request=request)


def _quote(request: httpx2.Request) -> str:
    """Return the headers and the body of a request behind 280 other characters."""
    return "x" * 280 + " ".join([*request.headers.values(), request.content.decode()])


def _echo(request: httpx2.Request, real: httpx2.Response) -> httpx2.Response:
    try:
        fields = json.loads(real.content)
    except ValueError:
        fields = {}
    echoed = {name: _quote(request)[280:] for name in ("title", "note", "first_name", "skin")}
    return httpx2.Response(real.status_code, json={**fields, **echoed}, request=request)


REFUSALS: dict[str, Change] = {
    "refused, quoting the request": _refuse(lambda request: {"code": _quote(request)[270:], "detail": _quote(request)}),
    "refused in an older form, quoting the request": _refuse(lambda request: {"error": _quote(request)[280:]}),
    "refused, with fields of other types": _refuse(lambda _: {"code": 5, "attr": ["x"], "detail": {"a": 1}}),
}
CHANGED_RESPONSES: dict[str, Change] = {
    "success, quoting the request": _echo,
    "NaN": _replace_body(lambda _: b'{"id": NaN, "count": Infinity, "results": []}'),
    "1e999": _replace_body(lambda _: b'{"id": 1e999, "results": [], "count": 0}'),
    "nested too deeply": _replace_body(lambda _: b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "nested deeply": _replace_body(lambda _: b'{"id":' + b"[" * 200 + b"]" * 200 + b"}"),
    "a huge number": _replace_body(lambda _: b'{"id": ' + b"9" * 4000 + b', "results": [], "count": 1}'),
    "a number that is too long": _replace_body(lambda _: b'{"id": ' + b"9" * 9000 + b"}"),
    "lone surrogates": _replace_body(lambda real: real.replace(b'"', b'"\\ud800', 3) if real else b'"\\ud800"'),
    "not UTF-8": _replace_body(lambda _: b'{"id": 1, "title": "\xff\xfe"}'),
    "a list": _replace_body(lambda _: b"[1]"),
    "an empty body": _replace_body(lambda _: b""),
}
NOT_SENT: dict[str, type[httpx2.TransportError]] = {
    "connection refused": httpx2.ConnectError,
    "connection timeout": httpx2.ConnectTimeout,
    "no free connection": httpx2.PoolTimeout,
}
LOST_RESPONSES: dict[str, type[httpx2.TransportError]] = {
    "connection broken after the request took effect": httpx2.RemoteProtocolError,
    "response not read to the end": httpx2.ReadError,
}
FAULTS = (*SANDBOX_FAULTS, *REFUSALS, *CHANGED_RESPONSES, *NOT_SENT, *LOST_RESPONSES)


class FaultTransport(httpx2.AsyncBaseTransport):
    """A transport to the sandbox `app`. Each request meets the next of `faults`, which `injected` then contains."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.faults: list[str] = []
        self.injected: list[str] = []
        self.open_requests = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == "sandbox.invalid", f"a redirect to {request.url} was followed"
        fault = self.faults.pop(0) if self.faults else ""
        self.injected.append(fault)
        self.open_requests += 1
        try:
            return await self._respond(request, fault)
        finally:
            self.open_requests -= 1

    async def _respond(self, request: httpx2.Request, fault: str) -> httpx2.Response:
        if fault in NOT_SENT:
            raise NOT_SENT[fault]("injected fault", request=request)
        if fault in REFUSALS:
            return REFUSALS[fault](request, httpx2.Response(200))
        if fault in SANDBOX_FAULTS:
            request.headers["X-Sandbox-Fault"] = fault
        assert self.app is not None
        response = await ResetTransport(self.app).handle_async_request(request)
        if fault in LOST_RESPONSES:
            raise LOST_RESPONSES[fault]("injected fault", request=request)
        if fault in CHANGED_RESPONSES:
            await response.aread()
            return CHANGED_RESPONSES[fault](request, response)
        return response
