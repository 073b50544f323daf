"""Tool results in the form of the protocol. Pure.

They are plain JSON and not models of the SDK. The SDK would validate, copy and serialize a model, and then
do the same again for the protocol version of the connection.
"""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..pipeline.outcome import Outcome


def call_result(outcome: Outcome) -> dict[str, Any]:
    """Return the result of `tools/call`.

    A result is sent twice: as compact text and as structured content. An error is a text for the model and
    a code with details for programs.
    """
    facts = {"core13-mcp/call": outcome.facts} if outcome.facts else {}
    if isinstance(outcome.result, ToolError):
        return {
            "resultType": "complete",
            "content": [{"type": "text", "text": str(outcome.result)}],
            "isError": True,
            "_meta": {"core13-mcp/error": outcome.result.details, **facts},
        }
    return {
        "resultType": "complete",
        "content": [{"type": "text", "text": outcome.result.text}],
        "structuredContent": outcome.result.value,
        "isError": False,
        "_meta": facts,
    }
