"""The page that the browser shows after the person has decided. Pure."""

from __future__ import annotations

from html import escape

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
main {{ max-width: 36rem; margin: 15vh auto; padding: 0 1rem }}
</style>
</head>
<body><main><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""

SIGNED_IN = ("Signed in", "You can close this page. Return to your agent: it can use PostHog now, without a restart.")


def page(title: str, text: str) -> bytes:
    """Return an HTML page without scripts. Text from other servers is escaped."""
    return _PAGE.format(title=escape(title), text=escape(text)).encode()


def http_response(status: str, body: bytes) -> bytes:
    """Return an HTTP response that ends the connection. No other site can frame the page, and no cache keeps it."""
    headers = (
        f"HTTP/1.1 {status}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "\r\n".join((*headers, "", "")).encode() + body
