"""The name, title and version that this server reports of itself."""

from __future__ import annotations

from . import __version__

# The name of the MCP server, the command and the package on PyPI.
NAME = "core13-mcp"

TITLE = "PostHog Core-13"

VERSION = __version__
