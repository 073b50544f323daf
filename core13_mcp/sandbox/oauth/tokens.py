"""The token endpoint and the revocation endpoint."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from ..context import RequestContext
from ..responses import json_response
from ..store import Doc, Row, format_timestamp
from . import grants
from .clients import authenticate
from .messages import error_response, oauth_error, parameters

# PostHog deletes an unused refresh token this long after its last access token has expired.
IDLE_LIFETIME: Final = timedelta(days=60)
# How long a replaced refresh token still works, in case the client lost the response.
GRACE_PERIOD: Final = timedelta(seconds=120)


def issue(context: RequestContext) -> Response:
    """Return tokens for an authorization code or a refresh token."""
    fields = parameters(context)
    grant_type = fields.get("grant_type")
    if grant_type not in ("authorization_code", "refresh_token"):
        raise oauth_error(400, "unsupported_grant_type")
    client = authenticate(context, fields)
    if grant_type == "refresh_token":
        return _refresh(context, client, fields.get("refresh_token", ""))
    return _redeem(context, client, fields)


def _redeem(context: RequestContext, client: Doc, fields: dict[str, str]) -> Response:
    """Exchange an authorization code, once."""
    code = grants.find(context, grants.CODE, fields.get("code", ""))
    if code is None or not _may_redeem(code["doc"], client, fields):
        raise oauth_error(400, "invalid_grant")
    grants.delete(context, secret=code["secret"])
    grant = {name: code["doc"][name] for name in ("client_id", "scopes", "restriction")}
    refresh = _refresh_token(code["person_id"], grant | {"family": secrets.token_urlsafe(8)})
    return _token_response(context, _issue(context, refresh))


def _may_redeem(grant: Doc, client: Doc, fields: dict[str, str]) -> bool:
    digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=")
    is_verified = hmac.compare_digest(challenge, grant["code_challenge"].encode())
    same_redirect = fields.get("redirect_uri") == grant["redirect_uri"]
    return is_verified and same_redirect and client["client_id"] == grant["client_id"]


def _refresh(context: RequestContext, client: Doc, secret: str) -> Response:
    refresh = grants.find(context, grants.REFRESH, secret)
    if refresh is None or refresh["doc"]["client_id"] != client["client_id"]:
        raise oauth_error(400, "invalid_grant")
    if context.options.refresh_rotation:
        return _rotate(context, refresh)
    return _token_response(context, _issue(context, refresh))


def _rotate(context: RequestContext, refresh: Row) -> Response:
    """Replace a refresh token. A use after the grace period ends the sign-in, because a copy may be stolen."""
    doc = refresh["doc"]
    if used_at := doc.get("used_at"):
        if context.now - datetime.fromisoformat(used_at) > GRACE_PERIOD:
            # A response, not an exception, because an exception rolls the deletion back.
            grants.delete(context, family=doc["family"])
            return error_response(400, "invalid_grant")
        if access := grants.find(context, grants.ACCESS, doc["successor"]):
            return _token_response(context, access)
    # The access token that the refresh token belongs to ends with it.
    grants.delete(context, kind=grants.ACCESS, refresh_token=refresh["secret"])
    unused = {name: value for name, value in doc.items() if name not in ("used_at", "successor")}
    access = _issue(context, _refresh_token(refresh["person_id"], unused))
    doc |= {"used_at": used_at or format_timestamp(context.now), "successor": access["secret"]}
    grants.save(context, refresh)
    return _token_response(context, access)


def _issue(context: RequestContext, refresh: Row) -> Row:
    """Store an access token for a refresh token, and extend the life of the refresh token."""
    lifetime = timedelta(seconds=context.options.token_seconds)
    grants.save(context, refresh, lifetime + IDLE_LIFETIME)
    doc = refresh["doc"]
    # `auth.check_restrictions` reads the names in the restriction.
    grant = {**doc, **doc["restriction"], "refresh_token": refresh["secret"]}
    access = refresh | {"kind": grants.ACCESS, "secret": f"pha_{secrets.token_urlsafe(32)}", "doc": grant}
    grants.save(context, access, lifetime)
    return access


def _token_response(context: RequestContext, access: Row) -> Response:
    doc = access["doc"]
    body = {
        "access_token": access["secret"],
        "expires_in": context.options.token_seconds,
        "token_type": "Bearer",
        "scope": doc["scopes"],
        "refresh_token": doc["refresh_token"],
        "scoped_teams": doc.get("projects", []),
        "scoped_organizations": doc.get("organizations", []),
    }
    return json_response(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})


def _refresh_token(user: int, grant: Doc) -> Row:
    """A new refresh token, not stored yet."""
    return {"kind": grants.REFRESH, "secret": f"phr_{secrets.token_urlsafe(32)}", "person_id": user, "doc": grant}


def revoke(context: RequestContext) -> Response:
    """End a sign-in. The response is the same for an unknown token.

    A refresh token of a registered client ends all tokens and codes of its user and client; an access token ends alone.
    """
    fields = parameters(context)
    client_id = authenticate(context, fields)["client_id"]
    token = fields.get("token", "")
    refresh = grants.find(context, grants.REFRESH, token)
    if refresh and refresh["doc"]["client_id"] == client_id:
        grants.delete(context, person_id=refresh["person_id"], client_id=client_id)
    grants.delete(context, secret=token, kind=grants.ACCESS, client_id=client_id)
    return Response(None, 200)
