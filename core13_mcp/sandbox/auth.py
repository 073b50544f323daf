"""Who is calling, and may they: credentials, scopes, projects, in the server's order."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request

from . import errors
from .call import Call, Caller
from .fields import fits
from .store import Row
from .times import moment

SAFE: Final = ("GET", "HEAD", "OPTIONS")
ADMIN: Final = 8
RECENT: Final = timedelta(hours=2)


def authenticate(call: Call, *, session_only: bool) -> Caller:
    """The caller by personal key, OAuth token or session. Raises Refusal 401, or 403 for a session without CSRF."""
    caller = None if session_only else _by_key(call)
    caller = caller or _by_session(call)
    if caller is None:
        raise errors.unauthenticated("Session" if session_only else "Bearer")
    return caller


def _by_key(call: Call) -> Caller | None:
    scheme, _, bearer = call.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        secret = bearer.strip()
        return _credential(call, secret, "oauth" if secret.startswith("pha_") else "personal")
    # A body that cannot be read holds no key.
    spelled = call.mentions("personal_api_key") or call.query.get("personal_api_key")
    return _credential(call, str(spelled), "personal") if spelled else None


def _credential(call: Call, secret: str, kind: str) -> Caller:
    found = call.store.one("select * from credential where secret = ? and kind = ?", secret, kind)
    caller = _caller(call, found)
    if caller is None or expired(caller.grant.get("expires_at"), call.now):
        named = "Access token" if kind == "oauth" else "Personal API key found in the request"
        raise errors.bad_credential(f"{named} is invalid or expired.")
    return caller


def _caller(call: Call, found: Row | None) -> Caller | None:
    person = found and call.store.one("select * from person where id = ?", found["person_id"])
    if not (found and person and person["doc"]["is_active"]):
        return None
    return Caller(person, found["kind"], found["secret"], found["doc"])


def expired(stamped: str | None, now: datetime) -> bool:
    return stamped is not None and moment(stamped) <= now


def _by_session(call: Call) -> Caller | None:
    session = call.request.cookies.get("sessionid", "")
    found = call.store.one("select * from credential where secret = ? and kind = 'session'", session)
    caller = _caller(call, found)
    if caller is not None and call.request.method not in SAFE:
        _check_csrf(call.request)
    return caller


def _check_csrf(request: Request) -> None:
    cookie, header = request.cookies.get("posthog_csrftoken", ""), request.headers.get("x-csrftoken", "")
    if not cookie:
        raise errors.denied("CSRF Failed: CSRF cookie not set.")
    if not hmac.compare_digest(cookie.encode(), header.encode()):
        raise errors.denied("CSRF Failed: CSRF token missing or incorrect.")


def check_scope(caller: Caller, scope: str) -> None:
    """A ``:write`` scope holds the ``:read`` of the same object. Sessions have every scope."""
    if caller.by_session:
        return
    granted = set(str(caller.grant.get("scopes", "")).split())
    name = scope.partition(":")[0]
    if not granted & {"*", scope, f"{name}:write"}:
        raise errors.denied(f"API key missing required scope '{scope}'")


def find_project(call: Call, spelled: str) -> Row:
    """The project a path names. Raises Refusal 404 when there is none, 403 when it is not the caller's."""
    project = _by_token(call) or _project(call, spelled)
    if project is None:
        raise errors.not_found("Project not found.")
    if membership(call, project["organization_id"]) is None:
        raise errors.denied("You don't have access to the project.")
    return project


def _by_token(call: Call) -> Row | None:
    token = call.query.get("token") if call.request.method in SAFE else None
    if token is None:
        return None
    sql = "select * from project where json_extract(doc, '$.api_token') = ?"
    found = call.store.one(sql, token)
    if found is None:
        raise errors.bad_credential("Project token is invalid.")
    return found


def _project(call: Call, spelled: str) -> Row | None:
    if spelled == "@current":
        key = call.caller.person["doc"]["current_project"]
    else:
        key = int(spelled) if spelled.isascii() and spelled.isdigit() and len(spelled) < 20 else None
    return call.store.one("select * from project where id = ?", key) if key is not None and fits(key) else None


def membership(call: Call, organization: str) -> int | None:
    """The caller's level in an organization, None for a stranger."""
    sql = "select level from membership where person_id = ? and organization_id = ?"
    level: int | None = call.store.value(sql, call.caller.id, organization)
    return level


def check_restrictions(call: Call) -> None:
    """What the key, and then the organization, say about keys on this project. Raises Refusal 403."""
    projects: list[int] = call.caller.grant.get("projects", [])
    organizations: list[str] = call.caller.grant.get("organizations", [])
    if projects and call.project["id"] not in projects:
        raise errors.denied("API key does not have access to the requested project.")
    if organizations and call.organization["id"] not in organizations:
        raise errors.denied("API key does not have access to the requested organization.")
    forbidden = call.has("organization_security_settings") and not call.organization["doc"]["personal_keys"]
    if call.caller.kind == "personal" and forbidden and (membership(call, call.organization["id"]) or 0) < ADMIN:
        raise errors.denied("Your organization does not allow members to use personal API keys.")


def fresh(call: Call, within: timedelta = RECENT) -> bool:
    """Whether the session was logged in recently; one without a date always was. Keys need no freshness."""
    logged_in: Any = call.caller.grant.get("logged_in_at")
    return not call.caller.by_session or logged_in is None or call.now - moment(logged_in) <= within


def check_fresh(call: Call, within: timedelta = RECENT) -> None:
    if not fresh(call, within):
        detail = "This action requires you to be recently authenticated."
        raise errors.denied(detail, "sensitive_action_required_reauth")
