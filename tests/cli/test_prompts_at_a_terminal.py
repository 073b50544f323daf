"""Colours, prompts and the status line on a terminal, and plain output elsewhere."""

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
    """The exit status and the output on a terminal."""
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return at_a_terminal([COMMAND, *words], {**environ, "TERM": "xterm", **variables}, typed)


def test_tools_are_coloured_on_a_terminal_only():
    code, output = run("tools")

    assert code == 0
    assert "\x1b[1musers-list" in output and "\x1b[31mDELETE" in output
    process = subprocess.run([COMMAND, "tools"], capture_output=True, text=True, timeout=60, check=True)
    assert "\x1b" not in process.stdout and "users-retrieve" in process.stdout


def test_the_prompt_for_a_key_does_not_show_the_key(home):
    code, output = run("install", "zed", typed=[("not shown): ", f"{sandbox.FULL_KEY}\n")])

    assert code == 0
    assert "PostHog personal API key" in output
    assert sandbox.FULL_KEY not in output
    assert sandbox.FULL_KEY in (home / ".config/zed/settings.json").read_text()


def test_ctrl_c_at_the_prompt_for_a_key_ends_the_command_and_writes_nothing(home):
    code, _ = run("install", "zed", typed=[("not shown): ", "\x03")])

    assert code == 130 and not (home / ".config/zed/settings.json").exists()


SEND = ("call", "subscriptions-test-delivery-create", "id=1", "project_id=1", "--sandbox")


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
@pytest.mark.parametrize("policy", ["auto", "always"])
def test_a_call_that_the_person_confirms_at_the_terminal_is_sent(answer, policy):
    code, output = run(*SEND, "--confirm", policy, typed=[("? [y/N] ", answer)])

    assert code == 0
    assert "Send subscription 1" in output and "Weekly growth" in output and "Queued: subscription 1" in output


@pytest.mark.parametrize("answer", ["\n", "n\n", "maybe\n", "\x04"])
def test_a_call_that_the_person_does_not_confirm_at_the_terminal_is_not_sent(answer):
    code, output = run(*SEND, typed=[("? [y/N] ", answer)])

    assert code == 1
    assert "subscriptions-test-delivery-create: not confirmed; nothing was sent." in output and "Queued" not in output


def test_ctrl_c_at_the_question_ends_the_command_with_status_130():
    code, output = run(*SEND, typed=[("? [y/N] ", "\x03")])

    assert code == 130 and "Queued" not in output and "Traceback" not in output


def test_the_person_at_the_terminal_can_confirm_a_call_that_requires_a_form():
    code, output = run("call", "users-destroy", "--sandbox", typed=[("? [y/N] ", "y\n")])

    assert code == 1 and "409 Conflict" in output


def test_a_call_with_yes_is_sent_without_a_question():
    code, output = run(*SEND, "--yes")

    assert code == 0 and "[y/N]" not in output


def test_a_request_that_is_typed_on_a_terminal_is_answered_and_ctrl_c_ends_the_server_with_status_130():
    ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    typed = [("`core13-mcp demo` shows an example session.", ping), ('"result":{}', "\x04")]
    code, output = run("serve", "--sandbox", typed=typed)

    assert code == 0, "Ctrl-D ends the input"
    assert '{"jsonrpc":"2.0","id":1,"result":{}}' in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("typed", "status", "message"), [("\x03", 130, ""), ('{"uuid": "@me"}\n\x04', 0, "ada@analytical.example")]
)
def test_the_arguments_of_a_call_can_be_typed_and_ctrl_c_cancels_that(typed, status, message):
    code, output = run("call", "users-retrieve", "-", "--sandbox", typed=[("Ctrl-C cancels.\r\n", typed)])

    assert (code, message in output, "Traceback" in output) == (status, True, False)


def test_no_color_turns_colours_off():
    _, output = run("doctor", "--sandbox", NO_COLOR="1")

    assert "all well" in output
    assert "\x1b" not in output


@pytest.fixture
def slow() -> Iterator[str]:
    """An API that takes more than a second to answer."""
    app = sandbox.build(faults=True)
    app.state.faults.append("delay=1.5; times=9")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as at:
        yield at


def test_a_long_wait_shows_a_status_line_on_a_terminal(slow):
    code, output = run("call", "users-list", "--host", slow, POSTHOG_PERSONAL_API_KEY=sandbox.FULL_KEY)

    assert code == 0
    before, _, after = output.partition("users-list: waiting for 1 s")
    assert before.endswith("\x1b[2m") and "\r\x1b[2K" in after
    assert '"results"' in after.rpartition("\x1b[2K")[2]


def test_a_long_wait_shows_nothing_in_a_pipe(slow):
    environ = os.environ | {"POSTHOG_PERSONAL_API_KEY": sandbox.FULL_KEY}
    command = [COMMAND, "call", "users-list", "--host", slow]
    process = subprocess.run(command, capture_output=True, timeout=60, check=True, env=environ)

    assert process.stderr == b""
