"""The sign-in of a person in the browser."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Awaitable
from dataclasses import replace
from typing import NamedTuple, Protocol

import httpx2

from ..api.client import APIClient
from ..api.credentials import Credentials
from ..api.exchange import APIRequest
from ..api.session import APISession
from ..declarations.endpoint import Project
from ..errors import Core13Error
from ..keys import SecretStr
from ..origins import login_command
from ..text import get_path, single_line
from .authorization_server import TIMEOUT, AuthorizationServer, parse_object
from .endpoints import Endpoints
from .errors import GrantRefused, ServerUnavailable, SignInFailed
from .flow import Access, Authorization
from .listener import Callback, listen
from .page import SIGNED_IN
from .store import Store
from .stored import Record, StoredSignIn, Tokens

# Seconds for the person to sign in.
WAIT = 600.0

# Seconds to wait for the lock of the file.
LOCK_TIMEOUT = 10.0


class Person(Protocol):
    """The person at the terminal, who has a browser on this or another machine."""

    def show(self, url: str) -> None:
        """Show the address of the page to sign in, and open it."""

    async def pasted(self) -> str:
        """Wait for the redirect address of this sign-in, and return its query. The address may come from elsewhere."""


class SignInOptions(NamedTuple):
    """What to ask for, and how.

    Attributes:
        project: The declaration of the request that names the owner of the token.
        port: The port for the browser; 0 selects a free one.
        wait: Seconds for the person to sign in.
    """

    access: Access
    project: Project
    port: int = 0
    wait: float = WAIT


class Login:
    """One sign-in at the origin of a client, which must not be read-only."""

    def __init__(self, store: Store, client: APIClient, person: Person, options: SignInOptions) -> None:
        self._store = store
        self._client = client
        self._server = AuthorizationServer(client)
        self._person = person
        self._options = options

    async def run(self) -> StoredSignIn:
        """Sign in, store the sign-in and return it.

        Raises:
            SignInFailed: Nothing was stored.
            ServerUnavailable: PostHog does not answer.
            ConfigurationError: The port or the file cannot be used.
        """
        endpoints = await self._server.discover()
        try:
            return await self._sign_in(endpoints)
        except _ClientDeleted:
            return await self._sign_in(endpoints)

    async def _sign_in(self, endpoints: Endpoints) -> StoredSignIn:
        async with listen(self._options.port) as callback:
            client_id = self._store.read().client_id or await self._register(endpoints)
            authorization = Authorization(client_id, callback.redirect_uri, self._options.access)
            try:
                query = await self._answer(authorization, endpoints, callback)
                code = authorization.read_answer(query)
                tokens = await self._exchange(endpoints, authorization, code)
                sign_in = await self._store_sign_in(endpoints, client_id, tokens)
            except Core13Error as error:
                reason = str(error).rstrip(".")
                await callback.respond("Not signed in", f"{reason[:1].upper()}{reason[1:]}. Return to your terminal.")
                raise
            await callback.respond(*SIGNED_IN)
        return sign_in

    async def _register(self, endpoints: Endpoints) -> str:
        client_id = await self._server.register(endpoints, socket.gethostname())
        await self._keep_client(client_id)
        return client_id

    async def _keep_client(self, client_id: str) -> None:
        async with self._store.lock(LOCK_TIMEOUT):
            self._store.write(replace(self._store.read(), client_id=client_id))

    async def _answer(self, authorization: Authorization, endpoints: Endpoints, callback: Callback) -> str:
        """Return the query of the redirect address, from the browser or from the terminal."""
        self._person.show(authorization.url(self._client.origin + endpoints.authorization))
        query = await _first(self._options.wait, callback.query(), self._person.pasted())
        if query is not None:
            return query
        # The browser stays at an error of PostHog if the client is not registered any more.
        await self._keep_client("")
        command = login_command(self._client.origin)
        raise SignInFailed(
            f"there was no answer from the browser in {self._options.wait:.0f} seconds. Nothing was stored. Check that "
            f"your account is at {self._client.origin}, and run `{command}` again, which registers this installation anew."
        )

    async def _exchange(self, endpoints: Endpoints, authorization: Authorization, code: str) -> Tokens:
        try:
            return await self._server.exchange(endpoints, authorization, code)
        except GrantRefused as error:
            if error.error == "invalid_client":
                await self._keep_client("")
                raise _ClientDeleted(
                    "PostHog has deleted the registration of this installation; it registers anew."
                ) from None
            raise SignInFailed(
                f"PostHog did not accept the code ({error}): it was used before, or it is older than five minutes. Nothing "
                "was stored; start again."
            ) from None
        except ServerUnavailable as error:
            raise SignInFailed(f"{error}. Nothing was stored; start again later.") from None

    async def _store_sign_in(self, endpoints: Endpoints, client_id: str, tokens: Tokens) -> StoredSignIn:
        sign_in = StoredSignIn(SecretStr(secrets.token_urlsafe(32)), client_id, tokens, await self._user(tokens))
        async with self._store.lock(LOCK_TIMEOUT):
            old = self._store.read()
            self._store.write(Record(old.origin, client_id, endpoints, sign_in))
        await self._revoke_other(old, sign_in)
        return sign_in

    async def _user(self, tokens: Tokens) -> str:
        """Return the name of the person; an empty string if PostHog does not say it."""
        project = self._options.project
        session = APISession(self._client, Credentials(tokens.access_token), TIMEOUT)
        try:
            response = await session.send(APIRequest(method="GET", path=project.read))
        except httpx2.RequestError:
            return ""
        user = get_path(parse_object(response), project.owner or "") if response.status == 200 else None
        return single_line(user, 120) if isinstance(user, str) else ""

    async def _revoke_other(self, old: Record, new: StoredSignIn) -> None:
        """Revoke the replaced sign-in of another person. Revoking one's own would also end the new one."""
        if old.sign_in and old.sign_in.user and new.user and old.sign_in.user != new.user:
            try:
                await self._server.revoke(old.endpoints, old.sign_in)
            except ServerUnavailable:
                return


class _ClientDeleted(SignInFailed):
    """The authorization server no longer knows the client."""


async def _first(timeout: float, *sources: Awaitable[str]) -> str | None:
    """Return the first result of the sources; None after the timeout."""
    tasks = [asyncio.ensure_future(source) for source in sources]
    try:
        done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result() if done else None
    finally:
        for task in tasks:
            task.cancel()
