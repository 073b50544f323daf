"""The demo: its output, and its failure if a step has another result than expected."""

import html
import io
import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client

from core13_mcp.cli import main as cli
from core13_mcp.cli.commands.demo import NEXT_STEP
from core13_mcp.cli.demo.expect import DemoError, Expect
from core13_mcp.cli.demo.runner import Demo
from core13_mcp.cli.demo.script import TEAM, play, show_outbox
from core13_mcp.cli.demo.transcript import Transcript, terminal_width
from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

from ..processes import CLI, clean_environment, run_cli
from ..terminal import at_a_terminal

pytestmark = pytest.mark.anyio
DOCS = Path(__file__).parents[2] / "docs"
QUOTA, CREATE = "subscriptions-summary-quota-retrieve", "subscriptions-create"


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[Demo]:
    """A demo that is connected in memory to the real server with the sandbox."""
    demo = Demo(Transcript(io.StringIO()))
    async with context_provider(settings) as caller:
        server = build_server(enabled_tools(settings), lambda _: caller(), "")
        async with Client(server, elicitation_callback=demo.confirm) as demo.client:
            yield demo


SUMMARY = "The demo worked as expected: 12 calls, 5 questions to you, 2 messages."


@pytest.mark.smoke
@pytest.mark.parametrize("columns", [80, 120])
def test_the_demo_is_a_conversation_that_fits_the_terminal(columns: int) -> None:
    ended = run_cli("demo", COLUMNS=str(columns), CORE13_NONSENSE="the demo ignores the settings of the user")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("An AI agent manages reports and a shared recording in PostHog for you.")
    assert [line for line in lines if len(line) > columns] == []
    assert sum(line.startswith("You  ") for line in lines) == 7 + 5
    assert sum(line.startswith("Agent  ") for line in lines) == 12
    assert "Result    Password 2, for the board: ************" in lines
    assert "Result    New link: /shared/************" in lines
    assert sum(line.startswith('Email     "Monday numbers" to ada@analytical.example') for line in lines) == 2
    assert lines[-3:] == [SUMMARY, NEXT_STEP, "  core13-mcp install claude-code --sandbox"]
    assert "\x1b" not in ended.stdout

    picture = (DOCS / f"demo-{columns}.svg").read_text("utf-8")
    texts = [html.unescape(re.sub("<.*?>", "", text)) for text in re.findall("<text .*</text>", picture)]
    assert texts == [line for line in lines if line]


def test_the_quiet_demo_prints_the_summary_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("core13_mcp.cli.commands.demo._connect_and_play", _nothing)
    monkeypatch.setattr("core13_mcp.cli.commands.demo.show_outbox", lambda *_: None)
    monkeypatch.setattr("core13_mcp.cli.commands.demo.read_outbox", lambda _: [])
    assert cli.main(["demo", "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("The demo worked as expected: 0 calls")


async def _nothing(*_: object) -> None:
    """Play no conversation."""


def test_with_step_the_demo_waits_for_enter_and_one_ctrl_c_ends_it() -> None:
    prompt = "Enter continues, Ctrl-C ends the demo. "
    status, output = at_a_terminal(
        [*CLI, "demo", "--step"], clean_environment(TERM="dumb"), [(prompt, "\n"), (prompt, "\x03")]
    )
    assert status == 130
    assert output.count("You       ") == 1
    assert "Traceback" not in output


def test_step_without_a_terminal_is_refused() -> None:
    ended = run_cli("demo", "--step")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "omit --step" in ended.stderr


def test_step_with_quiet_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--step", "--quiet"]) == 2
    assert "--step has no effect; omit one of them" in capsys.readouterr().err


@pytest.mark.parametrize(("columns", "width"), [("20", 40), ("66", 66), ("500", 120)])
def test_the_text_has_40_to_120_columns(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_width() == width


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
        await demo.call(tool, {}, expect, "")
    assert str(failure.value).startswith(f"call 1, {tool}: ") and message in str(failure.value)


async def test_a_step_without_a_response_in_time_fails(demo: Demo) -> None:
    demo.timeout = 0
    with pytest.raises(DemoError, match=r"call 1, .*: no response within 0 s"):
        await play(demo)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo it broke >&2; exit 1", "core13-mcp demo: the server did not start, or it ended early\nit broke"),
        (f'exec {shlex.quote(sys.executable)} "$@" --tools users-retrieve', "core13-mcp demo: call 2, "),
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
    demo = Demo(Transcript(io.StringIO()))
    message = {"channel": "email", "subject": "Monday numbers", "recipients": TEAM}
    show_outbox(demo, [message | {"why": "re-enabled"}, message | {"why": "test"}])
    with pytest.raises(DemoError, match="unexpected messages in the outbox"):
        show_outbox(demo, [message | {"why": "test"}])
