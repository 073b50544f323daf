"""A declaration of an invented tool, for tests of the engine that no real endpoint may decide, and a stored sign-in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from core13_mcp.declarations.files import with_confirmation
from core13_mcp.declarations.model import Declaration
from core13_mcp.keys import SecretStr
from core13_mcp.signin.store import Store
from core13_mcp.signin.stored import Record, StoredSignIn, Tokens

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


def declaration_json(method: str = "GET", path: str | None = None, **keys: Any) -> dict[str, Any]:
    """The content of a declaration file; `keys` replace or add keys of the declaration."""
    properties = keys.pop("properties", {"id": {"type": "integer", "description": "The thing."}})
    path = path or ("/api/things/{id}/" if "id" in properties else "/api/things/")
    return {
        "name": "things-do",
        "title": "Do a thing",
        "description": "Do something with a thing.",
        "annotations": {"GET": READ, "POST": CREATE}.get(method, UPDATE),
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": keys.pop("required", []),
            "additionalProperties": False,
        },
        "outputSchema": keys.pop("output", {"type": "object"}),
        "endpoint": {"method": method, "path": path, "scope": "thing:write", **keys.pop("endpoint", {})},
        **keys,
    }


def make_tool(method: str = "GET", path: str | None = None, **keys: Any) -> Declaration:
    """The same declaration, parsed, with the argument `confirmation` if it asks."""
    return Declaration.model_validate(with_confirmation(declaration_json(method, path, **keys)))


def store_sign_in(directory: Path, origin: str = "https://us.posthog.com", **fields: Any) -> None:
    """Store a sign-in. `fields` are those of StoredSignIn, such as `ended`, and of the token response, such as `scope`."""
    store = Store(directory, origin)
    payload = {
        "access_token": "pha_planted",
        "refresh_token": "phr_planted",
        "expires_in": 604800,
        "scope": "user:read",
        "scoped_teams": [],
    }
    payload = {name: fields.pop(name, value) for name, value in payload.items()}
    sign_in = StoredSignIn(SecretStr("id"), "client", Tokens.parse(payload, time.time()), **fields)
    store.write(Record(store.origin, "client", sign_in=sign_in))
