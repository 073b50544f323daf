"""Answers the first requests of a stdio connection before the SDK is imported.

This module imports the standard library only. The import of the SDK takes 0.6 s. The computation of the results takes
4 ms, because they depend on the settings and the declarations only. `FastStart` answers before the import and once more
after it. Then the SDK receives every message too, and its duplicate responses are dropped. The SDK also handles the
first message that `FastStart` does not know and all messages after it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...api.credentials import key_provider
from ...api.trust import check_trust_store
from ...declarations.files import MCP_KEYS, PROMPT_KEYS, enabled_declarations, enabled_prompts, read_declarations
from ...identity import NAME, TITLE, VERSION, icons
from ...server.instructions import LIST_TTL_MS, instructions
from ...server.seal_keys import read_seal_keys
from ...settings import Settings
from .first_requests import MODERN_VERSION, FirstRequest, parse_first_request

# Seconds to wait for the next message of a client that has not received the list of tools. Clients send `tools/list`
# some milliseconds after the response to `initialize`, and a list that arrives during the import waits 0.6 s for its
# response. Only the start of a client that sends nothing takes longer.
FOLLOW_UP_TIMEOUT = 0.2

# The number of bytes after which the fast start ends. The first requests are much shorter.
_MAX_BYTES = 64 * 1024

_SERVER_INFO = {"name": NAME, "title": TITLE, "version": VERSION, "icons": icons()}


def first_results(settings: Settings) -> Mapping[str, Any]:
    """Return the results by method, without the fields that depend on the protocol version."""
    declared = read_declarations()
    tools = enabled_declarations(declared, settings)
    server = {
        "capabilities": {"prompts": {"listChanged": False}, "tools": {"listChanged": False}},
        "instructions": instructions(settings, len(tools), len(declared)),
    }
    return {
        "initialize": {"serverInfo": _SERVER_INFO, **server},
        "server/discover": {"supportedVersions": [MODERN_VERSION], **server},
        "tools/list": {"tools": [{key: tool[key] for key in MCP_KEYS} for tool in tools.values()]},
        "prompts/list": {"prompts": [{key: prompt[key] for key in PROMPT_KEYS} for prompt in enabled_prompts(tools)]},
    }


class FastStart:
    """Answers known requests on two descriptors until the connection is detached. `None` as results answers nothing."""

    def __init__(self, results: Mapping[str, Any] | None, source: int = 0, sink: int = 1) -> None:
        self._results, self._source, self._sink = results, source, sink
        self._data = bytearray()
        self._parsed = 0
        self._previous: FirstRequest | None = None
        self._answered: set[str | int] = set()
        self._tools_listed = False
        self._interactive = False

    @classmethod
    def open(cls, settings: Settings) -> FastStart:
        """Return a fast start for stdin and stdout, which answers only if they are pipes.

        Raises:
            Core13Error: The server cannot start with these settings.
        """
        key_files = filter(None, (settings.personal_api_key_file, settings.seal_keys_file))
        if (
            # `select` of Windows supports sockets only.
            sys.platform == "win32"
            or not (is_pipe(0) and is_pipe(1))
            # Added declarations need the validation of their schemas, and a database needs SQLite.
            or settings.tools_dir
            or settings.sandbox_db
            # A pipe, such as `<(pass posthog)` of bash, can be read only once, and the server needs its content.
            or not all(Path(file).is_file() for file in key_files)
        ):
            return cls(None)
        if not settings.sandbox:
            # Only checks that the key and the trust store are usable. A start without a key is valid.
            key_provider(settings)
            check_trust_store([settings.host], os.environ)
        read_seal_keys(settings)
        results = first_results(settings)
        # No call is running before the SDK takes over, so SIGTERM ends the process at once.
        signal.signal(signal.SIGTERM, lambda *_: _exit_on_sigterm(settings))
        return cls(results)

    def answer(self, timeout: float = 0) -> None:
        """Answer the known requests that have arrived. Wait `timeout` seconds for each until the tools are listed."""
        # If a descriptor fails here, it also fails in the transport, which handles the error.
        with suppress(OSError):
            while self._results is not None:
                if not select.select([self._source], [], [], 0 if self._tools_listed else timeout)[0]:
                    break
                chunk = os.read(self._source, _MAX_BYTES)
                self._interactive |= bool(chunk and self._answered)
                self._data += chunk
                if not chunk or len(self._data) > _MAX_BYTES or not self._answer_lines(self._results):
                    self._results = None

    def detach(self) -> tuple[bytes, set[str | int], bool]:
        """Return all bytes that were read, the ids of the answered requests, and whether some came after a response."""
        return bytes(self._data), self._answered, self._interactive

    def _answer_lines(self, results: Mapping[str, Any]) -> bool:
        """Answer every complete line; return False at the first unknown one."""
        while (end := self._data.find(b"\n", self._parsed)) >= 0:
            request = parse_first_request(bytes(self._data[self._parsed : end]), self._previous)
            if request is None or request.request_id in self._answered:
                return False
            self._parsed, self._previous = end + 1, request
            self._tools_listed |= request.method == "tools/list"
            if request.request_id is not None:
                self._answered.add(request.request_id)
                result = {**_version_fields(request), **results[request.method]}
                response = {"jsonrpc": "2.0", "id": request.request_id, "result": result}
                # The process that started this one may have made the pipe non-blocking.
                os.set_blocking(self._sink, True)
                write_all(self._sink, json.dumps(response, separators=(",", ":")).encode() + b"\n")
        return True


def _exit_on_sigterm(settings: Settings) -> None:
    try:
        # Imported here, because other starts do not need them so early.
        import logging

        from ...logs import configure_logging

        configure_logging(settings.log_level, settings.log_format, ())
        logging.getLogger("core13_mcp").info("stopped: SIGTERM")
    finally:
        # The signal can interrupt an import, and then the log cannot be used.
        os._exit(0)


def is_pipe(descriptor: int) -> bool:
    """Return whether a descriptor is a pipe or socket, as MCP clients use."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes to a descriptor in blocking mode."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _version_fields(request: FirstRequest) -> dict[str, Any]:
    if request.version != MODERN_VERSION:
        return {"protocolVersion": request.version} if request.method == "initialize" else {}
    scope, ttl = ("private", 0) if request.method == "server/discover" else ("public", LIST_TTL_MS)
    meta = {"io.modelcontextprotocol/serverInfo": _SERVER_INFO}
    return {"_meta": meta, "resultType": "complete", "cacheScope": scope, "ttlMs": ttl}
