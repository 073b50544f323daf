"""What a browser sees that opens the server's address."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import anyio
import httpx2
import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.settings import Settings
from core13_mcp.setup.snippets import Connection, links, snippets
from core13_mcp.transports.http.landing.page import Instructions, page

from .http_server import client, serving

pytestmark = pytest.mark.anyio

URL = "https://tools.example.com/mcp"


class Seen(HTMLParser):
    """The parts of a page that tests look at."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._in: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in.append(dict(attrs).get("aria-label") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._in.pop()

    def handle_data(self, data: str) -> None:
        if self._in:
            self.text[self._in[-1]] = self.text.get(self._in[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def instructions(auth: str, url: str) -> Instructions:
    connection = Connection.for_auth(auth, url)
    return Instructions(auth, url, links(connection), snippets(connection))


def seen(auth: str = "none", **said: Any) -> Seen:
    return Seen(bytes(page(load(), instructions(auth, said.get("url", URL)), said.get("notes", [])).body).decode())


@pytest.mark.parametrize("path", ["/", "/mcp"])
async def test_a_browser_gets_the_page_at_either_address(url: str, path: str) -> None:
    with anyio.fail_after(20):
        async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
            answer = await http.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert url in answer.text
    assert "SANDBOX" in answer.text
    for tool in load():
        assert tool in answer.text


async def test_a_public_address_is_shown_instead_of_the_socket() -> None:
    with anyio.fail_after(20):
        async with serving(Settings(sandbox=True, auth="own-key", http_url=URL, log_level="error")) as served:
            port = served.listener.getsockname()[1]
            async with httpx2.AsyncClient() as http:
                answer = await http.get(f"http://127.0.0.1:{port}/")
    assert URL in answer.text
    assert str(port) not in answer.text


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    shown, answer = seen(), page(load(), instructions("none", URL), [])
    loads = [attributes.get(name) for _, attributes in shown.tags for name in ("src", "srcset", "action", "data")]
    assert [source for source in loads if source] == []
    assert [link["href"] for link in shown.all("link")] == ["data:,"]
    assert not shown.all("script")
    policy = answer.headers["Content-Security-Policy"]
    style = base64.b64encode(hashlib.sha256(shown.text["style"].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{style}';")


def test_it_can_be_read_by_keyboard_and_screen_reader() -> None:
    shown = seen()
    ids = {attributes["id"] for _, attributes in shown.tags if "id" in attributes}
    assert shown.all("html") == [{"lang": "en"}]
    assert [name for name, _ in shown.tags if name in ("header", "main", "footer", "h1", "caption")] == [
        "header",
        "h1",
        "main",
        "caption",
        "footer",
    ]
    assert shown.all("a")[0]["href"] == "#main"
    assert all(block["tabindex"] == "0" and block["aria-label"] for block in shown.all("pre"))
    assert all(section["aria-labelledby"] in ids for section in shown.all("section"))
    assert all(heading["scope"] in ("col", "row") for heading in shown.all("th"))


def test_what_is_shown_is_never_markup() -> None:
    shown = seen(url='https://x.example/"><script>', notes=["<b>bold</b>"])
    assert not shown.all("script")
    assert not shown.all("b")


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("none", None),
        ("oauth", None),
        ("token", {"Authorization": "Bearer ${env:CORE13_TOKEN}"}),
        ("own-key", {"X-PostHog-Api-Key": "${env:POSTHOG_PERSONAL_API_KEY}"}),
    ],
)
def test_the_links_carry_what_the_clients_expect(auth: str, headers: dict[str, str] | None) -> None:
    code, cursor = (urlsplit(str(link["href"])) for link in seen(auth).all("a")[1:])
    entry = json.loads(base64.b64decode(parse_qs(cursor.query)["config"][0]))
    assert entry == {"url": URL, **({"headers": headers} if headers else {})}
    asked = json.loads(unquote(code.query))
    assert (asked["name"], asked["type"], asked["url"]) == ("core13-mcp", "http", URL)
    assert bool(headers) == ("inputs" in asked) == ("headers" in asked)
    if headers:
        assert f"${{input:{asked['inputs'][0]['id']}}}" in str(asked["headers"])
        assert asked["inputs"][0]["password"] is True


def test_the_snippets_are_what_each_client_reads() -> None:
    shown = seen("token").text
    assert json.loads(shown["Cursor: what to paste"])["mcpServers"]["core13-mcp"]["url"] == URL
    assert json.loads(shown["VS Code: what to paste"])["servers"]["core13-mcp"]["type"] == "http"
    assert 'bearer_token_env_var = "CORE13_TOKEN"' in shown["Codex: what to paste"]
    assert f"--transport http core13-mcp {URL}" in shown["Claude Code: what to paste"]
    assert '--header "Authorization: Bearer $CORE13_TOKEN"' in shown["Claude Code: what to paste"]


def test_chat_clients_are_shown_where_one_logs_in() -> None:
    chats = {"Claude: what to paste": URL, "ChatGPT: what to paste": URL}
    assert chats.items() <= seen("oauth").text.items()
    assert not chats.keys() & seen("own-key").text.keys()


async def test_the_page_does_not_stand_in_the_way_of_the_protocol(url: str) -> None:
    with anyio.fail_after(20):
        async with client(url, headers={"Accept": "text/html"}) as mcp:
            assert len((await mcp.list_tools()).tools) == 18
