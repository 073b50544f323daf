"""Clients that send and receive raw lines."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from core13_mcp.transports.stdio.framing import MAX_MESSAGE_BYTES

from ...processes import CLI, clean_environment

TIMEOUT = 30.0
CLIENT_INFO = {"name": "raw", "version": "0"}
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": CLIENT_INFO}


def message(method: str, request_id: int | str | None = None, **params: Any) -> dict[str, Any]:
    """A JSON-RPC request, or a notification if there is no id."""
    identity = {} if request_id is None else {"id": request_id}
    return {"jsonrpc": "2.0", **identity, "method": method, **({"params": params} if params else {})}


def lines(*messages: dict[str, Any]) -> bytes:
    """The messages as they are on the wire."""
    return b"".join(json.dumps(content).encode() + b"\n" for content in messages)


class Peer:
    """The other end of a server's pipes."""

    def __init__(self, process: Process) -> None:
        self.process = process
        if process.stdout is not None:
            self._lines = BufferedByteReceiveStream(process.stdout)

    async def send(self, *messages: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        for content in messages:
            await self.process.stdin.send(content + b"\n" if isinstance(content, bytes) else lines(content))

    async def receive(self) -> dict[str, Any]:
        """Return the next message. The server must write nothing else to stdout."""
        content: dict[str, Any] = json.loads(await self._lines.receive_until(b"\n", MAX_MESSAGE_BYTES))
        assert content["jsonrpc"] == "2.0"
        return content

    async def initialize(self) -> None:
        await self.send(message("initialize", 0, **INITIALIZE), message("notifications/initialized"))
        assert (await self.receive())["id"] == 0

    async def close(self) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.aclose()

    async def wait(self) -> tuple[int, str]:
        """Return the exit status and the logs, when the server has ended."""
        assert self.process.stderr is not None
        rest = b"".join([chunk async for chunk in self._lines]).splitlines()
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest)
        logs = b"".join([chunk async for chunk in self.process.stderr])
        return await self.process.wait(), logs.decode()


@asynccontextmanager
async def peer(*arguments: str, **variables: str) -> AsyncIterator[Peer]:
    """Start `core13-mcp serve` with these arguments and variables, and connect to it."""
    process = await anyio.open_process([*CLI, "serve", *arguments], env=clean_environment(**variables))
    async with running(process) as client:
        yield client


@asynccontextmanager
async def running(process: Process) -> AsyncIterator[Peer]:
    """Connect to a server process, and kill it at the end."""
    with anyio.fail_after(TIMEOUT):
        async with process:
            try:
                yield Peer(process)
            finally:
                if process.returncode is None:
                    process.kill()


# The descriptors at which a test writes to stdin and reads from stdout.
StdioPipes = tuple[int, int]


@contextmanager
def connected_stdio() -> Iterator[StdioPipes]:
    """Connect stdin and stdout of this process to pipes.

    Afterwards, restore them and the handler of SIGTERM.
    """
    saved, handler = (os.dup(0), os.dup(1)), signal.getsignal(signal.SIGTERM)
    stdin, to_stdin = os.pipe()
    from_stdout, stdout = os.pipe()
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.close(stdin)
    os.close(stdout)
    try:
        yield to_stdin, from_stdout
    finally:
        os.dup2(saved[0], 0)
        os.dup2(saved[1], 1)
        signal.signal(signal.SIGTERM, handler)
        for descriptor in (*saved, to_stdin, from_stdout):
            os.close(descriptor)
