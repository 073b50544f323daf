"""Reads an OpenAPI document from a file or a URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

from ..api.transport import PoolTransport
from ..errors import ConfigurationError
from ..identity import NAME, VERSION
from ..origins import is_secure, split_url
from ..text import single_line
from .document import Document

# The path of PostHog's document. Its default format is YAML.
SCHEMA_PATH = "/api/schema/?format=json"

# Bytes. PostHog's document has 10 MiB.
MAX_BYTES = 64 * 1024 * 1024

# Seconds. The server generates the document for each request.
TIMEOUT = 120.0

_HEADERS = {
    "User-Agent": f"{NAME}/{VERSION}",
    "Accept": "application/vnd.oai.openapi+json, application/json",
    "Accept-Encoding": "gzip, deflate",
}

Progress = Callable[[int], None]
"""Receives the number of bytes that are read so far."""


async def load_document(spec: str, on_progress: Progress = lambda _: None) -> Document:
    """Read the document from a file, or from an http:// or https:// URL. No credentials are sent.

    Raises:
        ConfigurationError: It cannot be read, is too large, or is not an OpenAPI 3 document in JSON.
    """
    if "://" in spec:
        data, source = await _download(spec, on_progress), _without_query(spec)
    else:
        data, source = await anyio.to_thread.run_sync(_read_file, spec), single_line(spec)
    on_progress(len(data))
    return Document(_parse(data, source), source)


def _read_file(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"the document {single_line(name)} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _too_large(single_line(name))
    return data


async def _download(spec: str, on_progress: Progress) -> bytes:
    url, source = split_url(spec), _without_query(spec)
    if url is None or not is_secure(url) or url.username:
        fix = "Use https://, or http:// on this machine, without a user name."
        raise ConfigurationError(f"{source} is not a URL that can be read", fix)
    request = httpx2.Request("GET", spec, headers=_HEADERS, extensions={"timeout": {"connect": 10.0}})
    transport = PoolTransport(f"{url.scheme}://{url.netloc}")
    try:
        with anyio.fail_after(TIMEOUT):
            return await _receive(transport, request, source, on_progress)
    except TimeoutError:
        raise ConfigurationError(f"{source} did not answer completely within {TIMEOUT:.0f} s") from None
    except httpx2.RequestError as error:
        reason = single_line(str(error)) or "the connection failed"
        fix = "Save the document to a file with a browser, and name it with --spec."
        raise ConfigurationError(f"{source} cannot be read: {reason}", fix) from None
    finally:
        await transport.aclose()


async def _receive(transport: PoolTransport, request: httpx2.Request, source: str, on_progress: Progress) -> bytes:
    response = await transport.handle_async_request(request)
    response.request = request
    try:
        if response.status_code != 200:
            location = response.headers.get("Location")
            fix = (
                f"Use {_without_query(location)} instead." if location else "Check the URL, or name a file with --spec."
            )
            raise ConfigurationError(f"{source} answered with status {response.status_code}", fix)
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            on_progress(len(data))
            if len(data) > MAX_BYTES:
                raise _too_large(source)
        return bytes(data)
    finally:
        await response.aclose()


def _parse(data: bytes, source: str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ConfigurationError(f"{source} is nested too deeply") from None
    except ValueError:
        fix = (
            "PostHog serves YAML unless its URL ends with ?format=json or the request has the header "
            "Accept: application/json. Save https://us.posthog.com/api/schema/?format=json (or that of your host) to a "
            "file, and name it with --spec."
        )
        raise ConfigurationError(f"{source} is not JSON", fix) from None


def _too_large(source: str) -> ConfigurationError:
    return ConfigurationError(f"{source} has more than {MAX_BYTES // 1024 // 1024} MiB")


def _without_query(url: str) -> str:
    """Return a URL for messages. Its query can contain a token, and its user name a password."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the URL"
    return single_line(f"{parts.scheme}://{host}{port}{parts.path}") if host else "the URL"
