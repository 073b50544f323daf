"""Parses the requests that the fast start answers. Standard library only.

The parser is strict. It rejects everything that another JSON or JSON-RPC reader could understand in a different way,
such as duplicate keys, escapes and unknown fields. The SDK handles the rejected messages.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSION = "2026-07-28"

_LISTS = ("tools/list", "prompts/list")

# How many levels of a client capability are objects. The SDK ignores the names of other capabilities.
_CAPABILITY_LEVELS = {"elicitation": 2, "experimental": 2, "extensions": 2, "sampling": 2, "tasks": 4}


class FirstRequest(NamedTuple):
    """A request with a known result, or `notifications/initialized`, which has no id."""

    method: str
    version: str
    request_id: str | int | None = None


def parse_first_request(line: bytes, previous: FirstRequest | None) -> FirstRequest | None:
    """Parse a line that follows `previous`; return None if the SDK must handle the line.

    Clients of 2025 send `initialize`, then `notifications/initialized`, then lists. Clients of 2026 send requests in
    any order, and each contains the protocol version.
    """
    message = _parse_message(line)
    if message is None:
        return None
    method, params = message["method"], message.get("params", {})
    match params:
        case {"protocolVersion": version, "capabilities": capabilities, "clientInfo": info, **rest}:
            expected = method == "initialize" and previous is None and version in HANDSHAKE_VERSIONS
            accepted = expected and not rest and _is_client(capabilities, info)
        case {
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientCapabilities": capabilities,
                "io.modelcontextprotocol/clientInfo": info,
                **meta,
            },
            **rest,
        }:
            expected = method in (*_LISTS, "server/discover") and version == MODERN_VERSION
            first = previous is None or previous.version == version
            accepted = expected and first and not rest and _is_progress(meta) and _is_client(capabilities, info)
        case {"_meta": {**list_meta}, **rest} if previous and previous.version != MODERN_VERSION:
            version = previous.version
            accepted = method in _LISTS and previous.method != "initialize" and not rest and _is_progress(list_meta)
        case dict() if not params and previous and previous.version != MODERN_VERSION:
            version = previous.version
            expected_methods = ("notifications/initialized",) if previous.method == "initialize" else _LISTS
            accepted = method in expected_methods
        case _:
            return None
    is_notification = method == "notifications/initialized"
    valid_id = "id" not in message if is_notification else type(message.get("id")) in (str, int)
    return FirstRequest(method, version, message.get("id")) if accepted and valid_id else None


def _parse_message(line: bytes) -> dict[str, Any] | None:
    if b"\\" in line:
        return None
    try:
        message = json.loads(line.decode("utf-8"), object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not message.keys() <= {"jsonrpc", "id", "method", "params"}:
        return None
    return message if message.get("jsonrpc") == "2.0" and isinstance(message.get("method"), str) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same key twice")
    return value


def _is_progress(meta: dict[Any, Any]) -> bool:
    """Return whether metadata asks for progress notifications at most. The results of lists have none."""
    return not meta or (meta.keys() == {"progressToken"} and type(meta["progressToken"]) in (str, int))


def _is_client(capabilities: Any, info: Any) -> bool:
    """Return whether the SDK accepts the capabilities and the description of a client."""
    return (
        isinstance(capabilities, dict)
        and isinstance(info, dict)
        and capabilities.get("roots", {}) in ({}, {"listChanged": True}, {"listChanged": False})
        and all(_is_object(capabilities.get(name, {}), levels) for name, levels in _CAPABILITY_LEVELS.items())
        and {"name", "version"} <= info.keys() <= {"name", "version", "title", "description", "websiteUrl"}
        and all(isinstance(value, str) for value in info.values())
    )


def _is_object(value: Any, levels: int) -> bool:
    """Return whether a value is an object, and its values are objects down to this number of levels."""
    return isinstance(value, dict) and (levels == 1 or all(_is_object(part, levels - 1) for part in value.values()))
