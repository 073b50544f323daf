"""The MCP Inspector lists the tools and calls each of them, in both protocol eras.

Arguments and expected results are those of the documentation.
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
    """A function that calls one method with the Inspector and returns the result."""

    def call_method(era: str, *arguments: str) -> Any:
        ran = subprocess.run(
            command(era, *SERVER, *arguments),
            cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert ran.stdout.startswith("{"), ran.stderr
        return json.loads(ran.stdout)

    return call_method


@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_lists_every_tool(inspect: Callable[..., Any], era: str) -> None:
    assert [tool["name"] for tool in inspect(era, "--method", "tools/list")["tools"]] == list(load())


@pytest.mark.parametrize("name", load())
@pytest.mark.parametrize("era", ERAS)
def test_the_inspector_calls_every_tool(inspect: Callable[..., Any], era: str, name: str) -> None:
    method = ("--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(EXAMPLES[name]))
    result = inspect(era, *method)
    assert bool(result.get("isError")) is (name in REFUSED), result
    assert ("structuredContent" in result) is (name not in REFUSED)
