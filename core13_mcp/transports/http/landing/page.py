"""What a browser sees that opens the server's address: one page, without scripts and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ....declarations.catalog import Catalog
from ....declarations.model import Declaration
from ....identity import VERSION

TITLE = "PostHog Core-13"
_WHO = {
    "none": "Only this machine can connect, and no secret is asked for.",
    "token": "Whoever calls needs a token; ask whoever runs this server for one.",
    "own-key": "Whoever calls brings a PostHog personal API key, in the header X-PostHog-Api-Key of each request. It is "
    "used for that request and not kept.",
    "oauth": "Whoever calls logs in at PostHog, through the client. The token that PostHog issues is sent to "
    "PostHog's API and nowhere else.",
}


class LandingPageMiddleware:
    """Shows the page to a browser that opens the protocol's own address, and leaves all else to the protocol."""

    def __init__(self, app: ASGIApp, page: ASGIApp) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope)
        browses = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
        await (self._page if browses else self._app)(scope, receive, send)


class Instructions(NamedTuple):
    """How to connect clients to the server.

    Attributes:
        auth: The value of `--auth`.
        url: The URL that clients use.
        links: Label and URL of each link that adds the server to a client.
        snippets: Client, location and text of each configuration snippet.
    """

    auth: str
    url: str
    links: Iterable[tuple[str, str]]
    snippets: Iterable[tuple[str, str, str]]


def page(catalog: Catalog, connect: Instructions, notes: list[str]) -> HTMLResponse:
    """Return the landing page.

    Args:
        notes: Sentences about modes of the whole server, such as read-only mode.
    """
    style = _resource("page.css")
    told = Template(_resource("page.html")).substitute(
        title=TITLE,
        style=style,
        url=escape(connect.url),
        who=escape(_WHO[connect.auth]),
        notes="\n".join(f'<p class="note">{escape(note)}</p>' for note in notes),
        links="\n".join(_link(*link) for link in connect.links),
        snippets="\n".join(_snippet(*snippet) for snippet in connect.snippets),
        count=len(catalog),
        tools="\n".join(map(_tool, catalog.values())),
        version=escape(VERSION),
    )
    return HTMLResponse(told, headers=_headers(style))


def _headers(style: str) -> dict[str, str]:
    """Nothing but the page's own style is let in, and no frame around it."""
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{allowed}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def _link(label: str, href: str) -> str:
    return f'<li><a href="{escape(href)}">{escape(label)}</a></li>'


def _snippet(client: str, location: str, text: str) -> str:
    heading = f"<h3>{escape(client)}</h3>\n<p>{escape(location)}:</p>"
    # The block can scroll, so it must be possible to focus it with the keyboard.
    block = f'<pre tabindex="0" role="region" aria-label="{escape(client)}: what to paste">{escape(text)}</pre>'
    return f"{heading}\n{block}"


def _tool(tool: Declaration) -> str:
    name = f'<th scope="row"><code>{escape(tool.name)}</code></th>'
    return f"<tr>{name}<td>{escape(tool.title)}</td><td>{_effect(tool)}</td></tr>"


def _effect(tool: Declaration) -> str:
    if tool.read_only:
        return "reads"
    done = "changes, destroying" if tool.annotations.destructive_hint else "changes"
    return f"{done}; may ask you first" if tool.confirm else done


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
