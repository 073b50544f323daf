"""A fake API that returns prepared responses and records the requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.retry import RetryPolicy
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import ToolError
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.approval import Channel
from core13_mcp.pipeline.call import CallContext, prepare
from core13_mcp.pipeline.execution import Execution

KEY = "phx_scripted0000000000000000000000"
ORIGIN = "https://api.example"

# Retries at once, unless the API asks for a delay.
NO_DELAY = RetryPolicy(uniform=lambda *_: 0.0)

Reply = Callable[[httpx2.Request], httpx2.Response]


def reply(status: int = 200, body: Any = None, **headers: str) -> Reply:
    """Return a response. `body` is a JSON value, or bytes that are sent unchanged."""
    content = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx2.Response(status, headers=headers, **content)


def fail_with(error: type[httpx2.RequestError]) -> Reply:
    """Raise a transport error instead of a response."""

    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error("raised by the fake API", request=request)

    return fail


class FakeAPI(httpx2.MockTransport):
    """A transport that returns one prepared reply after another, then repeats the last one."""

    def __init__(self, *replies: Reply) -> None:
        self.requests: list[httpx2.Request] = []
        self._replies = list(replies)
        super().__init__(self._reply)

    def _reply(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return (self._replies.pop(0) if len(self._replies) > 1 else self._replies[0])(request)

    @property
    def request_lines(self) -> list[str]:
        """Method and target of each request so far."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def api_client(api: httpx2.AsyncBaseTransport, **options: Any) -> APIClient:
    return APIClient(ORIGIN, transport=api, **{"retry_policy": NO_DELAY, **options})


def call_context(api: httpx2.AsyncBaseTransport, **options: Any) -> CallContext:
    """A context with an API key and without a login session."""
    credentials = options.pop("credentials", Credentials(SecretStr(KEY)))
    return CallContext(client=api_client(api), credentials=credentials, **options)


async def call_value(
    tool: Declaration,
    api: FakeAPI,
    /,
    *,
    ask: Any = "client",
    confirm: Any = "auto",
    timeout: float = 30.0,
    **arguments: Any,
) -> Any:
    """Call a tool and return the value of its result."""
    call = prepare(tool, arguments, call_context(api, timeout=timeout, confirm=confirm))
    return (await Execution(call, Channel(ask)).run()).value


async def call_error(tool: Declaration, api: FakeAPI, /, **arguments: Any) -> ToolError:
    """Call a tool and return its error.

    Raises:
        AssertionError: The call succeeds.
    """
    try:
        value = await call_value(tool, api, **arguments)
    except ToolError as error:
        return error
    raise AssertionError(f"the call succeeded: {value}")
