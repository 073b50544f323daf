"""For people at a terminal colours and a line that moves, for everybody else plain lines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from core13_mcp import sandbox

from ..asgi import listening
from ..terminal import at_a_terminal

pytestmark = pytest.mark.usefixtures("home")

COMMAND = str(Path(sys.executable).with_name("core13-mcp"))


def run(*words: str, typed: Sequence[tuple[str, str]] = (), **variables: str) -> tuple[int, str]:
    """The exit status, and what a person sees at a terminal."""
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return at_a_terminal([COMMAND, *words], {**environ, "TERM": "xterm", **variables}, typed)


def piped(*words: str) -> str:
    return subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_tools_are_coloured_on_a_terminal_and_plain_elsewhere():
    code, seen = run("tools")

    assert code == 0
    assert "\x1b[1musers-list" in seen and "\x1b[31mDELETE" in seen
    assert "\x1b" not in (plain := piped("tools"))
    assert [line.split()[0] for line in plain.splitlines()][-1] == "users-retrieve"


def test_a_key_is_asked_and_not_shown_as_it_is_typed(home):
    code, seen = run("install", "zed", typed=[("not shown): ", f"{sandbox.FULL_KEY}\n")])

    assert code == 0
    assert "PostHog personal API key" in seen
    assert sandbox.FULL_KEY not in seen
    assert sandbox.FULL_KEY in (home / ".config/zed/settings.json").read_text()


def test_ctrl_c_at_a_terminal_ends_the_server_with_status_130():
    code, seen = run("serve", "--sandbox", typed=[("`core13-mcp demo` shows an example session.", "\x03")])

    assert code == 130
    assert "Traceback" not in seen


def test_a_request_that_is_typed_at_a_terminal_is_answered():
    ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    typed = [("`core13-mcp demo` shows an example session.", ping), ('"result":{}', "\x03")]
    code, seen = run("serve", "--sandbox", typed=typed)

    assert code == 130
    assert '{"jsonrpc":"2.0","id":1,"result":{}}' in seen


def test_no_color_is_honoured():
    _, seen = run("tools", NO_COLOR="1")

    assert "\x1b" not in seen


def test_doctor_is_coloured_on_a_terminal():
    code, seen = run("doctor", "--sandbox")

    assert code == 0
    assert "\x1b[32mok   \x1b[0m" in seen
    assert "\x1b[33mnote \x1b[0m" in seen


@pytest.fixture
def slow() -> Iterator[str]:
    """An API that takes more than a second to answer."""
    app = sandbox.build(faults=True)
    app.state.faults.append("delay=1.5; times=9")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as at:
        yield at


def test_a_long_wait_is_shown_on_a_terminal_and_gone_when_it_is_over(slow):
    words = ("call", "users-list", "--host", slow)
    code, seen = run(*words, POSTHOG_PERSONAL_API_KEY=sandbox.FULL_KEY)

    assert code == 0
    before, _, after = seen.partition("users-list: waiting for 1 s")
    assert before.endswith("\x1b[2m") and "\r\x1b[2K" in after
    assert '"results"' in after.rpartition("\x1b[2K")[2]


def test_elsewhere_a_long_wait_says_nothing(slow):
    ran = subprocess.run(
        [COMMAND, "call", "users-list", "--host", slow],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"POSTHOG_PERSONAL_API_KEY": sandbox.FULL_KEY},
    )

    assert ran.stderr == ""
