"""The URL of a remote server, and the question which authentication it needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..identity import VERSION
from ..keys import KEY
from ..origins import is_secure, split_url
from .entries import REMOTE_SECRETS

if TYPE_CHECKING:
    import httpx2

# Seconds for the complete answer, and bytes of it.
_TIMEOUT = 10.0
_MAX_ANSWER = 64 * 1024

_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "core13-mcp install", "version": VERSION},
    },
}
_HEADERS = {"Accept": "application/json, text/event-stream"}
_SET_IT = f"Correct the URL, or name the authentication of the server with --remote-auth: {', '.join(REMOTE_SECRETS)}."


def check_url(text: str) -> str:
    """Return the URL of a remote server.

    Raises:
        ConfigurationError: It is not a URL to which a secret may be sent, or it contains a secret.
    """
    url = split_url(text)
    # The text may contain a password, so the message does not quote it.
    if "@" in (url.netloc if url else text) or KEY.search(text):
        raise ConfigurationError(
            "--remote: the URL contains a key, a user name or a password",
            "Leave them out, because other programs can read the client's file.",
        )
    if url is None or not is_secure(url):
        raise ConfigurationError(f"--remote {text!r} is not an https:// URL (http:// is allowed on loopback only)")
    return text


async def required_auth(url: str) -> str:
    """Ask a server, with an `initialize` request without credentials, and return its value of `--auth`.

    Raises:
        ConfigurationError: The server cannot be reached, or its answer does not show the authentication.
    """
    import anyio  # takes 40 ms, as the next imports do
    import httpx2

    from ..api.transport import PoolTransport
    from .doctor.finding import from_network_error

    client = httpx2.AsyncClient(transport=PoolTransport(url), timeout=None)
    try:
        with anyio.fail_after(_TIMEOUT):
            async with client, client.stream("POST", url, json=_INITIALIZE, headers=_HEADERS) as response:
                auth = _auth(response, await _read(response))
    except TimeoutError:
        raise ConfigurationError(f"{url} did not answer within {_TIMEOUT:g} s", _SET_IT) from None
    except httpx2.RequestError as error:
        raise ConfigurationError(from_network_error(error, url).message, _SET_IT) from None
    if auth is None:
        raise ConfigurationError(
            f"{url} answered with status {response.status_code}, which does not show the authentication that it needs",
            _SET_IT,
        )
    return auth


async def _read(response: httpx2.Response) -> bytes:
    """Return the beginning of an answer. An event stream ends here with the result."""
    answer = b""
    async for chunk in response.aiter_bytes():
        answer += chunk
        if len(answer) > _MAX_ANSWER or b'"serverInfo"' in answer:
            break
    return answer


def _auth(response: httpx2.Response, answer: bytes) -> str | None:
    if response.status_code == 200 and b'"serverInfo"' in answer:
        return "none"
    if response.status_code != 401:
        return None
    if (auth := _named_auth(answer)) in REMOTE_SECRETS:
        return auth
    # Another MCP server. Only OAuth is standardized (RFC 9728).
    return "oauth" if "resource_metadata=" in response.headers.get("WWW-Authenticate", "") else None


def _named_auth(answer: bytes) -> str | None:
    """Return the authentication that a 401 of this project names."""
    try:
        auth = json.loads(answer)["error"]["data"]["auth"]
    except (ValueError, LookupError, TypeError):
        return None
    return auth if isinstance(auth, str) else None
