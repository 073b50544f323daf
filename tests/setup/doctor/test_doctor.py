"""`doctor`: each thing that can be wrong has a line of its own, with the fix beside it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from core13_mcp import sandbox
from core13_mcp.cli.main import main
from core13_mcp.sandbox import FULL_KEY, PUBLIC_KEY, READ_ONLY_KEY
from core13_mcp.setup.doctor.clients import _own_command as own_command
from core13_mcp.setup.doctor.finding import Finding

from ...asgi import listening
from . import broken
from .broken import COMMAND, ENTRY, KEY, program, write


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

    def of(self, check: str) -> list[str]:
        return [one["status"] for one in self.findings if one["check"] == check]

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

    monkeypatch.setattr("core13_mcp.setup.doctor.clients._own_command", answered)


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The sandbox on a port."""
    with broken.api() as at:
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
    with broken.with_scopes(tmp_path, "user:read") as at:
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


def test_a_connection_that_breaks_where_the_session_is_tried_is_told(doctor):
    with broken.api("delay=0.001; path=/users/@me/; times=2", "reset; path=/users/@me/") as at:
        session = {"POSTHOG_SESSION_ID": sandbox.SESSION_ID, "POSTHOG_CSRF_TOKEN": sandbox.CSRF_TOKEN}
        report = doctor(**{KEY: FULL_KEY, "POSTHOG_HOST": at, **session})

    assert report.line("owner")["status"] == "ok"
    assert report.line("host", "wrong")["says"].startswith(f"{at} takes no connections")


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
    with broken.api("delay=5; times=9") as at:
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
    with broken.nobody() as at:
        report = doctor("--host", at, **{KEY: FULL_KEY})

    assert "takes no connections" in report.line("host", "wrong")["says"]


def test_a_proxy_that_is_not_there_is_told_without_its_password(doctor):
    with broken.nobody() as at:
        report = doctor("--host", "eu", **{KEY: FULL_KEY, "HTTPS_PROXY": at.replace("//", "//me:hunter22@")})

    line = report.line("proxy", "wrong")
    assert f"through the proxy {at.removeprefix('http://')}" in line["says"]
    assert line["fix"] == "correct HTTPS_PROXY (http:// or https://), or go past it with NO_PROXY=eu.posthog.com"
    assert "hunter22" not in report.text


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("gopher://me:hunter22@proxy.example", "proxy.example"),
        ("socks5://me:hunter22@proxy.example:1080", "proxy.example:1080"),
        ("http://me:hunter22@proxy.example:none", "whose URL cannot be read"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_and_the_rest_looked_at(doctor, proxy, shown):
    report = doctor("--host", "eu", **{KEY: FULL_KEY, "HTTPS_PROXY": proxy})

    assert report.line("proxy", "wrong")["says"] == (
        f"https://eu.posthog.com cannot be reached through the proxy {shown} (ProxyError)"
    )
    assert report.line("clients")
    assert "hunter22" not in report.text


def test_a_certificate_that_is_not_trusted_is_told(doctor):
    with broken.untrusted() as at:
        report = doctor("--host", at, **{KEY: FULL_KEY})

    line = report.line("tls", "wrong")
    assert line["says"].startswith("the certificate of 127.0.0.1 is not trusted")
    assert "trust store" in line["fix"]


def test_https_to_a_port_that_speaks_http_is_told(doctor, api):
    report = doctor("--host", api.replace("http://", "https://"), **{KEY: FULL_KEY})

    assert report.line("tls", "wrong")["says"].startswith("no TLS with")


def test_something_else_than_posthog_at_the_host_is_told(doctor):
    with broken.api("html; times=9") as at:
        report = doctor("--host", at, **{KEY: FULL_KEY})

    line = report.line("host", "wrong")
    assert "body is not JSON" in line["says"]
    assert "Another service than PostHog" in line["fix"]


def test_what_happens_once_is_told_and_not_tried_away(doctor):
    with broken.api("status=503") as at:
        report = doctor("--host", at, **{KEY: FULL_KEY})

    assert report.line("owner", "wrong")["says"].startswith("503 Service Unavailable")
    assert report.line("scope user:read")["status"] == "ok"


def test_a_setting_that_does_not_exist_is_told_and_the_rest_still_looked_at(doctor):
    report = doctor("--sandbox", CORE13_READONLY="1", CORE13_TIMEOUT="soon")

    wrong = [line for line in report.findings if line["check"] == "settings"]
    assert [line["says"].partition(":")[0] for line in wrong] == ["CORE13_READONLY is not a setting", "CORE13_TIMEOUT"]
    assert [line["fix"] for line in wrong] == [
        "did you mean CORE13_READ_ONLY?",
        "it means: seconds for a whole call, retries included",
    ]
    assert report.line("owner")["status"] == "ok"


@pytest.mark.parametrize(
    ("what", "says", "fix"),
    [
        (
            "The command is relative",
            '"uvx" is relative: Claude Desktop is not started from a shell, and has not its PATH',
            "core13-mcp install claude-desktop writes the absolute command",
        ),
        (
            "The server is under the wrong name",
            'core13-mcp is under "mcpServers", where VS Code does not look',
            "take it out there, and run `core13-mcp install vscode`",
        ),
        (
            "The client's file is not JSON",
            'line 2, column 33: a name in "quotes" is expected here',
            "correct it there",
        ),
        (
            "The command is not there any more",
            "there is no program /gone/core13-mcp",
            "core13-mcp install zed writes the one that is running now",
        ),
        (
            "A reference in a client that knows none",
            "Claude Desktop puts nothing in the place of ${POSTHOG_PERSONAL_API_KEY}",
            "core13-mcp install claude-desktop asks for the key itself",
        ),
        (
            "The key is still the placeholder",
            "POSTHOG_PERSONAL_API_KEY is still the placeholder",
            "put the key in its place",
        ),
        (
            "The client passes no key on",
            "it ended, saying: POSTHOG_PERSONAL_API_KEY is not set",
            "core13-mcp install cursor enters it; make a personal API key",
        ),
        ("A setting in the client's file is wrong", "'mars' is not us, eu or an origin", ""),
        (
            "The command is not on the PATH",
            '"core13-nowhere" is not on the PATH',
            "core13-mcp install gemini writes the absolute command",
        ),
        (
            "The key in the client's file is of the wrong kind",
            "a key that starts with phc_ is a public project key",
            "make a personal API key",
        ),
        (
            "What the client runs speaks no MCP",
            "/bin/sh: what it says on its standard output is not MCP",
            "try it in a shell",
        ),
    ],
)
def test_what_is_wrong_in_a_clients_file_is_told_with_the_fix(doctor, home, what, says, fix):
    name, path, held = broken.FILES[what]
    at = write(home, path, held)

    report = doctor("--sandbox")

    assert (report.code, report.wrong) == (1, [f"client {name}"])
    line = report.line(f"client {name}", "wrong")
    assert str(at) in line["says"] and says in line["says"]
    assert line["fix"].startswith(fix)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"command": {"path": "x", "env": {KEY: "a-secret-word"}}}, 'its "command" is not a string'),
        ({**ENTRY, "env": ["A=a-secret-word"]}, 'its "env" is not an object'),
        ({"url": "https://mcp.example.com/mcp", "headers": "a-secret-word"}, 'its "headers" is not an object'),
    ],
)
def test_what_has_the_wrong_shape_in_a_clients_file_is_told_and_not_quoted(doctor, home, entry, says):
    write(home, broken.DESKTOP, {"mcpServers": {"core13-mcp": entry}})
    report = doctor("--sandbox")
    assert says in report.line("client claude-desktop", "wrong")["says"]
    assert "a-secret-word" not in report.text


def test_what_an_entry_is_started_with_is_not_quoted(doctor, home):
    through = {"command": "/bin/false", "args": ["core13-mcp", "--header", "Authorization: Bearer a-secret-word"]}
    write(home, broken.DESKTOP, {"mcpServers": {"core13-mcp": through}})
    report = doctor("--sandbox")
    assert "/bin/false: it ended" in report.line("client claude-desktop", "wrong")["says"]
    assert "a-secret-word" not in report.text


def test_a_file_that_two_scopes_share_is_told_of_once(doctor, home):
    write(home, ".claude.json", "{")

    report = doctor("--sandbox")

    assert report.wrong == ["client claude-code"]


def test_in_the_home_folder_a_users_file_is_told_of_once(doctor, home, monkeypatch):
    monkeypatch.chdir(home)
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": "uvx"}}})

    assert doctor("--sandbox").wrong == ["client cursor"]


def test_a_key_that_others_can_read_is_told_with_the_command_that_hides_it(doctor, home):
    at = write(
        home, ".config/zed/settings.json", {"context_servers": {"core13-mcp": {**ENTRY, "env": {KEY: FULL_KEY}}}}
    )
    at.chmod(0o644)

    report = doctor("--sandbox")

    assert report.line("client zed", "wrong")["fix"] == f"chmod 600 {at}"
    assert FULL_KEY not in report.text


def test_the_command_that_install_would_write_is_tried_where_no_client_has_one(doctor, tmp_path, monkeypatch):
    monkeypatch.setattr("core13_mcp.setup.doctor.clients._own_command", own_command)
    monkeypatch.setattr("sys.executable", program(tmp_path / "core13-mcp", "echo no luck >&2; exit 3"))

    line = doctor("--sandbox").line("handshake", "wrong")

    assert line["says"] == "it ended, saying: no luck"


def test_other_peoples_servers_are_none_of_its_business(doctor, home):
    others = {"files": {"command": "/gone/files", "args": "x"}, "odd": None, "core13-mcp": ENTRY}
    write(home, ".cursor/mcp.json", {"mcpServers": others})

    report = doctor("--sandbox")

    assert (report.code, report.wrong) == (0, [])
    assert report.line("client cursor")["status"] == "ok"


def test_a_command_on_the_path_is_enough_for_a_client_that_is_started_in_a_shell(doctor, home, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(COMMAND).parent}:{os.environ['PATH']}")
    write(home, ".gemini/settings.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": "core13-mcp"}}})

    assert doctor("--sandbox").line("client gemini")["status"] == "ok"


@pytest.mark.parametrize(
    ("interpreter", "says"),
    [("/gone", "cannot be started: No such file or directory"), ("/bin/sh", "it ended without a word")],
)
def test_a_command_that_does_not_start_is_told_with_the_reason(doctor, home, tmp_path, interpreter, says):
    at = program(tmp_path / "core13-mcp", "read hello", interpreter)
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": at}}})

    assert says in doctor("--sandbox").line("client cursor", "wrong")["says"]


def test_a_server_that_says_something_before_it_answers_is_heard_out(doctor, home, tmp_path):
    first = '{"jsonrpc": "2.0", "method": "notifications/message", "params": {}}'
    at = program(tmp_path / "core13-mcp", f"echo '{first}'; exec {COMMAND} \"$@\"")
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": at}}})

    assert doctor("--sandbox").line("client cursor")["status"] == "ok"


def test_this_version_pinned_is_well(doctor, home, tmp_path):
    pinned = {**ENTRY, "command": broken.uvx(tmp_path), "args": [f"core13-mcp@{version('core13-mcp')}", "serve"]}
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": pinned}})

    assert doctor("--sandbox").of("client cursor") == ["ok"]


@pytest.mark.parametrize(
    ("word", "says"), [("core13-mcp@0.0.1", "it pins 0.0.1"), ("core13-mcp", "no version is pinned")]
)
def test_a_pin_that_is_not_this_version_is_noted(doctor, home, tmp_path, word, says):
    pinned = {**ENTRY, "command": broken.uvx(tmp_path), "args": [word, "serve"]}
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": pinned}})

    report = doctor("--sandbox")

    line = report.line("client cursor", "note")
    assert says in line["says"]
    assert line["fix"].startswith("core13-mcp install cursor --uvx pins 0.1.0")
    assert report.line("client cursor", "ok")


def test_a_server_elsewhere_is_not_called(doctor, home):
    held = {"mcpServers": {"core13-mcp": {"url": "https://mcp.example.com/mcp"}}}
    at = write(home, ".cursor/mcp.json", held)

    line = doctor("--sandbox").line("client cursor", "ok")

    assert line["says"] == f"{at}: core13-mcp is a server elsewhere, which was not called"


def test_a_reference_to_a_variable_that_is_not_set_is_noted(doctor, home):
    reference = {"CORE13_SANDBOX": "true", KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "env": reference}}})

    report = doctor("--sandbox")

    assert (report.code, report.line("client cursor", "note")["fix"]) == (0, "set it where Cursor is started")


def test_a_file_that_is_not_text_is_told(doctor, home):
    write(home, ".cursor/mcp.json", "").write_bytes(b"\xff\xfe{}")

    assert "cannot be read (UnicodeDecodeError)" in doctor("--sandbox").line("client cursor", "wrong")["says"]


def test_a_program_that_needs_the_path_of_a_shell_is_told(doctor, home, tmp_path, monkeypatch):
    (tmp_path / "interpreter").symlink_to("/bin/sh")
    script = program(tmp_path / "wrapper", f'exec {COMMAND} "$@"', "/usr/bin/env interpreter")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": script}}})

    line = doctor("--sandbox").line("client cursor", "wrong")

    assert "it starts only with the PATH of a shell, which Cursor has not" in line["says"]
    assert line["fix"] == 'core13-mcp install cursor, or add "PATH" to its env'


def test_a_program_of_another_version_is_noted(doctor, home, tmp_path):
    script = program(tmp_path / "core13-mcp", f'{COMMAND} "$@" | sed -u \'s/"0\\.1\\.0"/"0.0.1"/\'')
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {**ENTRY, "command": script}}})

    line = doctor("--sandbox").line("client cursor", "note")

    assert line["says"].endswith("it runs 0.0.1, and this is 0.1.0")
    assert line["fix"] == "core13-mcp install cursor puts this one there"


def test_a_server_that_says_nothing_is_given_up(doctor, home):
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": {"command": "/bin/sleep", "args": ["99"]}}})

    report = doctor("--sandbox", "--timeout", "0.2")

    assert "it did not answer in 0.2 s" in report.line("client cursor", "wrong")["says"]


def test_nothing_is_written_anywhere(doctor, home, api):
    write(home, ".cursor/mcp.json", {"mcpServers": {"core13-mcp": ENTRY}})
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    app = sandbox.build()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as at:
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
