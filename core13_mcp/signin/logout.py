"""The end of a sign-in."""

from __future__ import annotations

from dataclasses import replace

from ..api.client import APIClient
from .authorization_server import AuthorizationServer
from .errors import ServerUnavailable
from .login import LOCK_TIMEOUT
from .store import Store
from .stored import StoredSignIn


class NotRevoked(ServerUnavailable):
    """The tokens are deleted from this machine, but the server did not confirm that it revoked them."""


async def sign_out(store: Store, client: APIClient) -> StoredSignIn | None:
    """Revoke the sign-in, delete its tokens, and return what was deleted; None if nobody is signed in.

    Raises:
        NotRevoked: The tokens are deleted, and may still be valid.
        ConfigurationError: The file cannot be used.
    """
    # The lock keeps another process from storing renewed tokens.
    async with store.lock(LOCK_TIMEOUT):
        record = store.read()
        if record.sign_in is None:
            return None
        problem = None
        try:
            await AuthorizationServer(client).revoke(record.endpoints, record.sign_in)
        except ServerUnavailable as error:
            problem = error
        store.write(replace(record, sign_in=None))
    if problem:
        raise NotRevoked(str(problem))
    return record.sign_in
