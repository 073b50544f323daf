"""Authentication by key, token or session, and authorization by scope, project and organization."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request

from . import errors
from .context import Principal, RequestContext
from .store import Row
from .timestamps import parse_timestamp
from .validators import is_valid_key

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
ADMIN_LEVEL: Final = 8
RECENT: Final = timedelta(hours=2)


def authenticate(context: RequestContext, *, session_only: bool) -> Principal:
    """Return the caller, identified by personal API key, OAuth token or login session.

    Raises:
        APIError: 401 without a valid credential, 403 for a session that writes without a CSRF token.
    """
    principal = None if session_only else _by_bearer(context)
    principal = principal or _by_session(context)
    if principal is None:
        raise errors.not_authenticated("Session" if session_only else "Bearer")
    return principal


def _by_bearer(context: RequestContext) -> Principal | None:
    scheme, _, token = context.request.headers.get("authorization", "").partition(" ")
    secret = token.strip()
    if scheme.lower() != "bearer" or not secret:
        return None
    kind = "oauth" if secret.startswith("pha_") else "personal"
    principal = _principal(context, secret, kind)
    if principal is None or is_expired(principal.grant.get("expires_at"), context.now):
        name = "Access token" if kind == "oauth" else "Personal API key found in the request"
        raise errors.authentication_failed(f"{name} is invalid or expired.")
    return principal


def _by_session(context: RequestContext) -> Principal | None:
    principal = _principal(context, context.request.cookies.get("sessionid", ""), "session")
    if principal is not None and context.request.method not in SAFE_METHODS:
        _check_csrf(context.request)
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
    return timestamp is not None and parse_timestamp(timestamp) <= now


def _check_csrf(request: Request) -> None:
    cookie, header = request.cookies.get("posthog_csrftoken", ""), request.headers.get("x-csrftoken", "")
    if not cookie:
        raise errors.permission_denied("CSRF Failed: CSRF cookie not set.")
    if not hmac.compare_digest(cookie.encode(), header.encode()):
        raise errors.permission_denied("CSRF Failed: CSRF token missing or incorrect.")


def check_scope(principal: Principal, scope: str) -> None:
    """Check that the credential has a scope. A `:write` scope includes `:read`; a session has every scope.

    Raises:
        APIError: 403.
    """
    if principal.by_session:
        return
    granted = set(str(principal.grant.get("scopes", "")).split())
    name = scope.partition(":")[0]
    if not granted & {"*", scope, f"{name}:write"}:
        raise errors.permission_denied(f"API key missing required scope '{scope}'")


def find_project(context: RequestContext, project_id: str) -> Row:
    """Return the project of a path: a number, or `@current` for the current project of the caller.

    Raises:
        APIError: 404 if there is no such project, 403 if the caller is not a member of its organization.
    """
    key: int | None = None
    if project_id == "@current":
        key = context.principal.user["doc"]["current_project"]
    elif project_id.isascii() and project_id.isdigit() and len(project_id) < 20:
        key = int(project_id)
    valid = key is not None and is_valid_key(key)
    project = context.store.one("select * from project where id = ?", key) if valid else None
    if project is None:
        raise errors.not_found("Project not found.")
    if membership_level(context, project["organization_id"]) is None:
        raise errors.permission_denied("You don't have access to the project.")
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
    if grant.get("projects") and context.project["id"] not in grant["projects"]:
        raise errors.permission_denied("API key does not have access to the requested project.")
    if grant.get("organizations") and organization["id"] not in grant["organizations"]:
        raise errors.permission_denied("API key does not have access to the requested organization.")
    admins_only = context.has_feature("organization_security_settings") and not organization["doc"]["personal_keys"]
    level = membership_level(context, organization["id"]) or 0
    if admins_only and context.principal.kind == "personal" and level < ADMIN_LEVEL:
        raise errors.permission_denied("Your organization does not allow members to use personal API keys.")


def check_recent_login(context: RequestContext, within: timedelta = RECENT) -> None:
    """Check that a session logged in recently. Keys, tokens and sessions without a login date always pass.

    Raises:
        APIError: 403.
    """
    logged_in: Any = context.principal.grant.get("logged_in_at")
    if not context.principal.by_session or logged_in is None:
        return
    if context.now - parse_timestamp(logged_in) > within:
        detail = "This action requires you to be recently authenticated."
        raise errors.permission_denied(detail, "sensitive_action_required_reauth")


def hash_password(password: str) -> str:
    """The stored form of a password. The hash is cheap because sandbox passwords protect nothing."""
    return hashlib.sha256(password.encode(errors="surrogatepass")).hexdigest()
