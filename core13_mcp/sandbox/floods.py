"""Answers that are too much: endless, enormous, or far larger than they look."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import Final

import anyio

CHUNK: Final = 65_536


async def huge(size: int) -> AsyncIterator[bytes]:
    """Valid JSON of exactly ``size`` bytes."""
    start, end = b'{"results":["', b'"]}'
    yield start
    left = max(0, size - len(start) - len(end))
    while left:
        yield b"x" * min(CHUNK, left)
        left -= min(CHUNK, left)
    yield end


async def trickle(content: bytes, seconds: float) -> AsyncIterator[bytes]:
    for byte in content:
        yield bytes([byte])
        await anyio.sleep(seconds)


@lru_cache(maxsize=2)
def bomb(size: int) -> bytes:
    """Gzip data, a thousandth of what it unpacks to: JSON of at least ``size`` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(piece) for piece in _padding(size)) + packer.flush()


def _padding(size: int) -> Iterator[bytes]:
    yield b"["
    for _ in range(-(-size // 2**20)):
        yield b" " * 2**20
    yield b"]"
