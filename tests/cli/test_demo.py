"""The demo tells the truth: it ends well only if everything went as its story says."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from core13_mcp.cli import main as cli
from core13_mcp.cli.commands import demo
from core13_mcp.cli.demo import player
from core13_mcp.cli.demo.player import Player
from core13_mcp.cli.demo.screen import WIDTH, Screen
from core13_mcp.cli.demo.story import Differs, Story, fit
from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

pytestmark = pytest.mark.anyio


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def played(story: Story, settings: Settings, shown: io.StringIO | None = None) -> str:
    """Play a story in one process; how it differed, or nothing."""
    acting = Player(story, Screen(shown or io.StringIO()))
    async with context_provider(settings) as caller:
        server = build_server(enabled_tools(settings), lambda _: caller(), "")
        async with Client(server, elicitation_callback=acting.agree) as client:
            with anyio.fail_after(30):
                try:
                    await acting.play(client)
                except Differs as difference:
                    return str(difference)
    return ""


def changed(number: int, **over: Any) -> Story:
    """The story with one step told otherwise."""
    story = Story.read()
    steps = [step.model_copy(update=over) if at == number else step for at, step in enumerate(story.steps, 1)]
    return story.model_copy(update={"steps": tuple(steps)})


def test_the_story_is_played_to_its_end_and_fits_a_terminal(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CORE13_NONSENSE": "not the demo's business"}
    environ |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    ran = subprocess.run(
        [sys.executable, "-m", "core13_mcp", "demo"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []
    assert [int(found[1]) for line in lines if (found := re.match(r" ?(\d+)  \S", line))] == list(range(1, 14))
    assert '    < test: email "Monday numbers" to ada@analytical.example, charles@analytical.example' in lines
    assert "\x1b" not in ran.stdout


def test_every_tool_of_the_story_exists() -> None:
    assert {step.call for step in Story.read().steps} <= load().keys()


async def test_an_answer_that_differs_ends_the_story_with_its_step(settings: Settings) -> None:
    wrong = changed(3, expect={"properties": {"active_count": {"const": 7}}})
    told = "step 3, 'How many AI summaries are left?': active_count: 7 was expected"
    assert await played(wrong, settings) == told


@pytest.mark.parametrize(
    ("number", "over", "told"),
    [
        (1, {"refused": True}, "the call was not refused"),
        (2, {"call": "no-such-tool"}, "Unknown tool"),
        (4, {"refused": False}, "the call failed: subscriptions-create: 3 faults"),
        (7, {"asked": False}, "the server asked 1 times, not 0"),
    ],
)
async def test_whatever_the_story_does_not_tell_ends_it(
    number: int, over: dict[str, Any], told: str, settings: Settings
) -> None:
    difference = await played(changed(number, **over), settings)
    assert difference.startswith(f"step {number}, ") and told in difference


async def test_a_step_without_an_answer_ends_the_story(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "LONGEST", 0.0)
    assert "no answer within 0 s" in await played(Story.read(), settings)


async def test_no_password_and_no_link_is_shown(settings: Settings) -> None:
    shown = io.StringIO()
    assert await played(Story.read(), settings, shown) == ""
    assert 'password 2 "for the board": ************' in shown.getvalue()
    assert "/shared/************" in shown.getvalue()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("/no/such/program",), "the server did not start"),
        ((sys.executable, "-c", "raise SystemExit('it broke')"), "it broke"),
    ],
)
def test_a_server_that_does_not_start_is_said_with_its_last_words(
    words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "server", lambda *_: StdioServerParameters(command=words[0], args=list(words[1:])))
    assert cli.main(["demo"]) == 1
    assert told in capsys.readouterr().err


def test_a_demo_that_differs_from_its_story_ends_with_1_and_names_the_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = changed(2, call="no-such-tool")
    monkeypatch.setattr(Story, "read", lambda: wrong)
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().err.startswith("core13-mcp demo: step 2, ")


def test_what_would_have_been_sent_must_be_what_the_story_says() -> None:
    outbox = Story.read().outbox
    to = ["ada@analytical.example", "charles@analytical.example"]
    fit(outbox.expect, [{"why": "re-enabled", "recipients": to}, {"why": "test", "recipients": to}])
    with pytest.raises(Differs):
        fit(outbox.expect, [{"why": "test", "recipients": to}])


@pytest.mark.parametrize(
    ("stream", "variables", "colours"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    stream: io.StringIO, variables: dict[str, str], colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Screen(stream).answer(["so it is"])
    assert ("\x1b[" in stream.getvalue()) is colours
