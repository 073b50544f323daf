"""`doctor` reports each problem of an installation in its own line, with a fix."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anyio.from_thread import start_blocking_portal

from core13_mcp import identity, sandbox
from core13_mcp.cli.main import main
from core13_mcp.declarations.catalog import load
from core13_mcp.identity import VERSION
from core13_mcp.sandbox import (
    FREE_KEY,
    FULL_KEY,
    NO_ORGANIZATION_KEY,
    OAUTH_TOKEN,
    OTHER_PROJECT_KEY,
    PUBLIC_KEY,
    READ_ONLY_KEY,
)
from core13_mcp.signin.source import SignInSource

from ...asgi import listening
from ...factories import store_sign_in
from ...processes import run_cli
from . import broken_setups
from .broken_setups import COMMAND, ENTRY, FAKE_SERVER, KEY, SANDBOX, sandbox_api, write_config, write_program

PLACEHOLDER = "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"
CODEX = f'[mcp_servers.core13-mcp]\ncommand = "{COMMAND}"\nenv_vars = ["{KEY}"]\nenv = {{ POSTHOG_HOST = "mars" }}\n'
UNKNOWN_KEY = "phx_sandboxNobody000000000000000000000000000000"
GET_A_KEY = "create a personal API key (phx_...) in PostHog under Settings"
PROJECT_ID = "POSTHOG_PROJECT_ID"
SESSION = {"POSTHOG_SESSION_ID": sandbox.SESSION_ID, "POSTHOG_CSRF_TOKEN": sandbox.CSRF_TOKEN}
ENDED_SESSION = SESSION | {"POSTHOG_SESSION_ID": "ended" + "0" * 27}
NO_TOKEN = {"POSTHOG_SESSION_ID": sandbox.SESSION_ID}


pytestmark = pytest.mark.usefixtures("fake_server")


def call_error(key: str, origin: str, tool: str) -> str:
    """The error of a call, without its first line."""
    run = run_cli("call", tool, **{KEY: key, "POSTHOG_HOST": origin})
    return " ".join(run.stderr.strip().splitlines()[1:])


def test_the_sandbox_has_no_problems(doctor):
    report = doctor("--sandbox")

    assert (report.status, report.wrong) == (0, [])
    assert report.finding("owner")["says"] == "ada@analytical.example"
    assert report.finding("project")["says"] == (
        'current project: 1 ("Engine"); projects of its organization: 1 (Engine), 2 (Mill)'
    )
    assert report.finding("session")["status"] == "ok"


def test_an_installed_client_and_a_good_key_have_no_problems(doctor, api):
    main(["install", "claude-code", "--host", api])

    report = doctor(**{KEY: FULL_KEY, "POSTHOG_HOST": api})

    assert (report.status, report.wrong) == (0, [])
    assert report.finding("key")["says"] == "a personal API key of 49 characters, from POSTHOG_PERSONAL_API_KEY"
    assert report.finding("host")["says"] == f"{api} answers"
    assert report.finding("client claude-code")["says"].endswith(
        f"core13-mcp {VERSION} with {len(load())} tools, with the account of ada@analytical.example"
    )


@pytest.mark.parametrize(
    ("key", "variables", "check", "message", "fix"),
    [
        ("", {}, "key skip", "there is no PostHog key and no sign-in", "run `core13-mcp login --host"),
        (PUBLIC_KEY, {}, "key wrong", "starts with phc_ is a public project key", GET_A_KEY),
        ("", {f"{KEY}_FILE": "/nowhere"}, "key wrong", "cannot be read", ""),
        (FREE_KEY, {}, "scope subscription:read note", "402 Payment Required", ""),
        (OTHER_PROJECT_KEY, {PROJECT_ID: "1"}, "scope subscription:read wrong", "does not have access to", ""),
        (NO_ORGANIZATION_KEY, {}, "project note", "the owner of the key has no current project", "create or join"),
        (
            FULL_KEY,
            {PROJECT_ID: "777"},
            "project wrong",
            "777 does not exist, or the key cannot access it; current",
            "correct",
        ),
        (READ_ONLY_KEY, {PROJECT_ID: "777"}, "project wrong", "the pinned project 777 does not exist", "correct"),
        (OTHER_PROJECT_KEY, {PROJECT_ID: "1"}, "project wrong", "the key cannot access it", "correct POSTHOG_PROJECT"),
        (FREE_KEY, {PROJECT_ID: "3"}, "project ok", "pinned project: 3; current project: 3", ""),
        (FULL_KEY, {}, "session note", "users-destroy need a login session, and none is set", "set POSTHOG_SESSION"),
        (FULL_KEY, ENDED_SESSION, "session wrong", "401 Unauthorized", "sign in to PostHog again"),
        (FULL_KEY, NO_TOKEN, "session wrong", "without its CSRF token", "set POSTHOG_CSRF_TOKEN as well"),
    ],
)
def test_a_problem_of_the_key_or_the_session_is_reported_with_a_fix(doctor, api, key, variables, check, message, fix):
    report = doctor(**({KEY: key} if key else {}), **variables, POSTHOG_HOST=api)

    finding = report.finding(*check.rsplit(" ", 1))
    assert message in finding["says"]
    assert finding["fix"].startswith(fix)
    assert report.finding("host")["status"] == "ok"
    assert not key or key not in report.text


@pytest.mark.parametrize(("has_client", "key", "status"), [(True, "skip", 3), (False, "wrong", 1)])
def test_a_shell_without_a_key_is_wrong_only_if_no_client_has_this_server(
    doctor, api, home, fake_server, has_client, key, status
):
    entry = {"command": fake_server, "env": {KEY: FULL_KEY, "POSTHOG_HOST": api}}
    write_config(home, "windsurf", entry if has_client else "{}")

    report = doctor(POSTHOG_HOST=api)

    assert report.finding("key", key)["fix"].startswith("run `core13-mcp login")
    assert (report.status, report.wrong) == (status, ["key"] if key == "wrong" else [])


def test_a_refused_key_has_the_fix_of_the_error_of_a_call(doctor, api):
    report = doctor(**{KEY: UNKNOWN_KEY, "POSTHOG_HOST": api})

    finding = report.finding("owner", "wrong")
    assert "401 Unauthorized" in finding["says"] and "invalid" in finding["says"]
    assert finding["fix"] == f"{call_error(UNKNOWN_KEY, api, 'users-retrieve')} Replace it, or correct POSTHOG_HOST"
    assert UNKNOWN_KEY not in report.text


def test_each_tool_is_listed_with_the_scope_that_the_key_has_or_lacks(doctor, tmp_path):
    with broken_setups.sandbox_with_scopes(tmp_path, "user:read subscription:write") as origin:
        report = doctor(**{KEY: READ_ONLY_KEY, "POSTHOG_HOST": origin})

    says = {finding["check"]: finding["says"] for finding in report.findings if finding["check"].startswith("scope ")}
    granted = ["user:read", "subscription:read", "subscription:write"]
    assert all(says[f"scope {name}"].startswith("granted, so the key can use ") for name in granted)
    assert says["scope user:write"].startswith("missing, so the key cannot use users-hedgehog-config-partial-update, ")
    assert "user:write" in report.finding("scope user:write", "wrong")["fix"]
    scopes = {tool.name: tool.endpoint.scope for tool in load().values() if tool.endpoint.scope}
    assert all(name in says[f"scope {scope}"] for name, scope in scopes.items())


@pytest.mark.parametrize(("region", "other"), [("us", "eu"), ("eu", "us")])
def test_a_refused_key_is_perhaps_one_of_the_other_region(doctor, monkeypatch, region, other):
    refused = httpx2.Response(401, json={"detail": "Invalid key."})
    transport = httpx2.MockTransport(lambda _: refused)
    monkeypatch.setattr("core13_mcp.api.client.PoolTransport", lambda _: transport)

    finding = doctor("--host", region, **{KEY: UNKNOWN_KEY}).finding("owner", "wrong")

    assert finding["says"].startswith(f"https://{region}.posthog.com: 401 Unauthorized")
    assert finding["fix"].endswith(f"Replace it, or set POSTHOG_HOST={other} if it is a key of that region")


@pytest.mark.parametrize(
    ("key", "shown"), [("%MY_KEY%", True), ("phx_...", True), ("${KEY}", True), ('"a-secret"', False)]
)
def test_a_placeholder_is_shown_and_a_key_is_not(doctor, key, shown):
    finding = doctor(**{KEY: key}).finding("key", "wrong")
    assert (key in finding["says"]) is shown
    assert "[withheld]" not in finding["fix"]


@pytest.mark.parametrize(
    ("reach", "pinned", "status", "message"),
    [
        ({"projects": [2]}, "1", "wrong", "the key reaches only the project 2, not 1"),
        ({"projects": [1, 2]}, "1", "note", "the key reaches only the projects 1, 2"),
        ({"organizations": ["o-1"]}, "1", "note", "the key reaches only the organization o-1"),
    ],
)
def test_the_restrictions_of_a_key_are_listed(doctor, tmp_path, reach, pinned, status, message):
    with broken_setups.sandbox_with_scopes(tmp_path, "*", **reach) as origin:
        report = doctor(**{KEY: READ_ONLY_KEY, "POSTHOG_HOST": origin, "POSTHOG_PROJECT_ID": pinned})

    assert report.finding("reach", status)["says"] == message


def test_a_sign_in_that_allows_too_little_is_reported_with_the_command_that_allows_more(doctor, api, tmp_path):
    store_sign_in(tmp_path, api, access_token=OAUTH_TOKEN, scoped_teams=[2])

    report = doctor(CORE13_LOGIN_DIR=str(tmp_path), POSTHOG_HOST=api, POSTHOG_PROJECT_ID="1")

    command = f"run `core13-mcp login --host {api}` in a terminal and "
    scope, reach = report.finding("scope user:write", "wrong"), report.finding("reach", "wrong")
    assert scope["says"].startswith("missing, so the sign-in cannot use users-hedgehog-config-partial-update, ")
    assert scope["fix"] == f"{command}allow user:write, or disable the tools"
    assert reach["says"] == "the sign-in reaches only the project 2, not 1"
    assert reach["fix"] == f"correct POSTHOG_PROJECT_ID, or {command}select this project"
    assert "the key" not in report.text


@pytest.mark.parametrize(
    ("fault", "message", "fix"),
    [
        ("error=oauth-invalid-grant; path=token", "ended (invalid_grant)", "run `core13-mcp login --host http://127"),
        ("status=403; path=token", "the sign-in could not be renewed: ", "run this command again later"),
    ],
)
def test_a_sign_in_that_posthog_does_not_renew_is_one_finding_of_a_complete_report(
    doctor, tmp_path, fault, message, fix
):
    with sandbox_api("error=token-expired; path=users", fault) as origin:
        store_sign_in(tmp_path, origin, access_token=OAUTH_TOKEN)
        report = doctor(CORE13_LOGIN_DIR=str(tmp_path), POSTHOG_HOST=origin)

    assert report.status == 1 and report.finding("client windsurf")
    finding = report.finding("key", "wrong")
    assert message in finding["says"] and finding["fix"].startswith(fix)


def test_a_sign_in_that_posthog_refuses_after_its_renewal_is_not_a_key_of_another_region(doctor, tmp_path, monkeypatch):
    async def renew(source: SignInSource, *_: Any, **__: Any) -> Any:
        return source()

    monkeypatch.setattr(SignInSource, "renew", renew)
    with sandbox_api("error=token-expired; path=users; times=2") as origin:
        store_sign_in(tmp_path, origin, access_token=OAUTH_TOKEN)
        finding = doctor(CORE13_LOGIN_DIR=str(tmp_path), POSTHOG_HOST=origin).finding("owner", "wrong")

    assert finding["says"].startswith(f"{origin}: 401 Unauthorized")
    assert finding["fix"].startswith("PostHog did not accept the sign-in.") and "Replace it" not in finding["fix"]


def test_a_server_that_does_not_describe_the_key_is_checked_with_reads(doctor):
    with sandbox_api("status=404; path=/api/personal_api_keys/; times=9") as origin:
        report = doctor(**{KEY: READ_ONLY_KEY, "POSTHOG_HOST": origin})

    assert report.finding("scope subscription:read")["says"].startswith("granted, so the key can use ")
    assert report.finding("scope user:write", "skip")["says"].startswith("not checked, because this version")


def test_a_pinned_project_that_cannot_be_checked_is_not_all_well(doctor):
    with sandbox_api("status=500; path=/projects/777/; times=9") as origin:
        report = doctor(**{KEY: FULL_KEY, PROJECT_ID: "777", "POSTHOG_HOST": origin})

    finding = report.finding("project", "skip")
    assert finding["says"].startswith("the pinned project 777 was not checked: 500 Internal Server Error")
    assert report.finding("scope subscription:read", "skip")
    assert report.status == 3


def test_the_session_is_not_checked_without_tools_that_need_one(doctor, api):
    report = doctor("--exclude-tools", "users-destroy,users-cred*", **{KEY: FULL_KEY, "POSTHOG_HOST": api})
    assert "session" not in [finding["check"] for finding in report.findings]


def test_a_missing_folder_of_tools_does_not_stop_the_other_checks(doctor):
    report = doctor("--sandbox", "--tools-dir", "/nowhere")

    assert "CORE13_TOOLS_DIR" in report.finding("tools", "wrong")["says"]
    assert report.finding("owner")["status"] == "ok"


@pytest.mark.parametrize(
    ("api", "check", "message", "fix"),
    [
        (sandbox_api("html; times=9"), "host", "body is not JSON", ""),
        (sandbox_api("status=503"), "owner", "503 Service Unavailable", ""),
        (nullcontext("http://127.0.0.1:1"), "host", "does not accept connections", "correct POSTHOG_HOST and its port"),
        (broken_setups.untrusted_certificate(), "tls", "the certificate of 127.0.0.1 is not trusted", "add your org"),
        (nullcontext("https://us.i.posthog.com"), "host", "does not serve this API", "use us"),
        (nullcontext("https://posthog.invalid"), "host", "the host name posthog.invalid cannot be resolved", "correct"),
        # Only the third request, with the login session, fails.
        (sandbox_api("delay=0.001; path=/@me/; times=2", "reset; path=/@me/"), "host", "accept connections", ""),
    ],
)
def test_a_problem_of_the_api_is_reported_with_a_fix(
    doctor, api: AbstractContextManager[str], check: str, message: str, fix: str
):
    with api as origin:
        finding = doctor("--host", origin, **{KEY: FULL_KEY}, **SESSION).finding(check, "wrong")
    assert message in finding["says"]
    assert finding["fix"].startswith(fix)


def test_an_api_that_does_not_answer_in_time_is_reported(doctor):
    with sandbox_api("delay=30; times=9") as origin:
        finding = doctor("--host", origin, "--timeout", "0.5", **{KEY: FULL_KEY}).finding("host", "wrong")
    assert finding["says"] == f"{origin} did not answer before the timeout"
    assert "HTTPS_PROXY" in finding["fix"]


def test_https_to_a_plain_http_port_is_reported(doctor, api):
    report = doctor("--host", api.replace("http://", "https://"), **{KEY: FULL_KEY})
    assert report.finding("tls", "wrong")["says"] == "127.0.0.1 does not answer with TLS (https) on this port"


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (
            "http://me:hunter22@127.0.0.1:1",
            "eu.posthog.com cannot be reached: the proxy 127.0.0.1:1 does not accept the connection",
        ),
        (
            "gopher://me:hunter22@proxy.example",
            "the URL of the proxy proxy.example does not start with http:// or https://",
        ),
        ("http://me:hunter22@", "the URL of the proxy names no host"),
        ("http://me:hunter22@proxy.example:none", "the URL of the proxy is invalid"),
    ],
)
def test_an_unusable_proxy_is_reported_without_its_password(doctor, proxy, message):
    report = doctor("--host", "eu", **{KEY: FULL_KEY, "HTTPS_PROXY": proxy})

    finding = report.finding("proxy", "wrong")
    assert finding["says"] == message
    assert finding["fix"].startswith("correct HTTPS_PROXY")
    assert report.finding("client windsurf")
    assert "hunter22" not in report.text


def test_invalid_settings_do_not_stop_the_other_checks(doctor):
    report = doctor("--sandbox", CORE13_READONLY="1", CORE13_TIMEOUT="soon")

    wrong = [finding for finding in report.findings if finding["check"] == "settings"]
    assert ["CORE13_READONLY" in wrong[0]["says"], "CORE13_TIMEOUT" in wrong[1]["says"]] == [True, True]
    assert 'Did you mean "CORE13_READ_ONLY"?' in wrong[0]["fix"]
    assert report.finding("owner")["status"] == "ok"


PROBLEMS: list[tuple[str, Any, str, str]] = [
    (
        "claude-desktop",
        {"command": "python3", "args": ["-m", "core13_mcp"]},
        "is not an absolute path",
        "an absolute path",
    ),
    (
        "vscode",
        json.dumps({"mcpServers": {"core13-mcp": ENTRY}}),
        'in "mcpServers", which VS Code does not',
        "remove it",
    ),
    (
        "cursor",
        '{"mcpServers": {\n  x',
        "line 2, column 3: Expecting property name enclosed in double quotes",
        "correct it",
    ),
    ("claude-code", "{", ".claude.json: line 1, column 2", "correct it there"),
    ("zed", {"command": "/gone/core13-mcp"}, "there is no program /gone/core13-mcp", "the current path"),
    (
        "claude-desktop",
        {**ENTRY, "env": {KEY: "${K}"}},
        "Claude Desktop does not expand variables such as ${K}",
        "asks",
    ),
    ("zed", {**ENTRY, "env": {KEY: PLACEHOLDER}}, f"{KEY} still contains the placeholder", "replace it with your key"),
    ("codex", CODEX, "'mars' is not us, eu or", ""),
    ("gemini", {"command": "core13-nowhere"}, '"core13-nowhere" is not on the PATH', "writes an absolute path"),
    ("windsurf", {**ENTRY, "env": {KEY: "phc_0123456789"}}, "starts with phc_ is a public project key", GET_A_KEY),
    ("claude-code", {"command": "/bin/sh", "args": ["-c", "echo core13-mcp; cat"]}, "is not MCP", "run the command in"),
    ("cursor", {"command": {"env": {KEY: "a-secret"}}}, '"command" is not a string', "install cursor writes a valid"),
    ("cursor", {**ENTRY, "env": ["A=a-secret"]}, '"env" is not an object', "install cursor writes a valid"),
    ("cursor", {"url": "https://a.example", "headers": "a-secret"}, '"headers" is not an object', "writes a valid"),
    (
        "cursor",
        {"command": "/bin/false", "args": ["core13-mcp", "a-secret"]},
        "/bin/false: the process ended without",
        "",
    ),
    ("cursor", b"\xff\xfe{}", "it is UTF-16 text", "save it as UTF-8"),
    ("cursor", {**ENTRY, "args": "serve"}, '"args" is not a list', "install cursor writes a valid"),
    ("cursor", {**ENTRY, "args": ["serve", 5]}, '"args" contains a value that is not a string', "in quotes"),
    ("codex", CODEX.replace('["', '[1, "'), '"env_vars" contains', ""),
    ("cursor", {**ENTRY, "env": {"CORE13_SANDBOX": True}}, 'CORE13_SANDBOX in "env" is not a string', 'write "true"'),
    ("zed", {**ENTRY, "env": {KEY: ["a-secret"]}}, f'{KEY} in "env" is not a string', "write its value as a string"),
    ("zed", {"type": "stdio"}, "neither a command nor a URL", "install zed writes a valid"),
    ("zed", {"command": "", "args": ["serve"]}, "neither a command nor a URL", "install zed writes a valid"),
    ("cursor", '{"mcpServers": {"core13-mcp": []}}', '"core13-mcp" is not an object', "install cursor writes a valid"),
    ("zed", {"command": "~/bin/core13-mcp"}, '"~/bin/core13-mcp" starts with ~', "an absolute path"),
    ("zed", {**ENTRY, "env": {f"{KEY}_FILE": "~/key"}}, f"{KEY}_FILE starts with ~", "write the whole path"),
    ("zed", {**ENTRY, "env": {"POSTHOG_API_KEY": "a-secret"}}, "does not read POSTHOG_API_KEY", f"rename it to {KEY}"),
    ("zed", {**ENTRY, "env": {"POSTHOG_HOSTS": "eu"}}, "does not read POSTHOG_HOSTS", "rename it to POSTHOG_HOST"),
    ("zed", {**ENTRY, "env": {KEY: '"phx_a-secret"'}}, "it is in quotation marks", "remove them"),
    ("zed", {**ENTRY, "env": {KEY: "<YOUR KEY>"}}, "<YOUR KEY> is a placeholder and not a key", GET_A_KEY),
    ("codex", "mcp_servers = 1", '"mcp_servers" is not a table', "one table with an entry per server"),
    ("codex", '[[mcp_servers]]\nname = "core13-mcp"', '"mcp_servers" is not a table', "correct it there"),
    (
        "cursor",
        '{"mcpServers": ["core13-mcp"]}',
        '"mcpServers" is not an object',
        "one object with an entry per server",
    ),
    (
        "codex",
        CODEX.replace('"mars"', f'"us", {KEY} = "${{K}}"'),
        "Codex does not expand variables",
        "lists the variable",
    ),
]


@pytest.mark.parametrize(("client", "entry", "message", "fix"), PROBLEMS)
def test_a_problem_in_the_file_of_a_client_is_reported_with_a_fix(doctor, home, client, entry, message, fix):
    path = write_config(home, client, entry)

    report = doctor("--sandbox")

    assert (report.status, report.wrong) == (1, [f"client {client}"])
    finding = report.finding(f"client {client}", "wrong")
    assert str(path) in finding["says"] and message in finding["says"]
    assert fix in finding["fix"]
    assert "a-secret" not in report.text


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("core13-mcp serve: unrecognized arguments: --read-olny\nSee: core13-mcp serve --help", "--read-olny"),
        ("error: Failed to fetch core13-mcp\n  Caused by: client error (Connect)", "error: Failed to fetch core13-mcp"),
        (
            "Resolving\n  \u00d7 No solution found:\n  ╰─▶ Because it was not found\nhint",
            "found: ╰─▶ Because it was not found",
        ),
        ("Traceback (most recent call last):\n  raise Error\nNameError: x\n", "NameError: x"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ("starting\nno luck", "no luck"),
    ],
)
def test_the_first_error_of_a_server_that_ends_is_reported(doctor, home, tmp_path, output, message):
    program = write_program(tmp_path / "core13-mcp-x", f"cat >&2 <<'END'\n{output}\nEND\nexit 1")
    write_config(home, "gemini", {"command": program})

    assert doctor("--sandbox").finding("client gemini", "wrong")["says"].endswith(message)


@pytest.mark.parametrize("client", ["cursor", "codex"])
def test_a_byte_order_mark_is_reported(doctor, home, fake_server, client):
    text = CODEX if client == "codex" else json.dumps({"mcpServers": {"core13-mcp": {"command": fake_server}}})
    path = write_config(home, client, "\ufeff" + text)

    findings = [one for one in doctor("--sandbox").findings if one["check"] == f"client {client}"]

    assert "starts with a byte order mark" in findings[0]["says"] and str(path) in findings[0]["says"]
    assert "save it as UTF-8 without a byte order mark" in findings[0]["fix"]


@pytest.mark.parametrize(("client", "field"), [("windsurf", {"disabled": True}), ("gemini", {"enabled": False})])
def test_an_entry_that_the_client_does_not_use_is_reported(doctor, home, fake_server, client, field):
    write_config(home, client, {"command": fake_server, "env": SANDBOX, **field})

    report = doctor("--sandbox")

    assert "does not use this entry" in report.finding(f"client {client}", "note")["says"]
    assert report.finding(f"client {client}", "ok")


@pytest.mark.parametrize(
    ("variables", "flags", "message"),
    [
        ({"POSTHOG_API_KEY": "phx_0123456789"}, [], "POSTHOG_API_KEY is set, but this server does not read it"),
        ({"POSTHOG_PROJECT": "1"}, [], "POSTHOG_PROJECT is set, but this server does not read it"),
        ({KEY: FULL_KEY, "CORE13_SANDBOX": "1"}, [], "the sandbox is chosen, so the API key is not used"),
        ({KEY: FULL_KEY, f"{KEY}_FILE": "/key"}, [], "are both set, so the file is not used"),
        ({KEY: FULL_KEY, "POSTHOG_API_KEY": "phc_for_the_website"}, [], None),
        ({KEY: FULL_KEY}, ["--sandbox"], None),
        ({"POSTHOG_FLAGS": "x", "NEXT_PUBLIC_POSTHOG_KEY": "x"}, ["--sandbox"], None),
    ],
)
def test_a_variable_without_effect_is_reported(doctor, api, variables, flags, message):
    report = doctor(*flags, **variables, POSTHOG_HOST=api)

    notes = [one["says"] for one in report.findings if (one["check"], one["status"]) == ("settings", "note")]
    assert [message in note for note in notes] == ([True] if message else [])


def test_in_the_home_folder_a_file_is_reported_once(doctor, home, monkeypatch):
    monkeypatch.chdir(home)
    write_config(home, "cursor", {**ENTRY, "command": "uvx"})

    assert doctor("--sandbox").wrong == ["client cursor"]


def test_a_key_that_others_can_read_is_reported(doctor, home):
    path = write_config(home, "zed", {**ENTRY, "env": {KEY: FULL_KEY}})
    path.chmod(0o644)

    report = doctor("--sandbox")

    assert report.finding("client zed", "wrong")["fix"] == f"chmod 600 {path}"
    assert FULL_KEY not in report.text


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        (FAKE_SERVER % VERSION, "ok", f"serve answers: core13-mcp {VERSION} with 0 tools"),
        ("echo no luck >&2; exit 3", "wrong", "the process ended with the message: no luck"),
    ],
)
def test_without_a_client_the_command_of_install_is_started(
    doctor, home, tmp_path, monkeypatch, script, status, message
):
    write_config(home, "windsurf", "{}")
    monkeypatch.setattr("sys.executable", write_program(tmp_path / "core13-mcp", script))

    report = doctor("--sandbox")

    assert report.finding("clients", "note")["fix"].startswith("core13-mcp install CLIENT adds it; clients: claude-")
    assert message in report.finding("handshake", status)["says"]


@pytest.mark.parametrize(
    ("entry", "status", "message"),
    [
        (
            {"command": "core13-mcp", "env": SANDBOX},
            "ok",
            f"core13-mcp {VERSION} with 0 tools, with the built-in sandbox",
        ),
        (json.dumps({"mcpServers": {"files": {"command": "/gone", "args": "x"}, "odd": None}}), None, None),
    ],
)
def test_a_file_without_problems_is_reported(doctor, home, fake_server, monkeypatch, entry, status, message):
    monkeypatch.setenv("PATH", f"{Path(fake_server).parent}:{os.environ['PATH']}")
    write_config(home, "gemini", entry)

    report = doctor("--sandbox")

    assert (report.status, report.wrong) == (0, [])
    assert message is None or message in report.finding("client gemini", status)["says"]


def test_a_program_without_its_interpreter_is_reported(doctor, home, tmp_path):
    program = write_program(tmp_path / "core13-mcp-x", "", "/gone")
    write_config(home, "cursor", {"command": program})

    message = doctor("--sandbox").finding("client cursor", "wrong")["says"]
    assert f"{program} cannot be started: No such file or directory" in message


@pytest.mark.parametrize(
    ("word", "version", "message", "fix"),
    [
        ("core13-mcp", VERSION, "no version is pinned", f"core13-mcp install cursor --uvx pins {VERSION}"),
        ("core13-mcp@0.0.1", "0.0.1", f"it runs version 0.0.1, but this is version {VERSION}", "core13-mcp install"),
        (f"core13-mcp@{VERSION}", VERSION, "", ""),
    ],
)
def test_a_command_that_can_start_another_version_is_reported(
    doctor, home, tmp_path, monkeypatch, word, version, message, fix
):
    monkeypatch.setattr(identity, "PUBLISHED", True)
    uvx = write_program(tmp_path / "uvx", FAKE_SERVER % version)
    write_config(home, "cursor", {"command": uvx, "args": [word, "serve"]})

    report = doctor("--sandbox")

    assert report.finding("client cursor", "ok")["says"].endswith(f"core13-mcp {version} with 0 tools")
    notes = [
        finding for finding in report.findings if (finding["check"], finding["status"]) == ("client cursor", "note")
    ]
    assert [message in note["says"] and note["fix"].startswith(fix) for note in notes] == [True] * bool(message)


@pytest.mark.parametrize(
    ("arguments", "is_wrong"),
    [
        (["core13-mcp", "serve"], True),
        (["core13-mcp[metrics]@0.1.0", "serve"], True),
        (["--from", "./core13_mcp.whl", "core13-mcp", "serve"], False),
        (["run", "server/main.py"], False),
    ],
)
def test_before_the_release_a_command_that_looks_up_the_name_is_not_started(
    doctor, home, tmp_path, arguments, is_wrong
):
    uvx = write_program(tmp_path / "uvx", f"touch {tmp_path}/started\n" + FAKE_SERVER % VERSION)
    write_config(home, "cursor", {"command": uvx, "args": arguments})

    finding = doctor("--sandbox").finding("client cursor", "wrong" if is_wrong else "ok")

    assert ("is not published on PyPI yet" in finding["says"]) is is_wrong
    assert (tmp_path / "started").exists() is not is_wrong


def test_a_program_that_needs_the_path_of_the_shell_is_reported(doctor, home, tmp_path, monkeypatch):
    (tmp_path / "interpreter").symlink_to("/bin/sh")
    program = write_program(tmp_path / "core13-mcp-x", FAKE_SERVER % VERSION, "/usr/bin/env interpreter")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    write_config(home, "cursor", {"command": program})

    finding = doctor("--sandbox").finding("client cursor", "wrong")

    assert "it starts only with the PATH of your shell, which Cursor does not see" in finding["says"]
    assert finding["fix"] == 'core13-mcp install cursor, or add "PATH" to its env'


def test_a_server_that_does_not_answer_is_stopped(doctor, home):
    write_config(home, "cursor", {"command": "/bin/sleep", "args": ["99"]})

    report = doctor("--sandbox", "--timeout", "0.2")

    assert "the server did not answer within 0.2 s" in report.finding("client cursor", "wrong")["says"]


def test_doctor_writes_no_files_and_sends_no_mail(doctor, home):
    write_config(home, "cursor", ENTRY)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    app: Any = sandbox.build()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as origin:
        doctor("--host", origin, **{KEY: FULL_KEY})

    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert app.state.outbox() == []


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("flag", "status", "last"), [("--sandbox", 0, "all well"), ("--host=nowhere", 1, "1 wrong, 1 not checked")]
)
def test_the_exit_status_states_whether_there_are_problems(flag, status, last, home):
    run = run_cli("doctor", flag)

    lines = run.stdout.splitlines()
    assert (run.returncode, lines[-1], run.stderr) == (status, last, "")
    assert "`core13-mcp drift` compares them" in next(line for line in lines if line.startswith("ok     tools"))
    assert "\x1b" not in run.stdout
    assert {line.split()[0] for line in lines[:-1]} <= {"ok", "note", "wrong", "skip"}


def test_the_last_line_counts_what_is_wrong_and_what_was_not_checked(capsys, home):
    write_config(home, "cursor", {"url": "https://mcp.example/sse", "type": "sse"})
    assert main(["doctor", "--sandbox"]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == "nothing wrong, 1 not checked"

    assert main(["doctor", "--sandbox", "--tools-dir", "/nowhere"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 wrong, 1 not checked"


@pytest.mark.parametrize("width", [60, 120])
def test_the_lines_are_as_wide_as_the_terminal(monkeypatch, capsys, home, width):
    write_config(home, "cursor", {"command": "uvx"})
    monkeypatch.setenv("COLUMNS", str(width))

    assert main(["doctor", "--sandbox"]) == 1

    lines = capsys.readouterr().out.splitlines()
    # A path is not broken, so that it can be copied.
    assert [line for line in lines if len(line) > width and str(home) not in line] == []
    assert max(map(len, lines)) > width - 20
    [fix] = [line for line in lines if "-> core13-mcp install cursor" in line]
    assert fix.startswith("  ")
