"""No value in the file of a client ends `doctor` with an error."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.doctor.entries import Entry, find_entries
from core13_mcp.setup.doctor.entry_checks import check_entry
from core13_mcp.setup.doctor.passed_on import process_environment, request_headers
from core13_mcp.setup.doctor.project import own_command
from core13_mcp.setup.environment import Environment

TEXTS = st.sampled_from(
    [
        "",
        "~",
        "serve",
        "--timeout",
        "--sandbox=",
        "core13-mcp",
        "${KEY}",
        "${A:-b}",
        "{env:A}",
        "$A",
        "phx_a",
        "\u2028",
        "http://[",
    ]
)
NAMES = st.sampled_from(
    ["POSTHOG_PERSONAL_API_KEY", "POSTHOG_HOSTS", "CORE13_SANDBOX", "Authorization", "x-posthog-api-key", "A"]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
# YAML has keys that are no texts.
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(NAMES | st.integers(), SCALARS, max_size=3))
FIELDS = st.sampled_from(
    [
        "command",
        "args",
        "env",
        "env_vars",
        "environment",
        "cmd",
        "envs",
        "env_keys",
        "url",
        "uri",
        "httpUrl",
        "headers",
        "http_headers",
        "env_http_headers",
        "bearer_token_env_var",
        "disabled",
        "enabled",
        "type",
    ]
)
SERVERS = st.dictionaries(
    st.sampled_from(["core13-mcp", "other"]) | st.integers(),
    st.one_of(VALUES, st.dictionaries(FIELDS, VALUES)),
    max_size=2,
)


def text_of(client: str, content: Any) -> str:
    if CLIENTS[client].format != "yaml":
        return json.dumps(content)
    stream = StringIO()
    YAML().dump(content, stream)
    return stream.getvalue()


def check(entry: Entry, environment: Environment) -> None:
    assert all(finding.message and finding.fix for finding in check_entry(entry, environment))
    process_environment(entry, environment)
    request_headers(entry, environment)
    if entry.command:
        own_command(entry, environment)


@pytest.mark.parametrize("client", ["cursor", "vscode", "opencode", "goose"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(servers=st.one_of(SERVERS, VALUES))
def test_odd_values_in_a_file_are_findings(home: Path, client: str, servers: Any) -> None:
    environment = Environment.current()
    file = CLIENTS[client].config_file(environment)
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_text(text_of(client, {file.client.servers_key: servers}), "utf-8")

    entries, findings = find_entries(file)

    assert all(finding.message and finding.fix for finding in findings)
    for entry in entries:
        check(entry, environment)
