"""An API that answers what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
from pydantic import SecretStr

from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.exchange import CallState
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import ToolError
from core13_mcp.pipeline.call import CallContext, execute

KEY = "phx_scripted0000000000000000000000"
ORIGIN = "https://api.example"

Reply = Callable[[httpx2.Request], httpx2.Response]


def reply(status: int = 200, body: Any = None, **headers: str) -> Reply:
    """An answer: `body` is JSON, or bytes as they are."""
    content = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx2.Response(status, headers=named, **content)


def silence(error: type[httpx2.RequestError]) -> Reply:
    """No answer at all."""

    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error("as the test wants it", request=request)

    return fail


class Api(httpx2.MockTransport):
    """Gives one answer after the other, and the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.asked: list[httpx2.Request] = []
        self._replies = list(replies)
        super().__init__(self._reply)

    def _reply(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return (self._replies.pop(0) if len(self._replies) > 1 else self._replies[0])(request)

    @property
    def lines(self) -> list[str]:
        """Every request so far as method and target."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.asked]


def upstream(api: httpx2.AsyncBaseTransport, **over: Any) -> APIClient:
    return APIClient(ORIGIN, transport=api, **over)


def caller(api: httpx2.AsyncBaseTransport, **over: Any) -> CallContext:
    """Somebody with a key and no login session."""
    credentials = over.pop("credentials", Credentials(SecretStr(KEY)))
    return CallContext(upstream=upstream(api), credentials=credentials, **over)


async def result(tool: Declaration, api: Api, /, *, ask: Any = None, timeout: float = 30.0, **arguments: Any) -> Any:
    """What one call gives."""
    return (await execute(tool, arguments, caller(api), CallState(timeout), ask)).value


async def error(tool: Declaration, api: Api, /, **arguments: Any) -> ToolError:
    """What one call that must fail fails with."""
    try:
        found = await result(tool, api, **arguments)
    except ToolError as failed:
        return failed
    raise AssertionError(f"it did not fail: {found}")
