"""The SDK's own answers to what clients ask first, taken down word for word, under every protocol version."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, cast

import anyio
from mcp.server import Server
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from ..framing import JSONRPCStream
from .frames import LISTS

AFTER = 1.0
"""Seconds after the start, when the client has its first answers and waits for none of ours."""

_INFO = {"name": "dictation", "version": "1"}
_ENVELOPE = "io.modelcontextprotocol/"

log = logging.getLogger("core13_mcp")


async def take_down(server: Server[Any]) -> dict[str, bytes]:
    """What to write down, once there is time for it; nothing where that fails, since all goes on without."""
    await anyio.sleep(AFTER)
    try:
        return await dictated(server)
    except Exception as error:  # noqa: BLE001 - whatever it is, the connection must not end for it
        log.warning("the first answers were not written down (%s)", type(error).__name__)
        return {}


async def dictated(server: Server[Any]) -> dict[str, bytes]:
    """The results of the first questions as JSON, by method and version."""
    found: dict[str, bytes] = {}
    for version in (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS):
        asked = asked_first(version)
        for request, answer in zip(asked, await _answers(server, asked), strict=True):
            head = b'{"jsonrpc":"2.0","id":%d,"result":' % request["id"]
            if answer.startswith(head):
                found[f"{request['method']} {version}"] = answer[len(head) : -1]
    return found


def asked_first(version: str) -> list[dict[str, Any]]:
    """The requests that a client begins with under a version."""
    if version in MODERN_PROTOCOL_VERSIONS:
        said = {"protocolVersion": version, "clientCapabilities": {}, "clientInfo": _INFO}
        meta = {"_meta": {f"{_ENVELOPE}{name}": value for name, value in said.items()}}
        return [_request(number, method, meta) for number, method in enumerate(("server/discover", *LISTS))]
    offer = {"protocolVersion": version, "capabilities": {}, "clientInfo": _INFO}
    return [_request(0, "initialize", offer), *(_request(number, method) for number, method in enumerate(LISTS, 1))]


async def _answers(server: Server[Any], requests: list[dict[str, Any]]) -> list[bytes]:
    source, sink = asyncio.StreamReader(), _Sink()
    wire = JSONRPCStream(source, cast(asyncio.StreamWriter, sink))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, wire.reader, wire.writer, server.create_initialization_options())
        for request in requests:
            source.feed_data(json.dumps(request).encode() + b"\n")
            await sink.more()
            if request["method"] == "initialize":
                source.feed_data(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        source.feed_eof()
    return sink.lines


def _request(number: int, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, **({"params": params} if params else {})}


class _Sink:
    """Collects what is written."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._came = asyncio.Event()

    def write(self, line: bytes) -> None:
        self.lines.append(line.rstrip(b"\n"))
        self._came.set()

    async def drain(self) -> None:
        """Nothing waits here."""

    async def more(self) -> None:
        """Until another line has come."""
        await self._came.wait()
        self._came.clear()
