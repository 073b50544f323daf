"""Authentication by key, token or session, and authorization by scope, project and organization.

A check that fails raises `APIError` with the response: 401, 403 or 404.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from .context import Principal, RequestContext
from .responses import api_error
from .store import Row
from .validation import parse_integer

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
ADMIN_LEVEL: Final = 8
RECENT: Final = timedelta(hours=2)
# What a 401 says about an unknown credential.
INVALID: Final = {
    "personal": "Personal API key found in request Authorization header is invalid.",
    "oauth": "Invalid access token.",
}


def authenticate(context: RequestContext, kinds: Sequence[str]) -> Principal:
    """Return the caller, identified by a credential of one of the kinds. The first kind names the scheme of a 401."""
    request = context.request
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    secret = token.strip()
    kind = "oauth" if secret.startswith("pha_") else "personal"
    if secret and scheme.lower() == "bearer" and kind in kinds:
        return _by_bearer(context, secret, kind)
    principal = _principal(context, request.cookies.get("sessionid", ""), "session")
    if principal is None:
        headers = {"WWW-Authenticate": "Session" if kinds[0] == "session" else "Bearer"}
        detail = "Authentication credentials were not provided."
        raise api_error(401, detail, code="not_authenticated", headers=headers)
    if request.method not in SAFE_METHODS:
        cookie, header = request.cookies.get("posthog_csrftoken", ""), request.headers.get("x-csrftoken", "")
        if not cookie:
            raise api_error(403, "CSRF Failed: CSRF cookie not set.")
        if not hmac.compare_digest(cookie.encode(), header.encode()):
            raise api_error(403, "CSRF Failed: CSRF token missing or incorrect.")
    return principal


def _by_bearer(context: RequestContext, secret: str, kind: str) -> Principal:
    principal = _principal(context, secret, kind)
    problem = INVALID[kind] if principal is None else ""
    if principal and is_expired(principal.grant.get("expires_at"), context.now):
        problem = "Access token has expired."
    if principal is None or problem:
        raise api_error(401, problem, headers={"WWW-Authenticate": "Bearer"})
    return principal


def _principal(context: RequestContext, secret: str, kind: str) -> Principal | None:
    """The active user behind a credential, None if there is none."""
    credential = context.store.one("select * from credential where secret = ? and kind = ?", secret, kind)
    user = credential and context.store.one("select * from person where id = ?", credential["person_id"])
    if not (credential and user and user["doc"]["is_active"]):
        return None
    return Principal(user, kind, secret, credential["doc"])


def is_expired(timestamp: str | None, now: datetime) -> bool:
    """Whether a timestamp has passed; None never expires."""
    return timestamp is not None and datetime.fromisoformat(timestamp) <= now


def check_scope(principal: Principal, scope: str) -> None:
    """Check that the credential has a scope. A `:write` scope includes `:read`; a session has every scope."""
    granted = set(str(principal.grant.get("scopes", "")).split())
    if principal.kind == "oauth" and not granted:
        raise api_error(403, "OAuth token has no scopes and cannot access this resource")
    sufficient = {"*", scope, scope.replace(":read", ":write")}
    if not principal.by_session and not granted & sufficient:
        raise api_error(403, f"API key missing required scope '{scope}'")


def check_restrictions(context: RequestContext) -> None:
    """Check that a key that is restricted to projects or organizations may use the project of the path."""
    grant = context.principal.grant
    if "project_id" not in context.path or not grant.keys() & {"projects", "organizations"}:
        return
    project = _find_project(context)
    for name, own_id in (("project", project["id"]), ("organization", project["organization_id"])):
        if own_id not in grant.get(f"{name}s", [own_id]):
            raise api_error(403, f"API key does not have access to the requested {name}: ID {own_id}.")


def _find_project(context: RequestContext) -> Row:
    """The project of the path: a number, or `@current` for the current project of the caller."""
    key = context.path["project_id"]
    number = context.principal.user["doc"]["current_project"] if key == "@current" else parse_integer(key)
    project = context.store.one("select * from project where id = ?", number)
    if project is None:
        raise api_error(404, "Project not found.")
    return project


def enter_project(context: RequestContext) -> RequestContext:
    """Add the project of the path and its organization, after a check that the caller is a member."""
    store, principal, project = context.store, context.principal, _find_project(context)
    sql = (
        "select o.*, m.level from organization o join membership m on m.organization_id = o.id "
        "where o.id = ? and m.person_id = ?"
    )
    organization = store.one(sql, project["organization_id"], principal.id)
    if organization is None:
        raise api_error(403, "You don't have access to the project.")
    context = replace(context, project=project, organization=organization)
    admins_only = context.has_feature("organization_security_settings") and not organization["doc"]["personal_keys"]
    if admins_only and principal.kind == "personal" and organization["level"] < ADMIN_LEVEL:
        raise api_error(403, "Your organization does not allow members to use personal API keys.")
    return context


def check_recent_login(context: RequestContext, within: timedelta = RECENT) -> None:
    """Check that a session logged in recently. Keys, tokens and sessions without a login date always pass."""
    logged_in: Any = context.principal.grant.get("logged_in_at")
    if context.principal.by_session and logged_in and context.now - datetime.fromisoformat(logged_in) > within:
        detail = "This action requires you to be recently authenticated."
        raise api_error(403, detail, code="sensitive_action_required_reauth")


def hash_password(password: str) -> str:
    """The stored form of a password. The hash is cheap because sandbox passwords protect nothing."""
    return hashlib.sha256(password.encode(errors="surrogatepass")).hexdigest()
