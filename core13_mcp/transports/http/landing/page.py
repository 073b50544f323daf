"""The landing page: one HTML page without resources from other servers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

from starlette.responses import HTMLResponse

from ....declarations.catalog import Catalog
from ....declarations.files import enabled_requests
from ....declarations.model import Declaration
from ....identity import HOMEPAGE, TITLE, VERSION, icons

AUTH_NOTES = {
    "none": "Only programs on this machine can connect, and they need no secret.",
    "token": "Each caller needs a token. Ask the operator of this server for one.",
    "own-key": "Each caller sends its own PostHog personal API key in the header X-PostHog-Api-Key. The server uses the "
    "key for that request only and does not store it.",
    "oauth": "Each caller logs in to PostHog through its client. The server sends the token from PostHog to PostHog's "
    "API only.",
}

CHAT_NOTES = {
    "none": "Claude and ChatGPT in a browser cannot connect, because this server serves this machine only.",
    "token": "Claude and ChatGPT in a browser cannot connect, because they cannot send the token. This server "
    "can serve them if its operator starts it with --auth oauth.",
    "own-key": "Claude and ChatGPT in a browser cannot connect, because they cannot send the key. This server "
    "can serve them if its operator starts it with --auth oauth.",
    "oauth": "Claude: Settings, Connectors, Add custom connector. ChatGPT: Settings, Connectors, Advanced, Developer mode, "
    "Create. Paste the URL above, which must start with https, and log in to PostHog.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """What the landing page shows, besides the tools.

    Attributes:
        auth: The value of `--auth`.
        posthog: The origin of PostHog.
        notices: The modes of the server, such as read-only.
        links: For each link that adds the server to a client: the label and the URL.
        snippets: For each text to paste: the client, the location and the text.
    """

    auth: str
    url: str
    posthog: str = ""
    notices: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    snippets: Sequence[tuple[str, str, str]] = ()


def page(catalog: Catalog, content: PageContent) -> HTMLResponse:
    """Render the landing page."""
    folder = files(__package__)
    style, script = (folder.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    requests = enabled_requests(catalog) or [tool.title for tool in catalog.values()]
    html = Template(folder.joinpath("page.html").read_text("utf-8")).substitute(
        title=TITLE,
        icon=icons()[0]["src"],
        style=style,
        script=script,
        url=escape(content.url),
        auth=escape(AUTH_NOTES[content.auth]),
        key=_key(catalog, content),
        chat=escape(CHAT_NOTES[content.auth]),
        notices="\n".join(f'<p class="note">{escape(notice)}</p>' for notice in content.notices),
        requests="\n".join(f"<li>{escape(request)}</li>" for request in requests),
        links="\n".join(f'<li><a href="{escape(href)}">{escape(label)}</a></li>' for label, href in content.links),
        snippets="\n".join(_snippet(*snippet) for snippet in content.snippets),
        count=len(catalog),
        tools="\n".join(map(_tool, catalog.values())),
        version=escape(VERSION),
        more=f'. <a href="{escape(HOMEPAGE)}">Documentation</a>' if HOMEPAGE else "",
    )
    headers = {
        "Content-Security-Policy": _policy(style, script),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(html, headers=headers)


def _policy(style: str, script: str) -> str:
    """Return the policy that allows the page's own style and script, no other resource, and no frame around the page."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _key(catalog: Catalog, content: PageContent) -> str:
    """Return where a caller creates a key, and the scopes that it needs, if callers send keys."""
    if content.auth != "own-key":
        return ""
    href = escape(f"{content.posthog}/settings/user-api-keys")
    scopes = _codes({tool.endpoint.scope for tool in catalog.values() if tool.endpoint.scope})
    return f'<p><a href="{href}">Create a key in PostHog</a>. Scopes that the tools need: {scopes}.</p>'


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(text)}</code>" for text in sorted(texts))


def _snippet(client: str, location: str, text: str) -> str:
    # The tabindex makes the block focusable, so that it can be scrolled with the keyboard.
    opening = f'<pre tabindex="0" role="region" aria-label="{escape(client)}: what to paste">'
    return (
        f"<details><summary>{escape(client)}</summary>\n<p>{escape(location)}:</p>\n"
        f"{opening}{escape(text)}</pre></details>"
    )


def _tool(tool: Declaration) -> str:
    if tool.read_only:
        effect = "reads only"
    else:
        effect = "destructive change" if tool.annotations.destructive_hint else "change"
        effect += "; may ask you first" if tool.confirm else ""
    title = f'<th scope="row">{escape(tool.title)}</th>'
    return f"<tr>{title}<td>{effect}</td><td><code>{escape(tool.name)}</code></td></tr>"
