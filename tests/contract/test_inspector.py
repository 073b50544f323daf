"""A stock client, the MCP Inspector's command line, lists the tools and calls each of them, in both protocol eras.

The arguments are those of the docs, and so is what comes of them.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.declarations.catalog import load

from .inspector import ERAS, command, environment

ROOT = Path(__file__).parents[2]
EXAMPLES: dict[str, dict[str, Any]] = json.loads((ROOT / "docs" / "examples.json").read_text("utf-8"))
REFUSED = {page.stem for page in (ROOT / "docs" / "tools").glob("*.md") if "```text\n" in page.read_text("utf-8")}
SERVER = [sys.executable, "-m", "core13_mcp", "serve", "--sandbox", "--confirm", "never", "--log-level", "error"]

pytestmark = pytest.mark.system


@pytest.fixture
def inspect(tmp_path: Path) -> Callable[..., Any]:
    """What the Inspector prints as the result of one method."""

    def inspected(era: str, *words: str) -> Any:
        ran = subprocess.run(
            command(era, *SERVER, *words),
            cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert ran.stdout.startswith("{"), ran.stderr
        return json.loads(ran.stdout)

    return inspected


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_lists_every_tool(inspect: Callable[..., Any], era: str) -> None:
    assert [tool["name"] for tool in inspect(era, "--method", "tools/list")["tools"]] == list(load())


@pytest.mark.parametrize("name", load())
@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_calls_every_tool(inspect: Callable[..., Any], era: str, name: str) -> None:
    words = ("--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(EXAMPLES[name]))
    result = inspect(era, *words)
    assert bool(result.get("isError")) is (name in REFUSED), result
    assert ("structuredContent" in result) is (name not in REFUSED)
