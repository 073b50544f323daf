"""Serves over HTTP, in front of the sandbox and on a free port, with the suite's fixtures where `--fixtures` is said.

Not a test module: `scripts/conformance` starts it, and reads the URL from the log.
"""

from __future__ import annotations

import sys

import anyio

from core13_mcp.compose import http as serve_http
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

from .fixtures import mount

if "--fixtures" in sys.argv:
    # The one line in which this differs from what `core13-mcp serve --http` runs.
    serve_http.build = lambda *given: mount(build_server(*given))  # type: ignore[attr-defined] # an import of that module

# The suite is one caller with a thousand requests.
settings = Settings(sandbox=True, http_rate=100_000, http_drain=0)
anyio.run(serve_http.run, settings, "127.0.0.1:0")
