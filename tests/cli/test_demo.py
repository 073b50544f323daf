"""The demo: its output, and its failure if a step has another result than expected."""

import io
import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client

from core13_mcp.cli import main as cli
from core13_mcp.cli.demo.runner import WIDTH, Demo, DemoError, Expect
from core13_mcp.cli.demo.script import TEAM, play, show_outbox
from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

from ..processes import run_cli

pytestmark = pytest.mark.anyio
QUOTA, CREATE = "subscriptions-summary-quota-retrieve", "subscriptions-create"


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[Demo]:
    """A demo that is connected in memory to the real server with the sandbox."""
    demo = Demo(io.StringIO())
    async with context_provider(settings) as caller:
        server = build_server(enabled_tools(settings), lambda _: caller(), "")
        async with Client(server, elicitation_callback=demo.confirm) as demo.client:
            yield demo


@pytest.mark.smoke
def test_the_demo_prints_13_steps_that_fit_a_terminal() -> None:
    ended = run_cli("demo", CORE13_NONSENSE="the demo ignores the settings of the user")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []
    assert [int(step[1]) for line in lines if (step := re.match(r" ?(\d+)  \S", line))] == list(range(1, 14))
    assert '    < test: email "Monday numbers" to ada@analytical.example, charles@analytical.example' in lines
    assert '    < password 2 "for the board": ************' in lines
    assert "    < /shared/************" in lines
    assert "Demo finished: all 13 steps as expected." in lines
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize(
    ("tool", "expect", "message"),
    [
        (QUOTA, Expect({"active_count": 7}), "active_count is 1, expected 7"),
        (QUOTA, Expect(error="conflict"), "the call succeeded"),
        (QUOTA, Expect(confirmed=True), "0 confirmation prompts, expected 1"),
        (CREATE, Expect(), "the call failed: subscriptions-create: "),
        (CREATE, Expect(error="conflict"), "code is 'invalid_arguments', expected 'conflict'"),
        (CREATE, Expect(error="invalid_arguments", contains=("weekly!",)), "the error does not contain 'weekly!'"),
        ("no-such-tool", Expect(), "Unknown tool"),
    ],
)
async def test_an_unexpected_outcome_fails_the_step(tool: str, expect: Expect, message: str, demo: Demo) -> None:
    with pytest.raises(DemoError) as failure:
        await demo.step("A title", tool, {}, expect, "")
    assert str(failure.value).startswith("step 1, 'A title': ") and message in str(failure.value)


async def test_a_step_without_a_response_in_time_fails(demo: Demo) -> None:
    demo.timeout = 0
    with pytest.raises(DemoError, match=r"step 1, .*: no response within 0 s"):
        await play(demo)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo it broke >&2; exit 1", "core13-mcp demo: the server did not start, or it ended early\nit broke"),
        (f'exec {shlex.quote(sys.executable)} "$@" --tools users-retrieve', "core13-mcp demo: step 2, "),
    ],
)
def test_a_failed_demo_returns_1_with_the_reason_and_the_log_of_the_server(
    command: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\n{command}\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().err.startswith(message)


def test_an_unexpected_outbox_fails_the_demo() -> None:
    demo = Demo(io.StringIO())
    message = {"channel": "email", "subject": "Monday numbers", "recipients": TEAM}
    show_outbox(demo, [message | {"why": "re-enabled"}, message | {"why": "test"}])
    with pytest.raises(DemoError, match="unexpected messages in the outbox"):
        show_outbox(demo, [message | {"why": "test"}])
