"""An OpenAPI document that has exactly what the declarations have."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from core13_mcp.declarations.files import CONFIRMATION, OWN_NAMES
from core13_mcp.declarations.model import Declaration


def derived_document(tools: Iterable[Declaration]) -> dict[str, Any]:
    """Return the document. No part of it is in two places, so that a test can change each one."""
    paths: dict[str, Any] = {}
    for tool in tools:
        paths.setdefault(tool.endpoint.path, {})[tool.endpoint.method.lower()] = _operation(tool)
    content: dict[str, Any] = json.loads(json.dumps({"openapi": "3.1.0", "paths": paths}))
    return content


def _operation(tool: Declaration) -> dict[str, Any]:
    endpoint = tool.endpoint
    own = {"detail", tool.clear, CONFIRMATION if tool.accepts_codes else None}
    required = {*tool.input_schema.get("required", ()), *endpoint.placeholders}
    sent = {name: schema for name, schema in tool.arguments.items() if name not in own}
    has_body = endpoint.method in ("POST", "PATCH")
    operation: dict[str, Any] = {
        "operationId": tool.name.replace("-", "_"),
        "parameters": [
            {
                "in": "path" if name in endpoint.placeholders else "query",
                "name": name,
                "required": name in required,
                "schema": schema,
            }
            for name, schema in sent.items()
            if name in endpoint.placeholders or not has_body
        ],
        "responses": _responses(tool),
    }
    if endpoint.scope:
        operation["security"] = [{"PersonalAPIKeyAuth": [endpoint.scope]}]
    if has_body:
        names = [name for name in sent if name not in endpoint.placeholders]
        fields = {name: _nullable(sent[name]) if name in tool.clearable else sent[name] for name in names}
        body = {"type": "object", "properties": fields, "required": [name for name in names if name in required]}
        operation["requestBody"] = _json(sent[endpoint.body_argument] if endpoint.body_argument else body)
    return operation


def _responses(tool: Declaration) -> dict[str, Any]:
    statuses = tool.evidence.status if tool.evidence else (200,)
    own = OWN_NAMES - tool.arguments.keys()
    fields = {name: part for name, part in tool.output_schema.get("properties", {}).items() if name not in own}
    body = _json({"type": "object", **({"properties": fields} if fields else {})})
    return {str(status): {} if status == 204 else body for status in statuses}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _json(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
