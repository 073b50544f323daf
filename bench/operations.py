"""Our declarations as the peers need them: a table for those that forward by hand, OpenAPI for FastMCP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core13_mcp.declarations.catalog import Catalog
from core13_mcp.declarations.model import Declaration


def table(catalog: Catalog) -> dict[str, Any]:
    """Each tool's wire definition, method and path."""
    return {
        name: {"wire": tool.wire, "method": tool.endpoint.method, "path": tool.endpoint.path}
        for name, tool in catalog.items()
    }


def openapi(catalog: Catalog) -> dict[str, Any]:
    """An OpenAPI document of the same operations."""
    paths: dict[str, Any] = {}
    for tool in catalog.values():
        paths.setdefault(tool.endpoint.path, {})[tool.endpoint.method.lower()] = _operation(tool)
    return {"openapi": "3.1.0", "info": {"title": "Core-13", "version": "1"}, "paths": paths}


def many(catalog: Catalog, count: int, folder: Path) -> None:
    """Write declarations into a folder until there are `count` with the shipped ones: copies under other names."""
    folder.mkdir(parents=True, exist_ok=True)
    tools = list(catalog.values())
    for number in range(count - len(tools)):
        copied = tools[number % len(tools)]
        name = f"copy-{number:04}-{copied.name}"[:60].rstrip("-")
        said = copied.model_dump(mode="json", by_alias=True) | {"name": name}
        (folder / f"{name}.json").write_text(json.dumps(said), "utf-8")


def _operation(tool: Declaration) -> dict[str, Any]:
    inside = set(tool.endpoint.placeholders)
    rest = {name: schema for name, schema in tool.arguments.items() if name not in inside and name != "detail"}
    needed = set(tool.input_schema.get("required", ()))
    in_query = tool.endpoint.method in ("GET", "DELETE")
    parameters = [{"name": n, "in": "path", "required": True, "schema": tool.arguments[n]} for n in sorted(inside)]
    if in_query:
        parameters += [{"name": n, "in": "query", "required": n in needed, "schema": s} for n, s in rest.items()]
    said = {
        "operationId": tool.name.replace("-", "_"),
        "summary": tool.title,
        "description": tool.description,
        "parameters": parameters,
        "responses": {"200": {"description": "ok", "content": _json(tool.output_schema)}},
    }
    if rest and not in_query:
        body = {"type": "object", "properties": rest, "required": sorted(needed & rest.keys())}
        said["requestBody"] = {"required": True, "content": _json(body)}
    return said


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
