"""The port of this machine to which the browser returns with the answer of PostHog."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress

from ..errors import ConfigurationError
from .flow import CALLBACK_PATH, MAX_QUERY
from .page import http_response, page

ADDRESS = "127.0.0.1"

# Seconds for one request to arrive, and for the browser to read the page.
REQUEST_TIMEOUT = 10.0

# Bytes of the request line and the headers.
MAX_HEAD = 64 * 1024

_REQUEST = re.compile(rb"GET ([!-~]{1,%d}) HTTP/1\.[01]\r\n" % MAX_QUERY)
_NOT_FOUND = http_response("404 Not Found", page("Not found", "Only the sign-in page of PostHog leads here."))


class Callback:
    """The answer of the browser, of which there is one. `respond` shows its result there."""

    def __init__(self) -> None:
        self.redirect_uri = ""
        loop = asyncio.get_running_loop()
        self._query: asyncio.Future[str] = loop.create_future()
        self._page: asyncio.Future[bytes] = loop.create_future()
        self._delivered = asyncio.Event()
        self._stop_listening: Callable[[], None] = asyncio.Event().set

    async def query(self) -> str:
        """Wait for the browser, and return the query of its request."""
        return await asyncio.shield(self._query)

    async def respond(self, title: str, text: str) -> None:
        """Show a page in the browser, if it has sent a request, and wait until it is sent."""
        self._page.set_result(page(title, text))
        if self._query.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._delivered.wait(), REQUEST_TIMEOUT)

    async def open(self, port: int) -> asyncio.Server:
        """Listen on a port."""
        server = await asyncio.start_server(self._handle, ADDRESS, port, limit=MAX_HEAD)
        self.redirect_uri = f"http://{ADDRESS}:{server.sockets[0].getsockname()[1]}{CALLBACK_PATH}"
        self._stop_listening = server.close
        return server

    async def _handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            path, _, query = (await _read_target(reader)).partition("?")
            if path == CALLBACK_PATH and not self._query.done():
                await self._answer(query, writer)
            else:
                writer.write(_NOT_FOUND)
                await writer.drain()

    async def _answer(self, query: str, writer: StreamWriter) -> None:
        self._query.set_result(query)
        self._stop_listening()
        try:
            writer.write(http_response("200 OK", await self._page))
            await writer.drain()
        finally:
            self._delivered.set()


@asynccontextmanager
async def listen(port: int) -> AsyncIterator[Callback]:
    """Listen on a port of 127.0.0.1 for the browser; 0 selects a free port. The port is closed after the answer.

    Raises:
        ConfigurationError: The port is in use.
    """
    callback = Callback()
    try:
        server = await callback.open(port)
    except OSError as error:
        # asyncio puts the address and other words around the reason.
        reason = os.strerror(error.errno or 0)
        fix = "Leave --port out to use a free one."
        raise ConfigurationError(f"port {port} of {ADDRESS} cannot be used: {reason}", fix) from None
    with closing(server):
        yield callback


async def _read_target(reader: StreamReader) -> str:
    """Return the target of a GET request; an empty string for another request, or for one that does not arrive."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_TIMEOUT)
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return ""
    request = _REQUEST.match(head)
    return request[1].decode() if request else ""
