"""The renewal of an access token, once for all processes that share a sign-in."""

from __future__ import annotations

from dataclasses import replace

import anyio

from ..api.client import APIClient
from ..errors import Core13Error
from .authorization_server import AuthorizationServer, OAuthRetryPolicy
from .errors import GrantRefused, ServerUnavailable
from .store import Store
from .stored import Record, StoredSignIn, Tokens


class NotRenewed(Core13Error):
    """The access token was not renewed, and the file is unchanged. A later attempt may succeed."""


def open_client(origin: str) -> APIClient:
    """Return an API client for the authorization server at an origin."""
    return APIClient(origin, retry_policy=OAuthRetryPolicy())


async def renew(store: Store, tokens: Tokens, client: APIClient, timeout: float) -> None:
    """Replace these tokens in the file, unless another process has replaced them already.

    If the server has ended the sign-in, the file says so afterwards.

    Raises:
        NotRenewed: The server does not answer.
        LockTimeout: Another process has locked the file for `timeout` seconds.
        ConfigurationError: The file cannot be used.
    """
    async with store.lock(timeout):
        record = store.read()
        if sign_in := _find(record, tokens):
            # A cancelled call must not lose the answer, because the server may have replaced the refresh token.
            with anyio.CancelScope(shield=True):
                store.write(await _refresh(store, record, sign_in, AuthorizationServer(client, timeout)))


async def _refresh(store: Store, record: Record, sign_in: StoredSignIn, server: AuthorizationServer) -> Record:
    try:
        tokens = await server.refresh(record.endpoints, sign_in)
    except ServerUnavailable as error:
        raise NotRenewed(str(error)) from None
    except GrantRefused as error:
        if not error.is_final:
            raise NotRenewed(f"{record.origin} refused it: {error}") from None
        # A process that does not see the lock, as on some network drives, may have used the refresh token.
        latest = store.read()
        ended = replace(sign_in, ended=str(error))
        return replace(latest, sign_in=ended) if _find(latest, sign_in.tokens) else latest
    return replace(record, sign_in=replace(sign_in, tokens=tokens))


def _find(record: Record, tokens: Tokens) -> StoredSignIn | None:
    """Return the sign-in of a record if it still has these tokens and has not ended."""
    sign_in = record.sign_in
    is_same = sign_in and not sign_in.ended and sign_in.tokens.access_token == tokens.access_token
    return sign_in if is_same else None
