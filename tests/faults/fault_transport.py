"""The faults that one request can meet on its way to the sandbox and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
from starlette.types import ASGIApp

from ..asgi import ResetTransport

BY_SANDBOX = (
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
"""What the sandbox does when asked; `applied` and `lost` let the request take effect first."""


def _refused(body: Any) -> Callable[[httpx2.Request, httpx2.Response], httpx2.Response]:
    return lambda request, _: httpx2.Response(400, json=body(request), request=request)


def _altered(change: Callable[[bytes], bytes]) -> Callable[[httpx2.Request, httpx2.Response], httpx2.Response]:
    return lambda request, real: httpx2.Response(real.status_code, content=change(real.content), request=request)


def _quoting(request: httpx2.Request) -> str:
    return "x" * 280 + " ".join([*request.headers.values(), request.content.decode()])


def _echo(request: httpx2.Request, real: httpx2.Response) -> httpx2.Response:
    try:
        said = json.loads(real.content)
    except ValueError:
        said = {}
    echoed = {name: _quoting(request)[280:] for name in ("title", "note", "first_name", "skin")}
    return httpx2.Response(real.status_code, json={**said, **echoed}, request=request)


BY_ANSWER: dict[str, Callable[[httpx2.Request, httpx2.Response], httpx2.Response]] = {
    "refused, quoting the request": _refused(
        lambda request: {"code": _quoting(request)[270:], "detail": _quoting(request)}
    ),
    "refused by hand, quoting the request": _refused(lambda request: {"error": _quoting(request)[280:]}),
    "refused, with a field of another type": _refused(lambda _: {"code": 5, "attr": ["x"], "detail": {"a": 1}}),
    "answered, quoting the request": _echo,
    "NaN": _altered(lambda _: b'{"id": NaN, "count": Infinity, "results": []}'),
    "1e999": _altered(lambda _: b'{"id": 1e999, "results": [], "count": 0}'),
    "nested too deeply": _altered(lambda _: b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "nested deeply": _altered(lambda _: b'{"id":' + b"[" * 200 + b"]" * 200 + b"}"),
    "a huge number": _altered(lambda _: b'{"id": ' + b"9" * 4000 + b', "results": [], "count": 1}'),
    "a number too long": _altered(lambda _: b'{"id": ' + b"9" * 9000 + b"}"),
    "half a character": _altered(lambda real: real.replace(b'"', b'"\\ud800', 3) if real else b'"\\ud800"'),
    "not UTF-8": _altered(lambda _: b'{"id": 1, "title": "\xff\xfe"}'),
    "a list": _altered(lambda _: b"[1]"),
    "nothing": _altered(lambda _: b""),
}
"""What happens to the real answer of a request that took effect, or to one that did not where it is refused."""

NEVER_SENT: dict[str, type[httpx2.TransportError]] = {
    "no connection": httpx2.ConnectError,
    "no connection in time": httpx2.ConnectTimeout,
    "the proxy refuses": httpx2.ProxyError,
}
BROKEN: dict[str, type[httpx2.TransportError]] = {
    "broken off after it took effect": httpx2.RemoteProtocolError,
    "not read to the end": httpx2.ReadError,
}
FAULTS = (*BY_SANDBOX, *BY_ANSWER, *NEVER_SENT, *BROKEN)


class Faulty(httpx2.AsyncBaseTransport):
    """A transport to whatever sandbox is set, one fault for each request while there are any."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.faults: list[str] = []
        self.met: list[str] = []
        self.open = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The sandbox's answer, or what the next fault makes of it."""
        assert self.app is not None and request.url.host == "sandbox.invalid", f"followed to {request.url}"
        fault = self.faults.pop(0) if self.faults else ""
        self.met.append(fault)
        self.open += 1
        try:
            return await self._answer(request, fault)
        finally:
            self.open -= 1

    async def _answer(self, request: httpx2.Request, fault: str) -> httpx2.Response:
        if fault in NEVER_SENT:
            raise NEVER_SENT[fault]("raised by the fake API", request=request)
        if fault.startswith("refused"):
            return BY_ANSWER[fault](request, httpx2.Response(200))
        if fault in BY_SANDBOX:
            request.headers["X-Sandbox-Fault"] = fault
        assert self.app is not None
        real = await ResetTransport(self.app).handle_async_request(request)
        if fault in BROKEN:
            raise BROKEN[fault]("raised by the fake API", request=request)
        if fault in BY_ANSWER:
            await real.aread()
            return BY_ANSWER[fault](request, real)
        return real
