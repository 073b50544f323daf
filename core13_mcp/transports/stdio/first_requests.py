"""Parses the requests that the fast start answers. Standard library only.

The parser is strict. It rejects everything that another JSON or JSON-RPC reader could understand in a different way,
such as duplicate keys, escapes and unknown fields. The SDK handles the rejected messages.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSION = "2026-07-28"

_LISTS = ("tools/list", "prompts/list")
_META_PREFIX = "io.modelcontextprotocol/"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_IMPLEMENTATION_KEYS = frozenset({"name", "version", "title", "description", "websiteUrl"})
# The client capabilities of the protocol. The SDK ignores all others, which some clients send.
_CAPABILITIES = frozenset({"elicitation", "experimental", "extensions", "roots", "sampling", "tasks"})


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
    method, request_id, params = message["method"], message.get("id"), message.get("params", {})
    if method == "notifications/initialized":
        expected = previous is not None and previous.method == "initialize" and request_id is None and params == {}
        return FirstRequest(method, previous.version) if previous is not None and expected else None
    if not _is_request_id(request_id):
        return None
    if method == "initialize":
        version = _handshake_version(params) if previous is None else None
    elif _has_request_meta(params):
        modern = method in (*_LISTS, "server/discover") and (previous is None or previous.version == MODERN_VERSION)
        version = MODERN_VERSION if modern else None
    else:
        version = _session_version(previous) if method in _LISTS and params == {} else None
    return FirstRequest(method, version, request_id) if version else None


def _session_version(previous: FirstRequest | None) -> str | None:
    """The version that the handshake has set, if the handshake is complete."""
    if previous is None or previous.method == "initialize" or previous.version == MODERN_VERSION:
        return None
    return previous.version


def _parse_message(line: bytes) -> dict[str, Any] | None:
    if b"\\" in line:
        return None
    try:
        message = json.loads(line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_reject_constant)
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


def _reject_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_request_id(value: Any) -> bool:
    if isinstance(value, str):
        return _ID.fullmatch(value) is not None
    return type(value) is int and 0 <= value < 2**31


def _handshake_version(params: Any) -> str | None:
    if not isinstance(params, dict) or params.keys() != {"protocolVersion", "capabilities", "clientInfo"}:
        return None
    version = params["protocolVersion"]
    valid = _is_client_capabilities(params["capabilities"]) and _is_implementation(params["clientInfo"])
    return version if valid and version in HANDSHAKE_VERSIONS else None


def _has_request_meta(params: Any) -> bool:
    meta = params.get("_meta") if isinstance(params, dict) and len(params) == 1 else None
    keys = {f"{_META_PREFIX}{name}" for name in ("protocolVersion", "clientCapabilities", "clientInfo")}
    return (
        isinstance(meta, dict)
        and meta.keys() == keys
        and meta[f"{_META_PREFIX}protocolVersion"] == MODERN_VERSION
        and _is_client_capabilities(meta[f"{_META_PREFIX}clientCapabilities"])
        and _is_implementation(meta[f"{_META_PREFIX}clientInfo"])
    )


def _is_implementation(value: Any) -> bool:
    if not isinstance(value, dict) or not {"name", "version"} <= value.keys() <= _IMPLEMENTATION_KEYS:
        return False
    return all(isinstance(part, str) for part in value.values())


def _is_client_capabilities(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_capability(name, part) for name, part in value.items())


def _is_capability(name: str, value: Any) -> bool:
    if name not in _CAPABILITIES:
        return True
    if name == "roots":
        return isinstance(value, dict) and all(key == "listChanged" and type(value[key]) is bool for key in value)
    return _contains_objects(value, deep=name == "tasks")


def _contains_objects(value: Any, deep: bool) -> bool:
    """Return whether a value is an object of objects, with `deep` at every level."""
    if not isinstance(value, dict):
        return False
    return all(_contains_objects(part, deep) if deep else isinstance(part, dict) for part in value.values())
