"""An MCP handshake with a remote server, over Streamable HTTP, with the headers of a client's entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import anyio
import httpx2

from ...errors import ConfigurationError
from ...origins import is_secure, split_url
from ...redaction import redact
from ...text import single_line
from .handshake import INITIALIZE, MAX_MESSAGE, ServerInfo

_NOT_MCP = "does not answer as an MCP server"


class SignInRequired(Exception):
    """The server accepts only an OAuth token, which the client gets by a sign-in in the browser."""


async def remote_handshake(url: str, headers: Mapping[str, str], timeout: float) -> ServerInfo:
    """Connect to a server, initialize the MCP session, list the tools, and end the session.

    Redirects are not followed, because the headers belong to this server.

    Raises:
        ConfigurationError: The server cannot be reached, refuses the request, or does not speak MCP.
        SignInRequired: The request has no credentials, and the server asks for an OAuth token.
    """
    address = split_url(url)
    if address is None:
        raise ConfigurationError("the URL is not an http:// or https:// URL", "Correct it.")
    if not is_secure(address):
        raise ConfigurationError("the URL is not secure, so others can read its headers", "Use https://.")
    origin = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
    try:
        with anyio.fail_after(timeout):
            async with httpx2.AsyncClient(timeout=None, follow_redirects=False) as client:
                return await _Session(client, url, headers).handshake()
    except TimeoutError:
        raise ConfigurationError(f"{origin} did not answer within {timeout:g} s", "Check the URL.") from None
    except (httpx2.TransportError, OSError):
        fix = "Start the server, or correct the URL; check DNS, VPN and HTTPS_PROXY."
        raise ConfigurationError(f"{origin} cannot be reached", fix) from None
    # The headers of an entry can contain characters that no request can have.
    except (httpx2.InvalidURL, UnicodeError):
        raise ConfigurationError("no request can have this URL or these headers", "Correct them.") from None
    except (ValueError, LookupError, TypeError, AttributeError, httpx2.RequestError):
        raise ConfigurationError(f"{origin} {_NOT_MCP}", "Correct the URL; it usually ends with /mcp.") from None


class _Session:
    """One MCP session over Streamable HTTP."""

    def __init__(self, client: httpx2.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._url = url
        self._secrets = tuple(value.removeprefix("Bearer ") for value in headers.values() if value)
        self._sends_credentials = bool(headers)
        self._headers = {"Accept": "application/json, text/event-stream", **headers}

    async def handshake(self) -> ServerInfo:
        initialize = await self._request(1, "initialize", INITIALIZE)
        self._headers["MCP-Protocol-Version"] = str(initialize["protocolVersion"])
        try:
            await self._post({"method": "notifications/initialized"})
            return ServerInfo.from_results(initialize, await self._request(2, "tools/list", {}))
        finally:
            if "Mcp-Session-Id" in self._headers:
                with anyio.move_on_after(1, shield=True), suppress(httpx2.RequestError):
                    await self._client.delete(self._url, headers=self._headers)

    async def _request(self, request_id: int, method: str, params: Mapping[str, Any]) -> Any:
        for message in await self._post({"id": request_id, "method": method, "params": params}):
            if message.get("id") == request_id:
                return message["result"]
        raise LookupError(method)

    async def _post(self, message: Mapping[str, Any]) -> list[Any]:
        """Send a message, and return the messages in the response."""
        body = {"jsonrpc": "2.0", **message}
        async with self._client.stream("POST", self._url, json=body, headers=self._headers) as response:
            text = await _read(response)
        if session := response.headers.get("Mcp-Session-Id"):
            self._headers["Mcp-Session-Id"] = session
        if response.status_code in (401, 403):
            raise self._refused(response, text)
        # Any other status has no JSON-RPC result.
        if response.headers.get("Content-Type", "").startswith("text/event-stream"):
            return [json.loads(line.removeprefix("data:")) for line in text.splitlines() if line.startswith("data:")]
        return [json.loads(text)] if text.strip() else []

    def _refused(self, response: httpx2.Response, text: str) -> Exception:
        if not self._sends_credentials and "resource_metadata" in response.headers.get("WWW-Authenticate", ""):
            return SignInRequired()
        reason = ""
        with suppress(ValueError, LookupError, TypeError):
            reason = f": {single_line(redact(str(json.loads(text)['error']['message']), self._secrets), 300)}"
        status = f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
        sent = "the headers of the entry" if self._sends_credentials else "an entry without headers"
        return ConfigurationError(f"the server refuses {sent} with {status}{reason}")


async def _read(response: httpx2.Response) -> str:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_MESSAGE:
            raise ValueError("the response is too large")
    return b"".join(chunks).decode("utf-8")
