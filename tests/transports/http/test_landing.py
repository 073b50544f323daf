"""The landing page: its content, its security headers and its accessibility."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.files import read_server_file
from core13_mcp.settings import Settings
from core13_mcp.transports.http.landing.page import AUTH_NOTES, CHAT_NOTES, PageContent, page

from .http_server import client, serving

pytestmark = pytest.mark.anyio

URL = "https://tools.example.com/mcp"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class ParsedPage(HTMLParser):
    """The elements of a page, and the text of each element by its label or name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(dict(attrs).get("aria-label") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.text[self._open[-1]] = self.text.get(self._open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element with this name."""
        return [attributes for name, attributes in self.elements if name == tag]


def render(**fields: Any) -> ParsedPage:
    content = PageContent(**{"auth": "none", "url": URL, **fields})
    return ParsedPage(bytes(page(load(), content).body).decode())


@pytest.mark.parametrize("path", ["/", "/mcp"])
async def test_a_browser_gets_the_page_at_both_paths(url: str, path: str) -> None:
    async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
        response = await http.get(path, headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert url in response.text
    assert "SANDBOX" in response.text
    for tool in load():
        assert tool in response.text


async def test_the_page_shows_how_clients_connect_to_the_public_url() -> None:
    async with serving(Settings(sandbox=True, auth="own-key", http_url=URL, log_level="error")) as server:
        port = server.listeners[0].getsockname()[1]
        async with httpx2.AsyncClient() as http:
            response = await http.get(f"http://127.0.0.1:{port}/")
    parsed = ParsedPage(response.text)
    snippets = {label: text for label, text in parsed.text.items() if label.endswith(": what to paste")}
    assert len(snippets) >= 4
    assert all(URL in text for text in snippets.values())
    assert [link["href"] for link in parsed.all("a") if str(link["href"]).startswith(("vscode:", "cursor:"))]
    assert str(port) not in response.text


def test_the_page_loads_nothing_from_other_servers_and_its_policy_allows_its_own_script_only() -> None:
    parsed, response = render(), page(load(), PageContent(auth="none", url=URL))
    sources = [
        attributes.get(name) for _, attributes in parsed.elements for name in ("src", "srcset", "action", "data")
    ]
    assert [source for source in sources if source] == []
    assert [str(link["href"])[:22] for link in parsed.all("link")] == ["data:image/png;base64,"]
    assert [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")] == []
    style, script = (
        base64.b64encode(hashlib.sha256(parsed.text[tag].encode()).digest()).decode() for tag in ("style", "script")
    )
    policy = f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; "
    assert response.headers["Content-Security-Policy"].startswith(policy)


def test_the_page_works_with_keyboard_and_screen_reader() -> None:
    parsed = render(snippets=[("A client", "In a file", "text")])
    ids = {attributes["id"] for _, attributes in parsed.elements if "id" in attributes}
    landmarks = ("header", "main", "footer", "h1", "caption")
    assert parsed.all("html") == [{"lang": "en"}]
    assert [name for name, _ in parsed.elements if name in landmarks] == ["header", "h1", "main", "caption", "footer"]
    assert parsed.all("a")[0]["href"] == "#main"
    assert [(block["tabindex"], block["aria-label"]) for block in parsed.all("pre")] == [
        ("0", "The URL of this server"),
        ("0", "A client: what to paste"),
    ]
    assert all(section["aria-labelledby"] in ids for section in parsed.all("section"))
    assert all(heading["scope"] in ("col", "row") for heading in parsed.all("th"))


def test_content_is_escaped() -> None:
    parsed = render(
        url='https://x.example/"><script>',
        notices=["<b>bold</b>"],
        links=[("<b>", 'https://x.example/"><script>')],
        snippets=[("<b>", "<b>", "<b>")],
    )
    assert len(parsed.all("script")) == 1
    assert not parsed.all("b")


@pytest.mark.parametrize("auth", AUTH_NOTES)
def test_the_page_explains_the_authentication_and_what_chat_clients_need(auth: str) -> None:
    text = render(auth=auth).text["p"]
    assert AUTH_NOTES[auth] in text
    assert CHAT_NOTES[auth] in text


def test_callers_with_their_own_key_learn_where_to_create_it_and_which_scopes_it_needs() -> None:
    parsed = render(auth="own-key", posthog="https://eu.posthog.com")
    links = [link["href"] for link in parsed.all("a")]
    assert "https://eu.posthog.com/settings/user-api-keys" in links
    for scope in ("subscription:read", "subscription:write", "user:read", "user:write", "sharing_configuration:write"):
        assert scope in parsed.text["code"]
    assert not [link["href"] for link in render(auth="none").all("a") if "settings" in str(link["href"])]


def test_the_page_lists_requests_and_the_titles_of_tools_before_their_names() -> None:
    response = page(load(), PageContent(auth="none", url=URL))
    html = bytes(response.body).decode()
    for request in read_server_file("requests.json"):
        assert f"<li>{escape(request['text'])}</li>" in html
    for tool in load().values():
        assert html.index(f">{escape(tool.title)}</th>") < html.index(f"<code>{tool.name}</code>")


def test_the_page_offers_only_requests_that_the_enabled_tools_can_serve() -> None:
    tools = load()
    for name, requests in (
        ("users-retrieve", ["Who am I in PostHog, and which project is current?"]),
        ("users-list", ["List users"]),
    ):
        html = bytes(page({name: tools[name]}, PageContent(auth="none", url=URL)).body).decode()
        listed = html[html.index("<ul>") : html.index("</ul>")]
        assert [escape(request) for request in requests] == re.findall("<li>(.*)</li>", listed)


def test_the_page_links_to_the_documentation_if_it_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Documentation" not in render().text.get("a", "")
    monkeypatch.setattr("core13_mcp.transports.http.landing.page.HOMEPAGE", "https://docs.example.com/")
    assert "Documentation" in render().text["a"]


async def test_an_mcp_client_that_accepts_html_reaches_the_endpoint(url: str) -> None:
    async with client(url, headers={"Accept": "text/html"}) as mcp:
        assert len((await mcp.list_tools()).tools) == len(load())
