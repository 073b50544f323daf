"""Which messages the front takes for its own. Pure, and strict: whatever is unusual in any way is the SDK's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

LISTS = ("tools/list", "prompts/list")
MODERN = "2026-07-28"

_ENVELOPE = "io.modelcontextprotocol/"
_NUMBER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_INFO = frozenset({"name", "version", "title", "description", "websiteUrl"})
_CAPABILITIES: dict[str, dict[str, type]] = {
    "roots": {"listChanged": bool},
    "sampling": {"context": dict, "tools": dict},
    "elicitation": {"form": dict, "url": dict},
}


class Question(NamedTuple):
    """A message whose answer may be known: a request, or the notification that the handshake is done."""

    method: str
    version: str
    number: str | int | None = None

    @property
    def spelled(self) -> bytes:
        """The id as JSON."""
        return json.dumps(self.number).encode()


def question(line: bytes, before: Question | None) -> Question | None:
    """What a line asks, after what was asked before it; None where it is for the SDK.

    A handshake comes first and whole, then lists. In the 2026 era each message says its version itself.
    """
    message = _message(line)
    if message is None:
        return None
    method, number, params = message["method"], message.get("id"), message.get("params", {})
    if method == "notifications/initialized":
        done = before is not None and before.method == "initialize" and number is None and params == {}
        return Question(method, before.version) if before is not None and done else None
    if not _is_number(number):
        return None
    if method == "initialize":
        offered = _offered(params)
        return Question(method, offered, number) if offered and before is None else None
    version = _version(method, params, before)
    return Question(method, version, number) if version else None


def _version(method: str, params: Any, before: Question | None) -> str | None:
    if _is_enveloped(params):
        modern = before is None or before.version == MODERN
        return MODERN if modern and method in (*LISTS, "server/discover") else None
    plain = before is not None and before.version != MODERN and before.method != "initialize"
    return before.version if before is not None and plain and method in LISTS and params == {} else None


def _message(line: bytes) -> dict[str, Any] | None:
    """A JSON-RPC message, without anything that two readers of JSON might read differently."""
    if b"\\" in line:
        return None
    try:
        message = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    usual = isinstance(message, dict) and message.keys() <= {"jsonrpc", "id", "method", "params"}
    said = usual and message.get("jsonrpc") == "2.0" and isinstance(message.get("method"), str)
    return message if said else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_number(number: Any) -> bool:
    if isinstance(number, str):
        return _NUMBER.fullmatch(number) is not None
    return type(number) is int and 0 <= number < 2**31


def _offered(params: Any) -> str | None:
    """The version that a well-formed `initialize` offers."""
    if not isinstance(params, dict) or params.keys() != {"protocolVersion", "capabilities", "clientInfo"}:
        return None
    version = params["protocolVersion"]
    fits = isinstance(version, str) and _are_capabilities(params["capabilities"]) and _is_info(params["clientInfo"])
    return version if fits else None


def _is_enveloped(params: Any) -> bool:
    meta = params.get("_meta") if isinstance(params, dict) and len(params) == 1 else None
    names = {f"{_ENVELOPE}{name}" for name in ("protocolVersion", "clientCapabilities", "clientInfo")}
    return (
        isinstance(meta, dict)
        and meta.keys() == names
        and meta[f"{_ENVELOPE}protocolVersion"] == MODERN
        and _are_capabilities(meta[f"{_ENVELOPE}clientCapabilities"])
        and _is_info(meta[f"{_ENVELOPE}clientInfo"])
    )


def _is_info(info: Any) -> bool:
    if not isinstance(info, dict) or not {"name", "version"} <= info.keys() <= _INFO:
        return False
    return all(isinstance(said, str) for said in info.values())


def _are_capabilities(given: Any) -> bool:
    return isinstance(given, dict) and all(_is_capability(name, said) for name, said in given.items())


def _is_capability(name: str, said: Any) -> bool:
    known: Mapping[str, type] = _CAPABILITIES.get(name, {})
    if name not in _CAPABILITIES or not isinstance(said, dict):
        return False
    return all(part in known and isinstance(value, known[part]) for part, value in said.items())
