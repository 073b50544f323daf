"""Lines from a client as JSON-RPC messages."""

from __future__ import annotations

import asyncio

from mcp_types import INVALID_REQUEST, JSONRPCMessage

from ..jsonrpc import MessageError, parse_message


async def read_message(source: asyncio.StreamReader, max_bytes: int) -> JSONRPCMessage | None:
    """Return the next message, or None at the end.

    Raises:
        MessageError: The next line is not a valid message, is too long, or has too many values.
    """
    line = await read_line(source, max_bytes)
    return None if line is None else parse_message(line)


async def read_line(source: asyncio.StreamReader, max_bytes: int) -> bytes | None:
    """Return the next line that is not blank, or None at the end. The last line needs no line end.

    Raises:
        MessageError: The line is too long. It is not kept in memory.
    """
    line, too_long = bytearray(), False
    while True:
        try:
            line += await source.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            line += await source.readexactly(error.consumed)
            if len(line) > max_bytes:
                too_long = True
                line.clear()
            continue
        except asyncio.IncompleteReadError as error:
            line += error.partial
            if not line and not too_long:
                return None
        if too_long or len(line) > max_bytes:
            raise MessageError(None, INVALID_REQUEST, f"The message has more than {max_bytes} bytes.")
        if not line.isspace():
            return bytes(line)
        line.clear()
