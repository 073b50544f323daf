"""The real server between an MCP client and a sandbox with faults, on a virtual clock."""

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

from .fault_transport import FaultTransport
from .virtual_clock import VirtualClockLoop

Mode = Literal["auto", "legacy"]
SECRETS = (sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)
TABLES = ("subscription", "sharing", "share_password", "person", "membership", "outbox")
MAX_RESULT_CHARS = 40_000

RowCounts = dict[str, int]


class Harness:
    """One server and one client for many calls, each with a new sandbox.

    After a call, `added` are the rows that it added to each table, and `log` is what the server logged. The person
    accepts every confirmation if `accepts` is true.
    """

    def __init__(self, mode: Mode, log_format: str = "json") -> None:
        self.transport = FaultTransport()
        self.accepts = True
        self.added: RowCounts = {}
        self.log = io.StringIO()
        self._mode = mode
        with redirect_stderr(self.log):
            configure_logging("debug", log_format, SECRETS)
        self._closing = asyncio.Event()
        self._runner = asyncio.Runner(loop_factory=VirtualClockLoop)
        self._client: Client = self._runner.run(self._open())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._runner.run(asyncio.wait_for(self._task, None))
        self._runner.close()
        logging.getLogger().handlers.clear()

    def call(
        self, name: str, arguments: dict[str, Any], faults: list[str], cancel_after: float = math.inf
    ) -> types.CallToolResult | None:
        """Call a tool with a new sandbox. Return the result, or None if the call was cancelled."""
        app = sandbox.build(faults=True, throttle=False)
        self.transport.app, self.transport.faults, self.transport.injected = app, list(faults), []
        self.log.seek(0)
        self.log.truncate()
        before = _row_counts(app)
        result = self._runner.run(self._call(name, arguments, cancel_after))
        after = _row_counts(app)
        app.state.close()
        self.added = {table: after[table] - before[table] for table in after}
        return result

    async def _call(self, name: str, arguments: dict[str, Any], cancel_after: float) -> types.CallToolResult | None:
        task = asyncio.create_task(self._client.call_tool(name, arguments))
        done, _ = await asyncio.wait([task], timeout=None if math.isinf(cancel_after) else cancel_after)
        if done:
            return task.result()
        task.cancel()
        await asyncio.wait([task])
        # On the virtual clock: until the server has handled the cancellation.
        await asyncio.sleep(0.1)
        return None

    async def _open(self) -> Client:
        opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(opened))
        return await opened

    async def _serve(self, opened: asyncio.Future[Client]) -> None:
        key, session_id, csrf_token = map(SecretStr, SECRETS)
        credentials = Credentials(key, session_id, csrf_token)
        async with APIClient(SANDBOX_ORIGIN, transport=self.transport) as api:
            context = CallContext(client=api, credentials=credentials, max_result_chars=MAX_RESULT_CHARS)
            server = build_server(load(), lambda _: context, "")
            async with Client(server, mode=self._mode, elicitation_callback=self._confirm) as client:
                opened.set_result(client)
                await self._closing.wait()

    async def _confirm(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        return types.ElicitResult(action="accept" if self.accepts else "decline", content={"confirm": True})


def _row_counts(app: Any) -> RowCounts:
    return {table: app.state.rows(table) for table in TABLES}
