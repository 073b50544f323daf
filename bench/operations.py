"""The declarations in the forms that the peers read: a forwarding table, and an OpenAPI document for FastMCP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core13_mcp.declarations.files import MCP_KEYS

Declarations = Mapping[str, Any]


def forwarding_table(declarations: Declarations) -> dict[str, Any]:
    """Return each tool as MCP clients see it, with its method and its path."""
    return {
        name: {
            "tool": {key: declaration[key] for key in MCP_KEYS},
            "method": declaration["endpoint"]["method"],
            "path": declaration["endpoint"]["path"],
        }
        for name, declaration in declarations.items()
    }


def openapi_document(declarations: Declarations) -> dict[str, Any]:
    """Return an OpenAPI document with the same operations."""
    paths: dict[str, Any] = {}
    for declaration in declarations.values():
        endpoint = declaration["endpoint"]
        paths.setdefault(endpoint["path"], {})[endpoint["method"].lower()] = _operation(declaration)
    return {"openapi": "3.1.0", "info": {"title": "Core-13", "version": "1"}, "paths": paths}


def write_copies(declarations: Declarations, count: int, directory: Path) -> None:
    """Write copies under other names, until there are `count` declarations with the built-in ones."""
    directory.mkdir(parents=True, exist_ok=True)
    originals = list(declarations.values())
    for number in range(count - len(originals)):
        original = originals[number % len(originals)]
        name = f"copy-{number:04}-{original['name']}"[:60].rstrip("-")
        (directory / f"{name}.json").write_text(json.dumps({**original, "name": name}), "utf-8")


def _operation(declaration: Mapping[str, Any]) -> dict[str, Any]:
    schema, endpoint = declaration["inputSchema"], declaration["endpoint"]
    arguments, required = schema["properties"], set(schema.get("required", ()))
    in_path = sorted(re.findall(r"{(\w+)}", endpoint["path"]))
    others = {name: part for name, part in arguments.items() if name not in in_path and name != "detail"}
    in_query = endpoint["method"] in ("GET", "DELETE")
    parameters = [{"name": name, "in": "path", "required": True, "schema": arguments[name]} for name in in_path]
    if in_query:
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": part} for name, part in others.items()
        ]
    operation = {
        "operationId": declaration["name"].replace("-", "_"),
        "summary": declaration["title"],
        "description": declaration["description"],
        "parameters": parameters,
        "responses": {"200": {"description": "ok", "content": _json(declaration["outputSchema"])}},
    }
    if others and not in_query:
        body = {"type": "object", "properties": others, "required": sorted(required & others.keys())}
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
