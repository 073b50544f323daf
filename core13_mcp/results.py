"""What comes of a call, as MCP's result of one. Pure."""

from __future__ import annotations

from json.encoder import encode_basestring

from mcp.types import CallToolResult, TextContent

from .errors import ToolError
from .log import withhold
from .schema import JSON
from .shape import Result, compact


def success(result: Result, facts: JSON) -> CallToolResult:
    """The same object twice: as compact text and as structured content."""
    return CallToolResult(
        content=[TextContent(type="text", text=result.text)],
        structured_content=result.value,
        _meta={"core13-mcp/call": dict(facts)},
    )


def failure(error: ToolError, facts: JSON) -> CallToolResult:
    """The error's words for the model, its facts for programs, and no structured content."""
    return CallToolResult(
        content=[TextContent(type="text", text=str(error))],
        is_error=True,
        _meta={"core13-mcp/error": error.facts, **({"core13-mcp/call": dict(facts)} if facts else {})},
    )


def withheld(result: CallToolResult, hidden: tuple[str, ...]) -> CallToolResult:
    """The result without any secret that came back in it."""
    said = result.content[0]
    assert isinstance(said, TextContent)
    # The text spells out the structured content, and a secret in it as JSON does. What is told beside it of a call
    # that went well are numbers of our own.
    shown = said.text + (compact(result.meta) if result.is_error else "")
    if not any(spelled in shown for secret in hidden for spelled in (secret, encode_basestring(secret)[1:-1])):
        return result
    structured = withhold(result.structured_content, hidden)
    # Written anew, because JSON spells some characters of a secret differently than the secret does.
    text = withhold(said.text, hidden) if structured is None else compact(structured)
    return result.model_copy(
        update={
            "content": [TextContent(type="text", text=text)],
            "structured_content": structured,
            "meta": withhold(result.meta, hidden),
        }
    )
