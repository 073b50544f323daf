"""The landing page: one HTML page without scripts and without resources from other servers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

from starlette.responses import HTMLResponse

from ....declarations.catalog import Catalog
from ....declarations.model import Declaration
from ....identity import TITLE, VERSION

AUTH_NOTES = {
    "none": "Only programs on this machine can connect, and they need no secret.",
    "token": "Each caller needs a token. Ask the operator of this server for one.",
    "own-key": "Each caller sends its own PostHog personal API key in the header X-PostHog-Api-Key. The server uses the "
    "key for that request only and does not store it.",
    "oauth": "Each caller logs in to PostHog through its client. The server sends the token from PostHog to PostHog's "
    "API only.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """What the landing page shows, besides the tools."""

    # The value of `--auth`.
    auth: str
    url: str
    # The modes of the server, such as read-only.
    notices: Sequence[str] = ()
    # For each link that adds the server to a client: the label and the URL.
    links: Sequence[tuple[str, str]] = ()
    # For each text to paste: the client, the location and the text.
    snippets: Sequence[tuple[str, str, str]] = ()


def page(catalog: Catalog, content: PageContent) -> HTMLResponse:
    """Render the landing page."""
    folder = files(__package__)
    style = folder.joinpath("page.css").read_text("utf-8")
    html = Template(folder.joinpath("page.html").read_text("utf-8")).substitute(
        title=TITLE,
        style=style,
        url=escape(content.url),
        auth=escape(AUTH_NOTES[content.auth]),
        notices="\n".join(f'<p class="note">{escape(notice)}</p>' for notice in content.notices),
        links="\n".join(f'<li><a href="{escape(href)}">{escape(label)}</a></li>' for label, href in content.links),
        snippets="\n".join(_snippet(*snippet) for snippet in content.snippets),
        count=len(catalog),
        tools="\n".join(map(_tool, catalog.values())),
        version=escape(VERSION),
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # The page's own style is allowed, no other resource, and no frame around the page.
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(html, headers=headers)


def _snippet(client: str, location: str, text: str) -> str:
    # The tabindex makes the block focusable, so that it can be scrolled with the keyboard.
    opening = f'<pre tabindex="0" role="region" aria-label="{escape(client)}: what to paste">'
    return f"<h3>{escape(client)}</h3>\n<p>{escape(location)}:</p>\n{opening}{escape(text)}</pre>"


def _tool(tool: Declaration) -> str:
    if tool.read_only:
        effect = "read-only"
    else:
        effect = "destructive change" if tool.annotations.destructive_hint else "change"
        effect += "; may ask for confirmation" if tool.confirm else ""
    name = f'<th scope="row"><code>{escape(tool.name)}</code></th>'
    return f"<tr>{name}<td>{escape(tool.title)}</td><td>{effect}</td></tr>"
