"""The request of a client for authorization, and the account of the user who decides about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from ..context import RequestContext
from ..responses import APIError
from ..store import Doc, Row
from . import grants
from .clients import allows_redirect
from .discovery import IDENTITY_SCOPES, SCOPES
from .messages import oauth_error

UNKNOWN_CLIENT: Final = (
    "No OAuth application is registered with this client_id. Check the client_id, or register the application again."
)


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid request of a client."""

    client: Doc
    redirect_uri: str
    state: str
    code_challenge: str
    scopes: list[str]
    # `project` or `organization` if the client requires that the user selects some; else empty.
    required_level: str

    @property
    def required_scopes(self) -> set[str]:
        """The scopes that the user cannot remove."""
        return set(self.client.get("scope", "").split())

    def redirect(self, **fields: str) -> Response:
        """Send the browser back to the client."""
        query = urlencode(fields | ({"state": self.state} if self.state else {}))
        return RedirectResponse(f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}", 302)


class Account(NamedTuple):
    """The user who is signed in, all users who can be, and the organizations and projects of this one."""

    user: Row
    users: list[Row]
    organizations: list[Row]
    projects: list[Row]


def read_request(context: RequestContext) -> AuthorizationRequest:
    """Check the request. Until the redirect address is certain, an error is a response; then it is a redirect."""
    query = context.query
    row = grants.find(context, grants.CLIENT, query.get("client_id", ""))
    if row is None:
        raise oauth_error(400, "invalid_request", UNKNOWN_CLIENT)
    client: Doc = row["doc"]
    address = query.get("redirect_uri", "")
    if not allows_redirect(client, address):
        raise oauth_error(400, "invalid_request", "Mismatching redirect URI.")
    request = AuthorizationRequest(
        client,
        address,
        query.get("state", ""),
        query.get("code_challenge", ""),
        _grantable_scopes(client, query.get("scope", "")),
        query.get("required_access_level", ""),
    )
    if query.get("response_type") != "code":
        raise APIError(request.redirect(error="unsupported_response_type"))
    if not request.code_challenge:
        raise APIError(request.redirect(error="invalid_request", error_description="Code challenge required."))
    if query.get("code_challenge_method") != "S256":
        problem = "Transform algorithm not supported."
        raise APIError(request.redirect(error="invalid_request", error_description=problem))
    return request


def _grantable_scopes(client: Doc, scope: str) -> list[str]:
    """The requested scopes that the client may get; all of these if it requests none of them."""
    allowed = [*IDENTITY_SCOPES, *client["scope"].split()] if client.get("scope") else [*SCOPES]
    requested = [name for name in dict.fromkeys(scope.split()) if name in allowed]
    return requested or list(dict.fromkeys(allowed))


def read_account(context: RequestContext) -> Account:
    """The user who is signed in: Ada, or the one that the query parameter `user` names."""
    store = context.store
    users = [row for row in store.all("select * from person order by id") if row["doc"]["is_active"]]
    chosen = context.query.get("user", "1")
    user = next((row for row in users if str(row["id"]) == chosen), users[0])
    sql = "from organization o join membership m on m.organization_id = o.id where m.person_id = ?"
    organizations = store.all(f"select o.* {sql} order by o.rowid", user["id"])
    ids = [row["id"] for row in organizations]
    projects = [row for row in store.all("select * from project order by id") if row["organization_id"] in ids]
    return Account(user, users, organizations, projects)
