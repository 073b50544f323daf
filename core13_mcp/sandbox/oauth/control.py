"""Events that a client cannot cause: tokens expire, a user disconnects the application, clients are deleted."""

from __future__ import annotations

from starlette.responses import Response

from ..context import RequestContext
from ..store import format_timestamp
from . import grants


def expire_tokens(context: RequestContext) -> Response:
    """Let every access token that the authorization server has issued expire now."""
    sql = (
        "update credential set doc = json_set(doc, '$.expires_at', ?) "
        "where kind = ? and json_extract(doc, '$.refresh_token') is not null"
    )
    context.store.execute(sql, format_timestamp(context.now), grants.ACCESS)
    return Response(None, 204)


def revoke_tokens(context: RequestContext) -> Response:
    """Delete every issued token and code, as when users disconnect all applications in their settings."""
    sql = "delete from credential where kind in (?, ?, ?) and json_extract(doc, '$.client_id') is not null"
    context.store.execute(sql, grants.CODE, grants.ACCESS, grants.REFRESH)
    return Response(None, 204)


def delete_clients(context: RequestContext) -> Response:
    """Delete every registered client. Its tokens stay, but it can neither refresh nor revoke them."""
    grants.delete(context, kind=grants.CLIENT)
    return Response(None, 204)
