"""The name, title, version and icon that this server reports of itself."""

from __future__ import annotations

from binascii import b2a_base64
from pathlib import Path

from . import __version__

# The name of the MCP server, the command and the package on PyPI.
NAME = "core13-mcp"

TITLE = "PostHog reports, sharing and users"

VERSION = __version__

# The public address of the documentation, which the first release sets.
HOMEPAGE = ""

# Whether this project has published the package under NAME on PyPI. Before, the name can belong to anyone, so nothing that
# is shipped or documented lets pip, uv or pipx look it up. The first release sets this to True and runs
# `python scripts/packages.py`.
PUBLISHED = False


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"`pip install '{NAME}[{extra}]'`" if PUBLISHED else f"`pip install '.[{extra}]'` in the source of {NAME}"


def icons() -> list[dict[str, object]]:
    """Return the icons, spelled as MCP spells them. The one icon is a data URI, because clients do not load others of stdio."""
    data = b2a_base64(Path(__file__).with_name("icon.png").read_bytes(), newline=False).decode()
    return [{"src": f"data:image/png;base64,{data}", "mimeType": "image/png", "sizes": ["64x64"]}]
