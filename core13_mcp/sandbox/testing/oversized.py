"""Response bodies that are too large or too slow."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import Final

import anyio

CHUNK_SIZE: Final = 65_536


async def huge_json(size: int) -> AsyncIterator[bytes]:
    """Valid JSON of exactly `size` bytes."""
    start, end = b'{"results":["', b'"]}'
    yield start
    remaining = max(0, size - len(start) - len(end))
    while remaining:
        yield b"x" * min(CHUNK_SIZE, remaining)
        remaining -= min(CHUNK_SIZE, remaining)
    yield end


async def trickle(content: bytes, seconds: float) -> AsyncIterator[bytes]:
    """The content byte by byte, with a pause after each one."""
    for byte in content:
        yield bytes([byte])
        await anyio.sleep(seconds)


@lru_cache(maxsize=2)
def gzip_bomb(size: int) -> bytes:
    """Gzip data that unpacks to JSON of at least `size` bytes, a thousand times its own size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(chunk) for chunk in _padding(size)) + packer.flush()


def _padding(size: int) -> Iterator[bytes]:
    yield b"["
    for _ in range(-(-size // 2**20)):
        yield b" " * 2**20
    yield b"]"
