"""Configuration snippets and install links for clients of a server over HTTP."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.snippets import links, snippets

URL = "https://tools.example.com/mcp"


def snippet_texts(auth: str) -> dict[str, str]:
    return {client: text for client, _, text in snippets(auth, URL)}


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("none", None),
        ("oauth", None),
        ("token", {"Authorization": "Bearer ${env:CORE13_TOKEN}"}),
        ("own-key", {"X-PostHog-Api-Key": "${env:POSTHOG_PERSONAL_API_KEY}"}),
    ],
)
def test_the_links_contain_the_entry_of_the_client(auth: str, headers: dict[str, str] | None) -> None:
    vscode, cursor = (urlsplit(href) for _, href in links(auth, URL))
    cursor_entry = json.loads(base64.b64decode(parse_qs(cursor.query)["config"][0]))
    assert cursor_entry == {"url": URL, **({"headers": headers} if headers else {})}
    vscode_entry = json.loads(unquote(vscode.query))
    assert (vscode_entry["name"], vscode_entry["type"], vscode_entry["url"]) == ("core13-mcp", "http", URL)
    assert bool(headers) == ("inputs" in vscode_entry) == ("headers" in vscode_entry)
    if headers:
        assert f"${{input:{vscode_entry['inputs'][0]['id']}}}" in str(vscode_entry["headers"])
        assert vscode_entry["inputs"][0]["password"] is True


def test_each_snippet_has_the_format_of_its_client() -> None:
    texts = snippet_texts("token")
    assert json.loads(texts["Cursor"])["mcpServers"]["core13-mcp"]["url"] == URL
    assert json.loads(texts["VS Code"])["servers"]["core13-mcp"]["type"] == "http"
    assert 'bearer_token_env_var = "CORE13_TOKEN"' in texts["Codex"]
    assert f"--transport http core13-mcp {URL}" in texts["Claude Code"]
    assert '--header "Authorization: Bearer $CORE13_TOKEN"' in texts["Claude Code"]


def test_every_client_that_can_connect_to_a_server_has_a_snippet() -> None:
    expected = {client.title for client in CLIENTS.values() if client.url_field}
    assert {client for client, *_ in snippets("none", URL)} == expected
