"""The name, title and version that this server reports of itself."""

from __future__ import annotations

from . import __version__

# The name of the MCP server, the command and the package on PyPI.
NAME = "core13-mcp"

TITLE = "PostHog Core-13"

VERSION = __version__

# Whether this project has published the package under NAME on PyPI. Before, the name can belong to anyone, so nothing that
# is shipped or documented lets pip, uv or pipx look it up. The first release sets this to True and runs
# `python scripts/packages.py`.
PUBLISHED = False


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"`pip install '{NAME}[{extra}]'`" if PUBLISHED else f"`pip install '.[{extra}]'` in the source of {NAME}"
