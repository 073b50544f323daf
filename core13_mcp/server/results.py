"""Tool results in the form of the protocol. Pure.

They are plain JSON and not models of the SDK. The SDK would validate, copy and serialize a model, and then
do the same again for the protocol version of the connection.
"""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..jsonio import JSON
from ..pipeline.projection import CallResult


def call_result(result: CallResult | ToolError, facts: JSON) -> dict[str, Any]:
    """Return the result of `tools/call`.

    A result is sent twice: as compact text and as structured content. An error is a text for the model and
    a code with details for programs.
    """
    meta = {"core13-mcp/call": facts} if facts else {}
    if isinstance(result, ToolError):
        return {
            "resultType": "complete",
            "content": [{"type": "text", "text": str(result)}],
            "isError": True,
            "_meta": {"core13-mcp/error": result.details, **meta},
        }
    return {
        "resultType": "complete",
        "content": [{"type": "text", "text": result.text}],
        "structuredContent": result.value,
        "isError": False,
        "_meta": meta,
    }
