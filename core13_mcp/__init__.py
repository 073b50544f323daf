"""PostHog's Core-13 API page as declared MCP tools."""

from __future__ import annotations

# Not imported from `typing`, which takes several milliseconds. Type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .server.handlers import build_server

__all__ = ["__version__", "build_server"]

# A constant that Hatch reads: `importlib.metadata` would take longer than the rest of a start.
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when it is used, because the server imports the MCP SDK, which takes half a second.
    if name == "build_server":
        from .server.handlers import build_server

        return build_server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
