"""Authentication by key, token or session, and authorization by scope, project and organization."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request

from .context import Principal, RequestContext
from .responses import api_error
from .store import Row
from .validation import parse_integer

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
ADMIN_LEVEL: Final = 8
RECENT: Final = timedelta(hours=2)


def authenticate(context: RequestContext, *, session_only: bool) -> Principal:
    """Return the caller, identified by personal API key, OAuth token or login session.

    Raises:
        APIError: 401 without a valid credential, 403 for a session that writes without a CSRF token.
    """
    scheme, _, token = context.request.headers.get("authorization", "").partition(" ")
    secret = token.strip()
    if secret and scheme.lower() == "bearer" and not session_only:
        return _by_bearer(context, secret)
    principal = _principal(context, context.request.cookies.get("sessionid", ""), "session")
    if principal is None:
        headers = {"WWW-Authenticate": "Session" if session_only else "Bearer"}
        detail = "Authentication credentials were not provided."
        raise api_error(401, detail, code="not_authenticated", headers=headers)
    if context.request.method not in SAFE_METHODS:
        _check_csrf(context.request)
    return principal


def _by_bearer(context: RequestContext, secret: str) -> Principal:
    kind = "oauth" if secret.startswith("pha_") else "personal"
    principal = _principal(context, secret, kind)
    if principal is None or is_expired(principal.grant.get("expires_at"), context.now):
        name = "Access token" if kind == "oauth" else "Personal API key found in the request"
        raise api_error(401, f"{name} is invalid or expired.", headers={"WWW-Authenticate": "Bearer"})
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


def _check_csrf(request: Request) -> None:
    cookie, header = request.cookies.get("posthog_csrftoken", ""), request.headers.get("x-csrftoken", "")
    if not cookie:
        raise api_error(403, "CSRF Failed: CSRF cookie not set.")
    if not hmac.compare_digest(cookie.encode(), header.encode()):
        raise api_error(403, "CSRF Failed: CSRF token missing or incorrect.")


def check_scope(principal: Principal, scope: str) -> None:
    """Check that the credential has a scope. A `:write` scope includes `:read`; a session has every scope.

    Raises:
        APIError: 403.
    """
    granted = set(str(principal.grant.get("scopes", "")).split())
    sufficient = {"*", scope, scope.replace(":read", ":write")}
    if not principal.by_session and not granted & sufficient:
        raise api_error(403, f"API key missing required scope '{scope}'")


def find_project(context: RequestContext, project_id: str) -> Row:
    """Return the project of a path: a number, or `@current` for the current project of the caller.

    Raises:
        APIError: 404 if there is no such project, 403 if the caller is not a member of its organization.
    """
    current = context.principal.user["doc"]["current_project"]
    key = current if project_id == "@current" else parse_integer(project_id)
    project = context.store.one("select * from project where id = ?", key)
    if project is None:
        raise api_error(404, "Project not found.")
    if membership_level(context, project["organization_id"]) is None:
        raise api_error(403, "You don't have access to the project.")
    return project


def membership_level(context: RequestContext, organization: str) -> int | None:
    """The caller's level in an organization, None if the caller is not a member."""
    sql = "select level from membership where person_id = ? and organization_id = ?"
    level: int | None = context.store.value(sql, context.principal.id, organization)
    return level


def check_restrictions(context: RequestContext) -> None:
    """Check the restrictions of the key, and then those of the organization.

    Raises:
        APIError: 403.
    """
    grant, organization = context.principal.grant, context.organization
    for name, key in (("project", context.project["id"]), ("organization", organization["id"])):
        if key not in grant.get(f"{name}s", [key]):
            raise api_error(403, f"API key does not have access to the requested {name}.")
    admins_only = context.has_feature("organization_security_settings") and not organization["doc"]["personal_keys"]
    level = membership_level(context, organization["id"]) or 0
    if admins_only and context.principal.kind == "personal" and level < ADMIN_LEVEL:
        raise api_error(403, "Your organization does not allow members to use personal API keys.")


def check_recent_login(context: RequestContext, within: timedelta = RECENT) -> None:
    """Check that a session logged in recently. Keys, tokens and sessions without a login date always pass.

    Raises:
        APIError: 403.
    """
    logged_in: Any = context.principal.grant.get("logged_in_at")
    if context.principal.by_session and logged_in and context.now - datetime.fromisoformat(logged_in) > within:
        detail = "This action requires you to be recently authenticated."
        raise api_error(403, detail, code="sensitive_action_required_reauth")


def hash_password(password: str) -> str:
    """The stored form of a password. The hash is cheap because sandbox passwords protect nothing."""
    return hashlib.sha256(password.encode(errors="surrogatepass")).hexdigest()
