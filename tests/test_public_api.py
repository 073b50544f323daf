from __future__ import annotations

import core13_mcp
from core13_mcp.server.handlers import build_server


def test_the_package_exports_build_server_and_nothing_else():
    assert core13_mcp.build_server is build_server
    assert not hasattr(core13_mcp, "build")
