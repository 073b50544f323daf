"""What comes of a call, as MCP's result of one, spelled as on the wire. Pure.

Not in the SDK's models: what goes into them is checked, copied and written out again, and then all of it once more for
the protocol version of the connection.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import Any

from ..errors import ToolError
from ..jsonio import JSON, compact_json
from ..pipeline.projection import CallResult
from ..redaction import redact


def success(result: CallResult, facts: JSON) -> dict[str, Any]:
    """The same object twice: as compact text and as structured content."""
    return {
        "resultType": "complete",
        "content": [{"type": "text", "text": result.text}],
        "structuredContent": result.value,
        "isError": False,
        "_meta": {"core13-mcp/call": facts},
    }


def failure(error: ToolError, facts: JSON) -> dict[str, Any]:
    """The error's words for the model, its facts for programs, and no structured content."""
    return {
        "resultType": "complete",
        "content": [{"type": "text", "text": str(error)}],
        "isError": True,
        "_meta": {"core13-mcp/error": error.details, **({"core13-mcp/call": facts} if facts else {})},
    }


def redacted(result: dict[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    """The result without any secret that came back in it."""
    text = result["content"][0]["text"]
    # The text spells out the structured content, and a secret in it as JSON does. What is told beside it of a call
    # that went well are numbers of our own.
    shown = text + (compact_json(result["_meta"]) if result["isError"] else "")
    if not any(spelled in shown for secret in hidden for spelled in (secret, encode_basestring(secret)[1:-1])):
        return result
    # The parts, and not the whole: a password may be a word of the protocol.
    parts = [name for name in ("structuredContent", "_meta") if name in result]
    told: dict[str, Any] = {name: redact(result[name], hidden) for name in parts}
    # Written anew, because JSON spells some characters of a secret differently than the secret does.
    text = compact_json(told["structuredContent"]) if "structuredContent" in told else redact(text, hidden)
    return {**result, **told, "content": [{"type": "text", "text": text}]}
