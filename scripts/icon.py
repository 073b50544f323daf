"""Draw the icon of the server: a bar chart and a dot, on a rounded square.

    python scripts/icon.py

writes core13_mcp/icon.png (64 pixels, for MCP clients) and packages/icon.png (512 pixels, for directories and bundles).
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SIZES = {ROOT / "core13_mcp" / "icon.png": 64, ROOT / "packages" / "icon.png": 512}

# A rounded rectangle: left, top, right and bottom as parts of the width, the radius of its corners, and its colour.
SHAPES = [
    ((0.0, 0.0, 1.0, 1.0, 0.22), (30, 41, 82)),
    ((0.20, 0.56, 0.34, 0.80, 0.04), (255, 255, 255)),
    ((0.43, 0.40, 0.57, 0.80, 0.04), (255, 255, 255)),
    ((0.66, 0.48, 0.80, 0.80, 0.04), (255, 255, 255)),
    ((0.65, 0.19, 0.81, 0.35, 0.08), (249, 150, 40)),
]
# Each pixel has the mean colour of a grid of points, which makes edges smooth.
GRID = 4


def png(size: int) -> bytes:
    """Return the icon as a PNG file with `size` pixels a side."""
    rows = b"".join(b"\0" + b"".join(_pixel(x, y, size) for x in range(size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    name, data = chunk
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _pixel(x: int, y: int, size: int) -> bytes:
    offsets = [(step + 0.5) / GRID for step in range(GRID)]
    colours = [_colour((x + right) / size, (y + down) / size) for down in offsets for right in offsets]
    visible = [colour for colour in colours if colour]
    if not visible:
        return bytes(4)
    mean = [round(sum(parts) / len(visible)) for parts in zip(*visible, strict=True)]
    return bytes([*mean, round(255 * len(visible) / len(colours))])


def _colour(x: float, y: float) -> tuple[int, int, int] | None:
    return next((colour for shape, colour in reversed(SHAPES) if _contains(shape, x, y)), None)


def _contains(shape: tuple[float, float, float, float, float], x: float, y: float) -> bool:
    left, top, right, bottom, radius = shape
    across = max(left + radius - x, x - right + radius, 0)
    down = max(top + radius - y, y - bottom + radius, 0)
    return across**2 + down**2 <= radius**2


if __name__ == "__main__":
    for path, size in SIZES.items():
        path.write_bytes(png(size))
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
