"""The description of one tool and its arguments for a person. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .layout import columns, paragraph


def describe_tool(tool: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield the lines that describe a tool, the content of a declaration, and its arguments."""
    yield from paragraph(f"{tool['name']}: {tool['title']}", width)
    yield ""
    yield from paragraph(tool["description"], width)
    yield ""
    schema = tool["inputSchema"]
    required = _required(tool)
    rows = [
        (name, type_name(part), "yes" if name in required else "no", _description(part))
        for name, part in schema["properties"].items()
    ]
    if rows:
        yield from columns([("argument", "type", "required", "description"), *rows], width)
    else:
        yield "It has no arguments."
    yield ""
    yield f"The schema: core13-mcp tools {tool['name']} --json"


def type_name(schema: Mapping[str, Any]) -> str:
    """Return the type of the values that a schema describes, as one word or phrase."""
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {type_name(schema.get('items', {}))}"
    return str(schema.get("format", kind))


def _required(tool: Mapping[str, Any]) -> set[str]:
    """Return the required arguments: those of the schema, and the project of a tool that writes."""
    required = set(tool["inputSchema"].get("required", ()))
    project = tool.get("project")
    writes = not tool["annotations"]["readOnlyHint"]
    return required | {project["argument"]} if project and writes else required


def _description(schema: Mapping[str, Any]) -> str:
    values = schema.get("enum") or schema.get("items", {}).get("enum") or ()
    choices = f"One of: {', '.join(map(str, values))}." if values else ""
    description = schema.get("description", "")
    has_default = "default" in schema and "default" not in description
    default = f"Default: {schema['default']}." if has_default else ""
    return " ".join(filter(None, (description, choices, default)))
