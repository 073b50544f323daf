"""An MCP server for scheduled reports, shared recordings and user accounts in PostHog.

    from core13_mcp import build_server

    server = build_server(sandbox=True)

`build_server` returns an MCP server for clients in the same process. `core13_mcp.fastmcp` connects clients of FastMCP
with it. docs/python.md has examples.
"""

from __future__ import annotations

# Not imported from `typing`, which takes several milliseconds. Type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .compose.library import ServerSettings, build_server
    from .errors import Core13Error

__all__ = ["Core13Error", "ServerSettings", "__version__", "build_server"]

# A constant that Hatch reads: `importlib.metadata` would take longer than the rest of a start.
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when they are used, because the server imports the MCP SDK, which takes half a second.
    if name in ("ServerSettings", "build_server"):
        from .compose import library

        return getattr(library, name)
    if name == "Core13Error":
        from .errors import Core13Error

        return Core13Error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
