"""The introspection endpoint (RFC 7662)."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from ..auth import is_expired
from ..context import RequestContext
from ..responses import json_response
from ..store import Row
from . import grants
from .messages import parameters


def introspect(context: RequestContext) -> Response:
    """Return whether a token is active, and its scopes.

    A token may introspect itself, even after it has expired. For another token of the same client it needs the scope
    `introspection`. An unknown token gets a 403 without a body.
    """
    bearer = context.request.headers.get("authorization", "").removeprefix("Bearer ")
    secret = parameters(context).get("token", "")
    caller = _access_token(context, bearer)
    if caller is None or (secret != bearer and not _may_introspect(context, caller)):
        return Response(None, 403)
    token = _access_token(context, secret)
    if token is None or token["doc"].get("client_id") != caller["doc"].get("client_id") or _has_ended(context, token):
        return json_response(200, {"active": False})
    return json_response(200, {"active": True, **_facts(context, token)})


def _access_token(context: RequestContext, secret: str) -> Row | None:
    return context.store.one("select * from credential where secret = ? and kind = ?", secret, grants.ACCESS)


def _may_introspect(context: RequestContext, caller: Row) -> bool:
    return "introspection" in caller["doc"]["scopes"].split() and not _has_ended(context, caller)


def _has_ended(context: RequestContext, token: Row) -> bool:
    return is_expired(token["doc"].get("expires_at"), context.now)


def _facts(context: RequestContext, token: Row) -> dict[str, object]:
    doc = token["doc"]
    client = grants.find(context, grants.CLIENT, doc.get("client_id", ""))
    facts = {
        "token_type": "access_token",
        "scope": doc["scopes"],
        "is_impersonated": False,
        "scoped_teams": doc.get("projects", []),
        "scoped_organizations": doc.get("organizations", []),
    }
    if expires_at := doc.get("expires_at"):
        facts["exp"] = int(datetime.fromisoformat(expires_at).timestamp())
    if client:
        facts |= {"client_id": client["secret"], "client_name": client["doc"].get("client_name", "MCP Client")}
    return facts
