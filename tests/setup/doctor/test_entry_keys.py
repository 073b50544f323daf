"""`doctor` checks the key and the project of each entry with the requests of its own settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from core13_mcp.identity import VERSION
from core13_mcp.sandbox import FULL_KEY

from .broken_setups import FAKE_SERVER, KEY, SANDBOX, sandbox_api, write_config, write_program

UNKNOWN_KEY = "phx_sandboxNobody000000000000000000000000000000"
REFUSED = "it is wrong, was revoked, or belongs to another region or host"
ADA = f"core13-mcp {VERSION} with 0 tools, with the account of ada@analytical.example"

pytestmark = pytest.mark.usefixtures("fake_server")


def write_entry(home: Path, client: str, command: str, env: Mapping[str, str] | None = None, **fields: Any) -> Path:
    value = {"command": command, **({} if env is None else {"env": env}), **fields}
    text = tomlkit.dumps({"mcp_servers": {"core13-mcp": value}})
    return write_config(home, client, text if client == "codex" else value)


@pytest.mark.parametrize(
    ("client", "fields", "shell"),
    [
        ("zed", {"env": {KEY: UNKNOWN_KEY}}, {}),
        ("cursor", {"env": {KEY: f"${{env:{KEY}}}"}}, {KEY: UNKNOWN_KEY}),
        ("claude-code", {}, {KEY: UNKNOWN_KEY}),
        ("claude-code", {"env": {KEY: f"${{NOT_SET:-{UNKNOWN_KEY}}}"}}, {}),
        ("codex", {"env_vars": [KEY]}, {KEY: UNKNOWN_KEY}),
        ("gemini", {"env": {KEY: f"${KEY}"}}, {KEY: UNKNOWN_KEY}),
    ],
)
def test_a_key_that_the_api_refuses_is_reported(doctor, api, home, fake_server, client, fields, shell):
    env = {"POSTHOG_HOST": api, **fields.pop("env", {})}
    path = write_entry(home, client, fake_server, env, **fields)

    report = doctor("--sandbox", **shell)

    finding = report.finding(f"client {client}", "wrong")
    assert report.status == 1
    assert finding["says"].startswith(f"{path}: {api}: 401 Unauthorized") and REFUSED in finding["fix"]
    assert UNKNOWN_KEY not in report.text


@pytest.mark.parametrize("where", ["env", "flag"])
@pytest.mark.parametrize(("project", "status"), [("777", "wrong"), ("1", "ok")])
def test_the_project_of_an_entry_is_checked(doctor, api, home, fake_server, where, project, status):
    env = {KEY: FULL_KEY, "POSTHOG_HOST": api} | ({"POSTHOG_PROJECT_ID": project} if where == "env" else {})
    args = ["serve", "--project-id", project, "--read-only"] if where == "flag" else ["serve"]
    write_entry(home, "cursor", fake_server, env, args=args)

    report = doctor("--sandbox")

    assert report.status == (status == "wrong")
    assert report.finding("client cursor", "ok")["says"].endswith(ADA)
    if status == "wrong":
        assert (
            "the pinned project 777 does not exist, or the key cannot access it"
            in report.finding("client cursor", "wrong")["says"]
        )


def test_the_key_file_of_an_entry_is_read_where_the_server_runs(doctor, api, home, fake_server):
    (home / "key").write_text(FULL_KEY)
    env = {f"{KEY}_FILE": "key", "POSTHOG_HOST": api}
    write_entry(home, "cursor", fake_server, env)

    assert doctor("--sandbox").finding("client cursor", "ok")["says"].endswith(ADA)

    (home / "key").unlink()
    assert "it cannot be read: No such file" in doctor("--sandbox").finding("client cursor", "wrong")["says"]


def test_the_same_account_is_checked_once(doctor, home, fake_server):
    with sandbox_api("status=503; path=/@me/; times=1") as origin:
        for client in ("cursor", "zed", "gemini"):
            write_entry(home, client, fake_server, {KEY: FULL_KEY, "POSTHOG_HOST": origin})
        report = doctor("--sandbox")

    assert report.wrong == ["client cursor", "client gemini", "client zed"]


@pytest.mark.parametrize(
    ("client", "fields", "reason"),
    [
        ("vscode", {"env": {KEY: "${input:posthog-personal-api-key}"}}, "only VS Code knows it"),
        ("cursor", {"env": {KEY: f"${{env:{KEY}}}"}}, f"{KEY} is not set here"),
        ("codex", {"env_vars": [KEY]}, f"{KEY} is not set here"),
        # The server is another version.
        ("cursor", {"env": {"CORE13_TIMEOUT": "soon"}}, "CORE13_TIMEOUT: not a number"),
    ],
)
def test_a_key_that_cannot_be_checked_is_not_all_well(doctor, home, fake_server, client, fields, reason):
    write_entry(home, client, fake_server, **fields)

    report = doctor("--sandbox")

    assert (report.status, json.loads(report.text)["ok"]) == (3, False)
    message = report.finding(f"client {client}", "skip")["says"]
    assert "the key was not checked" in message and reason in message


def test_two_sources_of_credentials_in_an_entry_are_reported(doctor, home, fake_server):
    write_entry(home, "cursor", fake_server, {KEY: FULL_KEY, **SANDBOX})

    report = doctor("--sandbox")

    assert "the sandbox is chosen, so the API key is not used" in report.finding("client cursor", "note")["says"]


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        ([], "skip", "the key was not checked, because this project names the host"),
        (["--run-project-commands"], "ok", ADA),
        (["--host", "API"], "ok", ADA),
    ],
)
def test_a_key_is_not_sent_to_a_host_that_only_a_file_of_the_project_names(
    doctor, api, home, tmp_path, monkeypatch, flags, status, message
):
    folder = tmp_path / "venv"
    folder.mkdir()
    monkeypatch.setattr("sys.executable", write_program(folder / "python", FAKE_SERVER % VERSION))
    program = write_program(folder / "core13-mcp", FAKE_SERVER % VERSION)
    path = home / "project" / ".cursor" / "mcp.json"
    path.parent.mkdir()
    env = {KEY: f"${{env:{KEY}}}", "POSTHOG_HOST": api}
    path.write_text(json.dumps({"mcpServers": {"core13-mcp": {"command": program, "env": env}}}))

    report = doctor("--sandbox", *(flag.replace("API", api) for flag in flags), **{KEY: FULL_KEY})

    assert message in report.finding("client cursor", status)["says"]
