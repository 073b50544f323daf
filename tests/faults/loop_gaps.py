"""Measures how long requests block the event loop of a server in this process."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2
from starlette.types import Message

from core13_mcp.api.client import APIClient
from core13_mcp.compose import http as http_module
from core13_mcp.settings import Settings


def unit() -> float:
    """Return the processor seconds of a fixed piece of work: about 20 ms on two cores of an AMD EPYC."""
    started = time.process_time()
    for _ in range(6):
        json.loads(json.dumps([{"name": "x" * 20, "number": number} for number in range(2000)]))
    return time.process_time() - started


@contextmanager
def untraced() -> Iterator[None]:
    """Switch off the measurement of coverage, which slows down Python code but not the unit of work."""
    # Coverage has one trace function for this thread, and another one for new threads.
    trace, thread_trace = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(thread_trace)
        sys.settrace(trace)


async def longest_gap(work: Awaitable[Any]) -> float:
    """Await some work and return the longest time between two ticks of a task, in processor seconds of the process.

    Processor time does not depend on other processes. It includes threads that keep the interpreter lock.
    """
    longest, last = 0.0, time.process_time()
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.sleep(0)
        now = time.process_time()
        longest, last = max(longest, now - last), now
    task.result()
    return longest


class PreparedAPI(httpx2.AsyncBaseTransport):
    """An API that gives the same response to every request."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(self.status, content=self.body, request=request)


class Server:
    """The HTTP application, called without a socket."""

    def __init__(self, app: Any, api: PreparedAPI) -> None:
        self.api = api
        self._app = app

    async def post(self, body: bytes, version: str = "2025-11-25", **more: str) -> tuple[int, bytes]:
        """Send a request and return the status and the body of the response."""
        names = {"host": "localhost", "content-type": "application/json", "mcp-protocol-version": version}
        names |= {"accept": "application/json, text/event-stream", "content-length": str(len(body))} | more
        headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in names.items()]
        scope = {"type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp", "query_string": b"",
                 "headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "",
                 "server": ("localhost", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}}  # fmt: skip
        # As uvicorn does: in pieces of 64 KB.
        chunks = [body[start : start + 65536] for start in range(0, len(body), 65536)] or [b""]
        closed, status, received = asyncio.Event(), 0, b""

        async def receive() -> Message:
            if chunks:
                return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}
            await closed.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status, received
            status = message.get("status", status)
            received += message.get("body", b"")

        await self._app(scope, receive, send)
        closed.set()
        return status, received


@asynccontextmanager
async def http_server(**settings: Any) -> AsyncIterator[Server]:
    """Build the HTTP server with a prepared API."""
    api = PreparedAPI()

    @asynccontextmanager
    async def clients(_: Settings) -> AsyncIterator[list[APIClient]]:
        async with APIClient("http://api.example", transport=api) as client:
            yield [client]

    values = Settings(confirm="never", log_level="error", auth="own-key", http_rate=1_000_000)._replace(**settings)
    http: Any = http_module
    original, http.api_clients = http.api_clients, clients
    try:
        async with http.build_http(values, "0") as server, server.app.router.lifespan_context(server.app):
            # As `serve` does.
            gc.collect()
            gc.freeze()
            yield Server(server.app, api)
    finally:
        gc.unfreeze()
        http.api_clients = original
