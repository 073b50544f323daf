"""The real server between a real MCP client and a sandbox under faults, on a clock that does not wait."""

from __future__ import annotations

import asyncio
import io
import logging
import math
from contextlib import redirect_stderr
from typing import Any, Literal, Self

import mcp_types as types
from mcp import Client

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.compose.engine import SANDBOX_ORIGIN
from core13_mcp.declarations.catalog import load
from core13_mcp.keys import SecretStr
from core13_mcp.logs import configure_logging
from core13_mcp.pipeline.call import CallContext
from core13_mcp.server.handlers import build_server

from .fault_transport import Faulty
from .virtual_clock import VirtualClockLoop

Era = Literal["auto", "legacy"]
SECRETS = (sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)
TABLES = ("subscription", "sharing", "share_password", "person", "membership", "outbox")
BUDGET = 40_000

Counts = dict[str, int]


class Bench:
    """One server and one client, used for many calls; each call meets a fresh sandbox."""

    def __init__(self, era: Era, form: str = "json") -> None:
        self.era = era
        self.wire = Faulty()
        self.agrees = True
        self.added: Counts = {}
        self.logged = io.StringIO()
        with redirect_stderr(self.logged):
            configure_logging("debug", form, SECRETS)
        self._ended = asyncio.Event()
        self.runner = asyncio.Runner(loop_factory=VirtualClockLoop)
        self.client: Client = self.runner.run(self._open())

    def close(self) -> None:
        """End the server, and the log that it wrote."""
        self.runner.run(self._close())
        self.runner.close()
        logging.getLogger().handlers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self, name: str, arguments: dict[str, Any], faults: list[str], cancel_after: float = math.inf
    ) -> tuple[types.CallToolResult | None, Counts]:
        """The result of one call in a fresh sandbox, None where it was cancelled, and how many rows it added."""
        app = sandbox.build(faults=True, throttle=False)
        self.wire.app, self.wire.faults, self.wire.met = app, list(faults), []
        self.logged.seek(0)
        self.logged.truncate()
        before = _counts(app)
        result = self.runner.run(self._call(name, arguments, cancel_after))
        after = _counts(app)
        app.state.close()
        self.added = {table: after[table] - before[table] for table in after}
        return result, self.added

    async def _call(self, name: str, arguments: dict[str, Any], cancel_after: float) -> types.CallToolResult | None:
        task = asyncio.create_task(self.client.call_tool(name, arguments))
        done, _ = await asyncio.wait([task], timeout=None if math.isinf(cancel_after) else cancel_after)
        if not done:
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0.1)  # of the clock that does not wait: the server hears of it
            return None
        return task.result()

    async def _open(self) -> Client:
        opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(opened))
        return await opened

    async def _serve(self, opened: asyncio.Future[Client]) -> None:
        credentials = Credentials(*map(SecretStr, SECRETS))
        async with APIClient(SANDBOX_ORIGIN, transport=self.wire) as upstream:
            caller = CallContext(client=upstream, credentials=credentials, max_result_chars=BUDGET)
            server = build_server(load(), lambda _: caller, "")
            async with Client(server, mode=self.era, elicitation_callback=self._asked) as client:
                opened.set_result(client)
                await self._ended.wait()

    async def _close(self) -> None:
        self._ended.set()
        await self._task

    async def _asked(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        return types.ElicitResult(action="accept" if self.agrees else "decline", content={})


def _counts(app: Any) -> Counts:
    return {table: app.state.rows(table) for table in TABLES}
