"""A small OpenAPI document with every form of schema that PostHog's document has."""

from __future__ import annotations

from typing import Any

from core13_mcp.openapi.document import Document

PROJECT = {"$ref": "#/components/parameters/ProjectIdPath"}
ID = {"in": "path", "name": "id", "required": True, "schema": {"type": "string", "format": "uuid"}}
THING = {"$ref": "#/components/schemas/Thing"}

SCHEMAS: dict[str, Any] = {
    "Kind": {"type": "string", "enum": ["a", "b"], "description": "* `a` - A\n* `b` - B"},
    "Blank": {"enum": [""]},
    "Null": {"enum": [None]},
    "Base": {"type": "object", "properties": {"id": {"type": "integer", "readOnly": True}}, "required": ["id"]},
    "Tree": {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Tree"}}},
    "Thing": {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {
                "type": "object",
                "properties": {
                    "token_expired": {"type": "boolean"},
                    "name": {"type": "string", "maxLength": 400, "minLength": 1, "description": "The **name**. Shown."},
                    "kind": {"oneOf": [{"$ref": "#/components/schemas/Kind"}, {"$ref": "#/components/schemas/Null"}]},
                    "color": {"anyOf": [{"$ref": "#/components/schemas/Kind"}, {"$ref": "#/components/schemas/Blank"}, {"type": "null"}]},
                    "size": {"type": ["integer", "null"], "minimum": -2147483648, "maximum": 50},
                    "rate": {"type": ["integer", "number"]},
                    "level": {"enum": [1, 2, 3], "type": "integer"},
                    "mode": {"const": "fast"},
                    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 500},
                    "filters": {"type": "object", "additionalProperties": True},
                    "value": {},
                    "both": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                    "either": {"type": ["boolean", "integer"]},
                    "labels": {"type": "array", "items": {}},
                    "target": {"oneOf": [
                        {"type": "object", "properties": {"kind": {"const": "hook"}, "url": {"type": "string"}}},
                        {"type": "object", "properties": {"kind": {"enum": ["mail"]}, "address": {"type": "string"}}},
                    ]},
                    "long": {"type": "string", "description": f"of {'many words ' * 20}"},
                    "shape": {"oneOf": [
                        {"type": "object", "properties": {"x": {"type": "integer"}, "y": {}}, "required": ["x", "y"]},
                        {"type": "object", "properties": {"x": {"type": "integer"}, "z": {}}, "required": ["x"]},
                    ]},
                    "tree": {"$ref": "#/components/schemas/Tree"},
                    "start": {"type": "string", "format": "date-time"},
                    "day": {"type": "string", "format": "date"},
                    "code": {"type": "string", "pattern": "^[a-z]+$"},
                    "odd": {"type": "string", "pattern": "^(?=a)"},
                    "broken": {"type": "string", "pattern": "("},
                    "pair": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                    "rows": {"items": {"type": "integer"}},
                    "words": {"enum": ["x", "y"]},
                    "old": {"type": "string", "deprecated": True},
                    "$group": {"type": "string"},
                    "access_token": {"type": "string"},
                    "owner": {"type": "object", "properties": {"email": {"type": "string"}}, "readOnly": True},
                    "nothing": {"type": "null"},
                    "void": {"anyOf": [{"type": "null"}, {"enum": [None]}]},
                    "flag": {"type": "boolean"},
                    "map": {"additionalProperties": {"type": "string"}},
                    "id_password": {"type": "string", "writeOnly": True},
                },
                "required": ["name"],
            },
        ],
    },
    "Page": {
        "type": "object",
        "properties": {"count": {"type": "integer"}, "results": {"type": "array", "items": THING}},
    },
    "Wide": {"type": "object", "properties": {f"field_{n}": {"type": "string", "description": "x" * 300} for n in range(200)}},
}  # fmt: skip


SHARED = "Create, read, update and delete notes."


def operation(
    name: str, scope: str | list[str] | None = None, response: Any = None, body: Any = None, **keys: Any
) -> dict[str, Any]:
    """An operation with one successful response."""
    content = (
        {"content": {"application/json": {"schema": response}}} if response else {"description": "No response body"}
    )
    status = keys.pop("status", "200")
    return {
        "operationId": name,
        "parameters": [*keys.pop("parameters", []), PROJECT],
        "responses": {status: content, **keys.pop("errors", {})},
        **({"security": [{"PersonalAPIKeyAuth": [scope] if isinstance(scope, str) else scope}]} if scope else {}),
        **({"requestBody": {"content": {"application/json": {"schema": body}}}} if body else {}),
        **keys,
    }


def content() -> dict[str, Any]:
    """The content of the document, which a test may change."""
    collection, one = "/api/projects/{project_id}/big_things/", "/api/projects/{project_id}/big_things/{id}/"
    filters = [
        {"in": "query", "name": "limit", "schema": {"type": "integer"}},
        {"in": "query", "name": "format", "schema": {"enum": ["csv", "json"]}},
        {"in": "query", "name": "kind", "schema": {"$ref": "#/components/schemas/Kind"}, "description": "Only these.", "required": True},
        {"in": "query", "name": "gone", "schema": {"type": "string"}, "deprecated": True},
        {"in": "query", "name": "anything", "schema": {}},
        {"in": "query", "name": "order[by]", "schema": {"type": "string"}},
        {"in": "header", "name": "X-Trace", "schema": {"type": "string"}},
    ]  # fmt: skip
    return {
        "openapi": "3.1.0",
        "paths": {
            collection: {
                "get": operation("big_things_list", "big_thing:read", {"$ref": "#/components/schemas/Page"}, parameters=filters),
                "post": operation("big_things_create", "big_thing:write", THING, THING, status="201",
                                  errors={"409": {"description": "Use another {name}."}, "400": {"description": ""}, "418": {}}),
                "put": operation("big_things_update", "big_thing:write", THING, THING),
            },
            one: {
                "parameters": [{**ID, "description": "The id of the path."}],
                "get": operation("big_things_retrieve", ["big_thing:read", "other:read"], THING, description="Reads it. You MUST read it \u2013 now."),
                "patch": operation("big_things_partial_update", "big_thing:write", THING, THING, parameters=[ID]),
                "delete": operation("big_things_destroy", "big_thing:write", status="204"),
            },
            f"{one}send/": {"post": operation("big_things_send_create", None, None, {"type": "array", "items": THING}, parameters=[ID])},
            f"{one}wide/": {"patch": operation("big_things_wide_partial_update", "big_thing:write", {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]},
                                               {"$ref": "#/components/schemas/Wide"}, parameters=[ID])},
            f"{one}duplicate_with_a_very_long_name_of_an_action/": {"post": operation("big_things_duplicate_with_a_very_long_name_of_an_action_create", "big_thing:write", THING, {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string"}}}, parameters=[ID])},
            "/api/environments/{environment_id}/statuses/{key}/": {"get": {
                "operationId": "environments_statuses_retrieve", "summary": "Read one status",
                "parameters": [{"in": "path", "name": "environment_id", "schema": {}}, {"in": "path", "name": "key", "schema": {"type": "integer"}, "description": "Key of it."}],
                "security": [{"PersonalAPIKeyAuth": ["status:read"]}], "responses": {"200": {}, "default": {}}}},
            "/api/widgets/": {"get": {**operation("widgets_list", "widget:read"), "parameters": []}, "patch": operation("widgets_partial_update", "widget:write", None, {
                "type": "object", "properties": {"clear": {"type": "boolean"}, "size": {"type": ["integer", "null"]}}})},
            "/api/projects/{project_id}/notes/{id}/": {
                "patch": operation("notes_partial_update", "note:write", None, {"type": "object", "properties": {"deleted": {"type": "boolean"}}}, parameters=[ID], description=SHARED),
                "delete": operation("notes_destroy", "note:write", status="405", parameters=[ID], description=SHARED)},
            "/api/projects/{project_id}/marks/{id}/": {
                "patch": operation("marks_partial_update", "mark:write", None, {"type": "object", "properties": {"name": {"type": "string"}}}, parameters=[ID]),
                "delete": operation("marks_destroy", "mark:write", status="405", parameters=[ID])},
            "/api/projects/{project_id}/pins/{id}/": {"delete": operation("pins_destroy", "pin:write", status="405", parameters=[ID])},
            "/api/old/": {
                "get": operation("old_list", "old:read", {"type": "array", "items": THING}, deprecated=True),
                "post": {**operation("old_list"), "requestBody": {"content": {"multipart/form-data": {"schema": THING}}}}},
            "/api/exports/": {"get": {"parameters": [
                {"in": "query", "name": "tags", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}, "description": "Tags to export."},
                {"in": "query", "name": "kinds", "explode": False, "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Kind"}}}],
                "responses": {"200": {"content": {"text/csv": {"schema": {"type": "string"}}}}}}},
            "/api/exports/{id}/": {"get": {"parameters": [ID], "security": [{"PersonalAPIKeyAuth": ["export:read"]}],
                "responses": {"200": {"content": {"application/json; charset=utf-8": {"schema": {"type": "object"}}}}}}},
            "/api/categories/{id}": {"get": operation("categories_retrieve", "category:read", parameters=[ID])},
            "x-extension": 5,
        },
        "components": {
            "schemas": SCHEMAS,
            "parameters": {"ProjectIdPath": {"in": "path", "name": "project_id", "required": True, "schema": {"type": "string"}}},
        },
    }  # fmt: skip


def document() -> Document:
    return Document(content(), "openapi.json")
