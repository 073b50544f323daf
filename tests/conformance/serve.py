"""Serve over HTTP on a free port with the sandbox; `--fixtures` adds the tools of the conformance suite.

`scripts/conformance` starts this module and reads the URL from the log.
"""

from __future__ import annotations

import sys

import anyio

from core13_mcp.compose import http
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

from .fixtures import add_fixtures

if "--fixtures" in sys.argv:
    # The only difference from `core13-mcp serve --http`.
    http.build_server = lambda *arguments: add_fixtures(build_server(*arguments))  # type: ignore[attr-defined]

# The suite is one caller that sends a thousand requests.
settings = Settings(sandbox=True, http_rate=100_000, http_drain=0)
anyio.run(http.run, settings, "127.0.0.1:0")
