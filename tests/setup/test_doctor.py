"""`doctor`: each thing that can be wrong has a line of its own, with the fix beside it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from core13_mcp import sandbox
from core13_mcp.cli import main
from core13_mcp.doctor.finding import Finding
from core13_mcp.sandbox import FULL_KEY, PUBLIC_KEY, READ_ONLY_KEY

KEY = "POSTHOG_PERSONAL_API_KEY"
COMMAND = str(Path(sys.executable).with_name("core13-mcp"))


@dataclass(frozen=True)
class Report:
    """What one run of `doctor --json` said."""

    code: int
    findings: list[dict[str, str]]
    text: str

    def line(self, check: str, status: str | None = None) -> dict[str, str]:
        found = [one for one in self.findings if one["check"] == check and status in (None, one["status"])]
        assert found, self.text
        return found[0]

    @property
    def wrong(self) -> list[str]:
        return [one["check"] for one in self.findings if one["status"] == "wrong"]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., Report]:
    """Runs it, with these variables and flags."""

    def run(*flags: str, **variables: str) -> Report:
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            code = main(["doctor", "--json", *flags])
        text = capsys.readouterr().out
        return Report(code, json.loads(text)["findings"], text)

    return run


@pytest.fixture(autouse=True)
def met(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handshake with this installation takes a second; it is left to the tests of whole processes."""

    async def answered(machine: object, timeout: float) -> Finding:
        return Finding("handshake", "ok", "not tried here")

    monkeypatch.setattr("core13_mcp.doctor.clients._own_command", answered)


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The sandbox on a port."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.listening(sandbox.build())) as at:
        yield at


def test_in_front_of_the_sandbox_all_is_well(doctor):
    report = doctor("--sandbox")

    assert (report.code, report.wrong) == (0, [])
    assert report.line("owner")["says"] == "ada@analytical.example"
    assert report.line("project")["says"] == 'current is 1 ("Engine"); its organization has 1 (Engine), 2 (Mill)'
    assert report.line("session")["status"] == "ok"


def test_with_a_good_key_and_a_client_set_up_all_is_well(doctor, api):
    main(["install", "claude-code", "--host", api])

    report = doctor(**{KEY: FULL_KEY, "POSTHOG_HOST": api})

    assert (report.code, report.wrong) == (0, [])
    assert report.line("key")["says"] == "a personal API key of 49 characters, from POSTHOG_PERSONAL_API_KEY"
    assert report.line("host")["says"] == f"{api} answers"
    assert report.line("client claude-code")["says"].endswith("core13-mcp 0.1.0 with 18 tools")


def test_without_a_key_it_says_how_to_make_one(doctor, api):
    report = doctor(POSTHOG_HOST=api)

    assert report.code == 1
    assert report.line("key")["fix"].startswith("make a personal API key (phx_...) in PostHog under Settings")
    assert report.line("host")["status"] == "ok"


def test_a_key_of_the_wrong_kind_is_told_and_never_shown(doctor, api):
    report = doctor(**{KEY: PUBLIC_KEY, "POSTHOG_HOST": api})

    assert report.code == 1
    line = report.line("key")
    assert "starts with phc_ is a public project key" in line["says"]
    assert line["fix"].startswith("make a personal API key")
    assert PUBLIC_KEY not in report.text


def test_a_key_file_that_is_not_there_is_told(doctor, api):
    report = doctor("--personal-api-key-file", "/nowhere", POSTHOG_HOST=api)

    assert "cannot be read" in report.line("key", "wrong")["says"]


def test_a_key_that_the_api_does_not_know_has_the_sentence_of_a_401(doctor, api):
    unknown = "phx_sandboxNobody000000000000000000000000000000"

    report = doctor(**{KEY: unknown, "POSTHOG_HOST": api})

    line = report.line("owner", "wrong")
    assert "401 Unauthorized" in line["says"] and "invalid or expired" in line["says"]
    assert line["fix"] == said_by_a_call(unknown, api, "users-retrieve")
    assert unknown not in report.text


def test_a_missing_scope_has_the_sentence_of_a_403_and_how_many_tools_it_stops(doctor, tmp_path):
    with with_scopes(tmp_path, "user:read") as at:
        report = doctor(**{KEY: READ_ONLY_KEY, "POSTHOG_HOST": at})
        hint = said_by_a_call(READ_ONLY_KEY, at, "subscriptions-summary-quota-retrieve")

    assert report.line("scope user:read")["status"] == "ok"
    line = report.line("scope subscription:read")
    assert line["status"] == "wrong"
    assert line["says"].startswith("3 tools cannot work: 403 Forbidden")
    assert line["fix"] == hint
    assert "subscription:read" in hint


def test_what_the_plan_lacks_is_noted_and_not_called_wrong(doctor, api):
    report = doctor(**{KEY: sandbox.FREE_KEY, "POSTHOG_HOST": api})

    assert report.line("scope subscription:read")["status"] == "note"
    assert "402 Payment Required" in report.line("scope subscription:read")["says"]


def test_a_key_that_may_not_enter_the_project_is_told(doctor, api):
    report = doctor("--project-id", "1", **{KEY: sandbox.OTHER_PROJECT_KEY, "POSTHOG_HOST": api})

    assert "does not have access to the requested project" in report.line("scope subscription:read", "wrong")["says"]


def test_a_session_that_has_ended_is_told(doctor, api):
    session = {"POSTHOG_SESSION_ID": "ended00000000000000000000", "POSTHOG_CSRF_TOKEN": "x" * 20}

    report = doctor(**{KEY: FULL_KEY, "POSTHOG_HOST": api, **session})

    line = report.line("session", "wrong")
    assert "401" in line["says"]
    assert line["fix"].startswith("sign in to PostHog again")


def test_a_session_without_its_csrf_token_is_told(doctor, api):
    report = doctor(**{KEY: FULL_KEY, "POSTHOG_HOST": api, "POSTHOG_SESSION_ID": sandbox.SESSION_ID})

    assert report.line("session", "wrong")["fix"] == "set POSTHOG_CSRF_TOKEN as well"


def test_without_a_session_the_tools_that_need_one_are_named_and_it_is_not_called_wrong(doctor, api):
    line = doctor(**{KEY: FULL_KEY, "POSTHOG_HOST": api}).line("session", "note")

    assert line["says"].startswith(
        "users-credentials-review-complete-create, users-destroy accept a login session only"
    )
    report = doctor("--exclude-tools", "users-destroy,users-cred*", **{KEY: FULL_KEY, "POSTHOG_HOST": api})
    assert "session" not in [finding["check"] for finding in report.findings]


def test_a_key_whose_owner_has_no_project_is_told(doctor, api):
    report = doctor(**{KEY: sandbox.NO_ORGANIZATION_KEY, "POSTHOG_HOST": api})

    assert report.line("project", "note")["says"] == "the key's owner has no current project"


def test_a_pinned_project_that_is_not_among_the_organizations_is_noted(doctor, api):
    report = doctor("--project-id", "3", **{KEY: FULL_KEY, "POSTHOG_HOST": api})

    assert report.line("project", "note")["says"].startswith("pinned to 3; current is 1")


def test_a_folder_of_tools_that_is_not_there_is_told_and_the_rest_looked_at(doctor):
    report = doctor("--sandbox", "--tools-dir", "/nowhere")

    assert "CORE13_TOOLS_DIR cannot be read" in report.line("tools", "wrong")["says"]
    assert report.line("owner")["status"] == "ok"


def test_a_host_that_takes_too_long_is_told(doctor):
    app = sandbox.build(faults=True)
    app.state.faults.append("delay=5; times=9")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.listening(app)) as at:
        report = doctor("--host", at, "--timeout", "0.5", **{KEY: FULL_KEY})

    line = report.line("host", "wrong")
    assert line["says"] == f"{at} does not answer in time"
    assert "HTTPS_PROXY" in line["fix"]


def test_a_host_that_takes_events_only_is_told_which_one_to_say(doctor):
    report = doctor("--host", "https://us.i.posthog.com")

    line = report.line("host", "wrong")
    assert "only takes events in" in line["says"]
    assert line["fix"] == "for this API say us"


def test_a_host_that_does_not_exist_is_told(doctor):
    report = doctor("--host", "https://posthog.invalid", **{KEY: FULL_KEY})

    line = report.line("host", "wrong")
    assert line["says"] == "no host is known by the name posthog.invalid"
    assert line["fix"].startswith("correct POSTHOG_HOST")


def test_a_port_where_nobody_listens_is_told(doctor):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        report = doctor("--host", f"http://127.0.0.1:{taken.getsockname()[1]}", **{KEY: FULL_KEY})

    assert "takes no connections" in report.line("host", "wrong")["says"]


def test_a_proxy_that_is_not_there_is_told_without_its_password(doctor):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        report = doctor("--host", "eu", **{KEY: FULL_KEY, "HTTPS_PROXY": f"http://me:hunter22@{at}"})

    line = report.line("proxy", "wrong")
    assert f"through the proxy {at}" in line["says"]
    assert line["fix"] == "correct HTTPS_PROXY, or go past it with NO_PROXY=eu.posthog.com"
    assert "hunter22" not in report.text


def test_a_certificate_that_is_not_trusted_is_told(doctor):
    with untrusted() as port:
        report = doctor("--host", f"https://127.0.0.1:{port}", **{KEY: FULL_KEY})

    line = report.line("tls", "wrong")
    assert line["says"].startswith("the certificate of 127.0.0.1 is not trusted")
    assert "trust store" in line["fix"]


def test_https_to_a_port_that_speaks_http_is_told(doctor, api):
    report = doctor("--host", api.replace("http://", "https://"), **{KEY: FULL_KEY})

    assert report.line("tls", "wrong")["says"].startswith("no TLS with")


def test_something_else_than_posthog_at_the_host_is_told(doctor):
    app = sandbox.build(faults=True)
    app.state.faults.append("html; times=9")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.listening(app)) as at:
        report = doctor("--host", at, **{KEY: FULL_KEY})

    line = report.line("host", "wrong")
    assert "body is not JSON" in line["says"]
    assert "Something other than PostHog" in line["fix"]


def test_what_happens_once_is_told_and_not_tried_away(doctor):
    app = sandbox.build(faults=True)
    app.state.faults.append("status=503")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.listening(app)) as at:
        report = doctor("--host", at, **{KEY: FULL_KEY})

    assert report.line("owner", "wrong")["says"].startswith("503 Service Unavailable")
    assert report.line("scope user:read")["status"] == "ok"


def test_a_setting_that_does_not_exist_is_told_and_the_rest_still_looked_at(doctor):
    report = doctor("--sandbox", CORE13_READONLY="1", CORE13_TIMEOUT="soon")

    wrong = [line for line in report.findings if line["check"] == "settings"]
    assert [line["says"].partition(":")[0] for line in wrong] == ["CORE13_READONLY is not a setting", "CORE13_TIMEOUT"]
    assert wrong[0]["fix"] == "did you mean CORE13_READ_ONLY?"
    assert report.line("owner")["status"] == "ok"


ENTRY = {"command": COMMAND, "args": ["serve"], "env": {"CORE13_SANDBOX": "true"}}


def client(home: Path, path: str, text: Any) -> Path:
    """A client's file, as somebody may have written it."""
    (home / path).parent.mkdir(parents=True, exist_ok=True)
    (home / path).write_text(text if isinstance(text, str) else json.dumps(text))
    (home / path).chmod(0o600)
    return home / path


@pytest.mark.parametrize(
    ("name", "path", "held", "says", "fix"),
    [
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            {"mcpServers": {"core13-mcp": {**ENTRY, "command": "uvx", "args": ["core13-mcp"]}}},
            '"uvx" is relative: Claude Desktop is not started from a shell, and has not its PATH',
            "core13-mcp install claude-desktop writes the absolute command",
        ),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            {"mcpServers": {"core13-mcp": ENTRY}},
            'core13-mcp is under "mcpServers", where VS Code does not look',
            "take it out there, and run `core13-mcp install vscode`",
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            '{"mcpServers": {\n  "core13-mcp": {"command": "x",, }}}',
            'line 2, column 33: a name in "quotes" is expected here',
            "correct it there",
        ),
        (
            "zed",
            ".config/zed/settings.json",
            {"context_servers": {"core13-mcp": {**ENTRY, "command": "/gone/core13-mcp"}}},
            "there is no program /gone/core13-mcp",
            "core13-mcp install zed writes the one that is running now",
        ),
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            {"mcpServers": {"core13-mcp": {**ENTRY, "env": {KEY: "${POSTHOG_PERSONAL_API_KEY}"}}}},
            "Claude Desktop puts nothing in the place of ${POSTHOG_PERSONAL_API_KEY}",
            "core13-mcp install claude-desktop asks for the key itself",
        ),
        (
            "zed",
            ".config/zed/settings.json",
            {"context_servers": {"core13-mcp": {**ENTRY, "env": {KEY: "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"}}}},
            "POSTHOG_PERSONAL_API_KEY is still the placeholder",
            "put the key in its place",
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            {"mcpServers": {"posthog": {**ENTRY, "env": {}}}},
            "it ended, saying: POSTHOG_PERSONAL_API_KEY is not set",
            "core13-mcp install cursor enters it; make a personal API key",
        ),
        (
            "codex",
            ".codex/config.toml",
            f'[mcp_servers.core13-mcp]\ncommand = "{COMMAND}"\nargs = ["serve"]\nenv = {{ POSTHOG_HOST = "mars" }}\n',
            "'mars' is not us, eu or an origin",
            "",
        ),
        (
            "gemini",
            ".gemini/settings.json",
            {"mcpServers": {"core13-mcp": {"command": "core13-nowhere", "args": []}}},
            '"core13-nowhere" is not on the PATH',
            "core13-mcp install gemini writes the absolute command",
        ),
        (
            "windsurf",
            ".codeium/windsurf/mcp_config.json",
            {"mcpServers": {"core13-mcp": {**ENTRY, "env": {KEY: "phc_0123456789"}}}},
            "a key that starts with phc_ is a public project key",
            "make a personal API key",
        ),
        (
            "claude-code",
            "project/.mcp.json",
            {"mcpServers": {"core13-mcp": {"command": "/bin/sh", "args": ["-c", "echo core13-mcp; cat"]}}},
            "echo core13-mcp; cat: what it says on its standard output is not MCP",
            "try it in a shell",
        ),
    ],
)
def test_what_is_wrong_in_a_clients_file_is_told_with_the_fix(doctor, home, name, path, held, says, fix):
    at = client(home, path, held)

    report = doctor("--sandbox")

    assert (report.code, report.wrong) == (1, [f"client {name}"])
    line = report.line(f"client {name}", "wrong")
    assert str(at) in line["says"] and says in line["says"]
    assert line["fix"].startswith(fix)


def test_a_file_that_two_scopes_share_is_told_of_once(doctor, home):
    client(home, ".claude.json", "{")

    report = doctor("--sandbox")

    assert report.wrong == ["client claude-code"]


def test_in_the_home_folder_a_users_file_is_told_of_once(doctor, home, monkeypatch):
    monkeypatch.chdir(home)
    client(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": "uvx"}}})

    assert doctor("--sandbox").wrong == ["client cursor"]


def test_a_key_that_others_can_read_is_told_with_the_command_that_hides_it(doctor, home):
    at = client(
        home, ".config/zed/settings.json", {"context_servers": {"core13-mcp": {**ENTRY, "env": {KEY: FULL_KEY}}}}
    )
    at.chmod(0o644)

    report = doctor("--sandbox")

    assert report.line("client zed", "wrong")["fix"] == f"chmod 600 {at}"
    assert FULL_KEY not in report.text


@pytest.mark.parametrize(
    ("word", "says"), [("core13-mcp@0.0.1", "it pins 0.0.1"), ("core13-mcp", "no version is pinned")]
)
def test_a_pin_that_is_not_this_version_is_noted(doctor, home, tmp_path, word, says):
    uvx = tmp_path / "uvx"
    uvx.write_text(f'#!/bin/sh\nshift\nexec {COMMAND} "$@"\n')
    uvx.chmod(0o755)
    client(
        home,
        ".cursor/mcp.json",
        {"mcpServers": {"core13-mcp": {**ENTRY, "command": str(uvx), "args": [word, "serve"]}}},
    )

    report = doctor("--sandbox")

    line = report.line("client cursor", "note")
    assert says in line["says"]
    assert line["fix"].startswith("core13-mcp install cursor --uvx pins 0.1.0")
    assert report.line("client cursor", "ok")


def test_a_server_elsewhere_is_not_called(doctor, home):
    held = {"mcpServers": {"core13-mcp": {"url": "https://mcp.example.com/mcp"}}}
    at = client(home, ".cursor/mcp.json", held)

    line = doctor("--sandbox").line("client cursor", "ok")

    assert line["says"] == f"{at}: core13-mcp is a server elsewhere, which was not called"


def test_a_reference_to_a_variable_that_is_not_set_is_noted(doctor, home):
    reference = {"CORE13_SANDBOX": "true", KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}
    client(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "env": reference}}})

    report = doctor("--sandbox")

    assert (report.code, report.line("client cursor", "note")["fix"]) == (0, "set it where Cursor is started")


def test_a_file_that_is_not_text_is_told(doctor, home):
    client(home, ".cursor/mcp.json", "").write_bytes(b"\xff\xfe{}")

    assert "cannot be read (UnicodeDecodeError)" in doctor("--sandbox").line("client cursor", "wrong")["says"]


def test_a_program_that_needs_the_path_of_a_shell_is_told(doctor, home, tmp_path, monkeypatch):
    (tmp_path / "interpreter").symlink_to("/bin/sh")
    script = tmp_path / "wrapper"
    script.write_text(f'#!/usr/bin/env interpreter\nexec {COMMAND} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    client(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": str(script)}}})

    line = doctor("--sandbox").line("client cursor", "wrong")

    assert "it starts only with the PATH of a shell, which Cursor has not" in line["says"]
    assert line["fix"] == 'core13-mcp install cursor, or add "PATH" to its env'


def test_a_program_of_another_version_is_noted(doctor, home, tmp_path):
    script = tmp_path / "core13-mcp"
    script.write_text(f'#!/bin/sh\n{COMMAND} "$@" | sed -u \'s/"0\\.1\\.0"/"0.0.1"/\'\n')
    script.chmod(0o755)
    client(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": str(script)}}})

    line = doctor("--sandbox").line("client cursor", "note")

    assert line["says"].endswith("it runs 0.0.1, and this is 0.1.0")
    assert line["fix"] == "core13-mcp install cursor puts this one there"


def test_a_server_that_says_nothing_is_given_up(doctor, home):
    client(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {"command": "/bin/sleep", "args": ["99"]}}})

    report = doctor("--sandbox", "--timeout", "0.2")

    assert "it did not answer in 0.2 s" in report.line("client cursor", "wrong")["says"]


def test_nothing_is_written_anywhere(doctor, home, api):
    client(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": ENTRY}})
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    app = sandbox.build()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.listening(app)) as at:
        doctor("--host", at, **{KEY: FULL_KEY})

    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert app.state.outbox() == []


@pytest.mark.parametrize(("flag", "code", "last"), [("--sandbox", 0, "all well"), ("--host=nowhere", 1, "2 wrong")])
def test_in_a_process_of_its_own_it_prints_plain_lines_and_says_by_its_exit_whether_all_is_well(flag, code, last):
    ran = subprocess.run(
        [COMMAND, "doctor", flag], capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"X": "1"}
    )

    lines = ran.stdout.splitlines()
    assert (ran.returncode, lines[-1], ran.stderr) == (code, last, "")
    assert "\x1b" not in ran.stdout
    assert all(line.split()[0] in ("ok", "note", "wrong") for line in lines[:-1])


def said_by_a_call(key: str, origin: str, tool: str) -> str:
    """What the tool's own error tells whoever calls it to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY, key)
        patch.setenv("POSTHOG_HOST", origin)
        ran = subprocess.run([COMMAND, "call", tool], capture_output=True, text=True, timeout=60, check=False)
    return " ".join(ran.stderr.strip().splitlines()[1:])


@contextmanager
def with_scopes(folder: Path, scopes: str) -> Iterator[str]:
    """A sandbox on a port, in which READ_ONLY_KEY holds these scopes only."""
    app = sandbox.build(str(folder / "sandbox.db"))
    with closing(sqlite3.connect(folder / "sandbox.db")) as held, held:
        held.execute("update credential set doc = ? where secret = ?", (json.dumps({"scopes": scopes}), READ_ONLY_KEY))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(sandbox.listening(app)) as at:
        yield at


@contextmanager
def untrusted() -> Iterator[int]:
    """A port where TLS is spoken, with a certificate that nobody trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # It signs itself, for 127.0.0.1 and a hundred years, and opens nothing.
    context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))

    async def greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    @asynccontextmanager
    async def listening() -> AsyncIterator[int]:
        server = await asyncio.start_server(greeted, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1]

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening()) as port:
        yield port
