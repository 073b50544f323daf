from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from threading import Event

import anyio
import pytest

from core13_mcp.cli import browser
from core13_mcp.cli.commands import login as login_command
from core13_mcp.cli.commands import logout as logout_command
from core13_mcp.cli.main import main
from core13_mcp.compose.http import build_http
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings
from core13_mcp.setup.new_entry import make_entry

from ..clients import accept
from ..processes import run_cli, stdio_parameters
from .world import ORIGIN, Person, World

KEY = "phx_planted00000000000000000000"


@pytest.fixture
def commands(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The commands of a person at a terminal, with this PostHog."""
    monkeypatch.setattr(login_command, "can_prompt", lambda: True)
    monkeypatch.setattr(login_command, "open_client", world.client)
    monkeypatch.setattr(logout_command, "open_client", world.client)
    monkeypatch.setattr(login_command, "TerminalPerson", lambda **_: Person(world))
    monkeypatch.setenv("POSTHOG_HOST", ORIGIN)
    monkeypatch.setenv("CORE13_LOGIN_DIR", str(world.store.path.parent))
    return world


def test_login_prints_who_signed_in_and_what_cannot_be_used(
    commands: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["login"]) == 0
    output = capsys.readouterr()
    assert output.err.splitlines()[0] == f"Signing in at {ORIGIN}."
    lines = output.out.splitlines()
    assert lines[0] == f"Signed in as ada@analytical.example at {ORIGIN}."
    assert "projects: 1, 2" in output.out and str(commands.store.path) in output.out
    assert "not usable: users-destroy accepts neither a sign-in nor an API key" in output.out
    assert lines[-1].startswith("Next: your agent can use PostHog now.")
    assert "pha_" not in output.out + output.err and "phr_" not in output.out + output.err

    assert main(["login", "--status"]) == 0
    assert capsys.readouterr().out.splitlines() == lines[:-1]
    assert main(["logout"]) == 0
    assert capsys.readouterr().out == f"Signed out ada@analytical.example at {ORIGIN}; the tokens are revoked.\n"
    assert main(["logout"]) == 0
    assert capsys.readouterr().out == f"Nobody is signed in at {ORIGIN}.\n"
    assert main(["login", "--status"]) == 1


def test_a_read_only_sign_in_asks_for_read_scopes_only(commands: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(commands)
    monkeypatch.setattr(login_command, "TerminalPerson", lambda **_: person)
    assert main(["login", "--read-only"]) == 0
    assert "%3Aread" in person.urls[0] and "%3Awrite" not in person.urls[0]


def test_tools_without_a_granted_scope_are_named(commands: World, monkeypatch, capsys) -> None:
    person = Person(commands, scope=["user:read"], project=["1"])
    monkeypatch.setattr(login_command, "TerminalPerson", lambda **_: person)
    assert main(["login"]) == 0
    assert (
        "not usable: subscriptions-list needs subscription:read; sign in again and allow it" in capsys.readouterr().out
    )


def test_a_failed_sign_in_and_a_failed_revocation_have_status_1(commands: World, capsys) -> None:
    commands.faults("redirect-error=access_denied; path=authorize")
    assert main(["login"]) == 1
    assert "The sign-in failed: you declined in the browser; nothing was stored." in capsys.readouterr().err
    assert main(["login"]) == 0
    commands.faults("status=500; times=3; path=revoke")
    assert main(["logout"]) == 1
    assert "They may still be valid: remove core13-mcp" in capsys.readouterr().err


def test_the_status_of_an_ended_sign_in_names_login(commands: World, capsys) -> None:
    assert main(["login"]) == 0
    text = json.loads(commands.store.path.read_text())
    text["sign_in"] |= {"scoped_organizations": ["engine"], "user": ""}
    commands.store.path.write_text(json.dumps(text))
    assert main(["login", "--status"]) == 0
    output = capsys.readouterr().out
    assert "organizations: engine" in output and "an unknown user" in output
    text["sign_in"]["ended"] = "invalid_grant"
    commands.store.path.write_text(json.dumps(text))
    assert main(["login", "--status"]) == 1
    output = capsys.readouterr().out
    start = f"The sign-in of an unknown user at {ORIGIN} has ended (invalid_grant). Run `core13-mcp login --host "
    assert output.startswith(start) and "valid until" not in output


def test_login_names_the_other_region_and_a_key_that_is_used_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.read({"POSTHOG_HOST": "eu", "POSTHOG_PERSONAL_API_KEY": KEY})
    lines = list(login_command._introduction(settings))
    assert "If your account is at https://us.posthog.com, press Ctrl-C and run `core13-mcp login`." in lines
    assert any(line.startswith("POSTHOG_PERSONAL_API_KEY is set here.") for line in lines)
    assert KEY not in str(lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sandbox"], "the embedded sandbox needs no sign-in"),
        (["--tools", "users-destroy"], "no enabled tool accepts a sign-in"),
    ],
)
def test_a_sign_in_without_a_purpose_is_refused(commands: World, capsys, arguments: list[str], message: str) -> None:
    assert main(["login", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_at_no_terminal_the_command_starts_no_sign_in(commands: World, monkeypatch, capsys) -> None:
    monkeypatch.setattr(login_command, "can_prompt", lambda: False)
    assert main(["login"]) == 2 and commands.requests == []
    assert "a person has to sign in, and this is not a terminal" in capsys.readouterr().err


def test_without_a_terminal_login_names_the_command_to_run(tmp_path: Path) -> None:
    run = run_cli("login", "--host", "eu", HOME=str(tmp_path))
    assert (run.returncode, run.stdout) == (2, "")
    assert "Run `core13-mcp login --host eu` in a terminal." in run.stderr


def test_call_without_credentials_is_a_configuration_error(tmp_path: Path) -> None:
    run = run_cli("call", "users-retrieve", HOME=str(tmp_path))
    assert (run.returncode, run.stdout) == (2, "") and "run `core13-mcp login` in a terminal" in run.stderr


@pytest.mark.anyio
@pytest.mark.parametrize("lines", [b"", b"hello\n\nhttp://127.0.0.1:1/callback?code=1&state=2\n" * 2])
async def test_a_pasted_address_is_recognized_among_other_lines(lines: bytes, monkeypatch, capsys) -> None:
    source, sink = os.pipe()
    before = set(threading.enumerate())
    monkeypatch.setattr(browser, "INPUT", source)
    person = browser.TerminalPerson(open_browser=False)
    os.write(sink, lines)
    os.close(sink)
    if lines:
        assert await person.pasted() == await person.pasted() == "code=1&state=2"
        assert "This is not the address of the answer" in capsys.readouterr().err
    else:
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await person.pasted()
    # The thread that reads the terminal ends with the input.
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    os.close(source)


@pytest.mark.parametrize("variables", [{"DISPLAY": ":0"}, {}, {"DISPLAY": ":0", "SSH_CONNECTION": "1"}])
def test_the_browser_opens_only_where_the_person_sees_it(monkeypatch, capsys, variables: dict[str, str]) -> None:
    opened = Event()
    monkeypatch.setattr("webbrowser.open", lambda url: opened.set())
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    browser.TerminalPerson(open_browser=True).show("https://us.posthog.com/oauth/authorize/")
    is_local = variables == {"DISPLAY": ":0"}
    assert opened.wait(5 if is_local else 0.0) == is_local
    assert "https://us.posthog.com/oauth/authorize/" in capsys.readouterr().err


@pytest.mark.anyio
async def test_a_server_without_credentials_lists_its_tools_and_each_call_explains_how_to_sign_in(tmp_path) -> None:
    from mcp import Client
    from mcp.client.stdio import stdio_client

    with (tmp_path / "log").open("w") as log:
        streams = stdio_client(stdio_parameters(env={"HOME": str(tmp_path)}), errlog=log)
        async with Client(streams, elicitation_callback=accept) as client:
            assert len((await client.list_tools()).tools) == 18
            answers = {
                "users-retrieve": "run `core13-mcp login` in a terminal",
                "users-destroy": "neither an API key nor a",
            }
            for name, message in answers.items():
                result = await client.call_tool(name, {"uuid": "@me"})
                assert result.is_error and message in str(result.content)
                assert (result.meta or {})["core13-mcp/error"]["code"] == "configuration"
    assert "warning there is no PostHog key and no sign-in" in (tmp_path / "log").read_text()


@pytest.mark.anyio
async def test_over_http_a_sign_in_is_used_only_without_authentication(world: World, tmp_path: Path, caplog) -> None:
    settings = Settings(host=ORIGIN, login_dir=world.settings.login_dir)
    await world.sign_in()
    async with build_http(settings, "0"):
        pass
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ada: {'a' * 40}\n")
    with pytest.raises(ConfigurationError, match="POSTHOG_PERSONAL_API_KEY is not set"):
        async with build_http(settings._replace(auth="token", caller_tokens_file=str(tokens)), "0"):
            pass


@pytest.mark.anyio
async def test_install_writes_no_secret_if_a_person_is_signed_in(world: World) -> None:
    settings = world.settings._replace(personal_api_key=SecretStr(KEY))
    assert [secret.variable for secret in make_entry(settings).secrets] == ["POSTHOG_PERSONAL_API_KEY"]
    await world.sign_in()
    entry = make_entry(settings)
    assert entry.secrets == () and entry.variables["CORE13_LOGIN_DIR"] == world.settings.login_dir
