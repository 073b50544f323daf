"""A made-up tool, for tests of the engine that no endpoint should decide."""

from __future__ import annotations

from typing import Any

from core13_mcp.declarations.model import Declaration

PROJECT = {
    "argument": "project_id",
    "current": "@current",
    "read": "/api/users/@me/",
    "id": "team.id",
    "name": "team.name",
}
READ = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
CREATE = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True}
UPDATE = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": False}


def said(method: str = "GET", path: str = "/api/things/{id}/", **over: Any) -> dict[str, Any]:
    """What a file in tools/ would say of a thing."""
    properties = over.pop("properties", {"id": {"type": "integer", "description": "Which thing."}})
    kind = {"GET": READ, "POST": CREATE}.get(method, UPDATE)
    return {
        "name": "things-do",
        "title": "Do a thing",
        "description": "Do something with a thing.",
        "annotations": kind,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": over.pop("required", []),
            "additionalProperties": False,
        },
        "outputSchema": over.pop("output", {"type": "object"}),
        "endpoint": {"method": method, "path": path, "scope": "thing:write", **over.pop("endpoint", {})},
        **over,
    }


def thing(method: str = "GET", path: str = "/api/things/{id}/", **over: Any) -> Declaration:
    """The same, read."""
    return Declaration.model_validate(said(method, path, **over))
