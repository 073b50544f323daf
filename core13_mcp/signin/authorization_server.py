"""The requests to PostHog's authorization server, and what its errors mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import httpx2

from ..api.client import APIClient
from ..api.credentials import Credentials
from ..api.exchange import APIRequest, APIResponse
from ..api.failures import ConnectFailure
from ..api.retry import AttemptOutcome, RetryPolicy, retry_after
from ..api.session import APISession
from ..identity import NAME
from ..jsonio import parse_json
from ..text import single_line
from .endpoints import Endpoints
from .errors import USE_A_KEY, GrantRefused, ServerUnavailable, SignInFailed
from .flow import REDIRECT_URI, Authorization
from .stored import StoredSignIn, Tokens

METADATA_PATH = "/.well-known/oauth-authorization-server"

# Seconds for one request and its retries.
TIMEOUT = 20.0

_METHOD_NOT_ALLOWED = 405
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class OAuthRetryPolicy(RetryPolicy):
    """Three attempts. A 405 counts as temporary, because a server that is being deployed returns it for a while."""

    max_attempts: int = 3

    def delay(self, attempt: int, outcome: AttemptOutcome, *, repeatable: bool) -> float | None:
        """Return the seconds to the next attempt, or None."""
        if isinstance(outcome, APIResponse) and outcome.status == _METHOD_NOT_ALLOWED:
            outcome = replace(outcome, status=503)
        return RetryPolicy.delay(self, attempt, outcome, repeatable=repeatable)


class AuthorizationServer:
    """The authorization server at the origin of a client, which must not be read-only.

    Every method raises ServerUnavailable if there is no useful answer within `timeout` seconds.
    """

    def __init__(self, client: APIClient, timeout: float = TIMEOUT) -> None:
        self.origin = client.origin
        self._client = client
        self._timeout = timeout

    async def discover(self) -> Endpoints:
        """Return the endpoints.

        Raises:
            SignInFailed: There is no authorization server.
        """
        response = await self._send("GET", METADATA_PATH)
        metadata = parse_object(response)
        if response.status == 200 and metadata:
            return Endpoints.discovered(metadata, self.origin)
        self._require_answer(response)
        raise SignInFailed(f"the PostHog at {self.origin} offers no sign-in. {USE_A_KEY}")

    async def register(self, endpoints: Endpoints, host_name: str) -> str:
        """Register this installation (RFC 7591), and return its client id.

        Raises:
            SignInFailed: The server registers no clients, or no more at present.
        """
        # PostHog refuses names with certain words, which a host name can contain.
        for name in (f"{NAME} on {single_line(host_name, _MAX_NAME)}", NAME):
            response = await self._send("POST", endpoints.registration, body=_client(name))
            if response.status != 400:
                break
        client_id = parse_object(response).get("client_id")
        if response.status in (200, 201) and isinstance(client_id, str) and client_id:
            return client_id
        self._refuse_registration(response)

    async def exchange(self, endpoints: Endpoints, authorization: Authorization, code: str) -> Tokens:
        """Exchange an authorization code for tokens.

        Raises:
            GrantRefused: The code or the client is not valid.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": authorization.redirect_uri,
            "client_id": authorization.client_id,
            "code_verifier": authorization.verifier,
        }
        response = await self._grant(endpoints, form)
        return self._tokens(response, {"scope": " ".join(authorization.access.scopes)})

    async def refresh(self, endpoints: Endpoints, sign_in: StoredSignIn) -> Tokens:
        """Return tokens with a new access token.

        Raises:
            GrantRefused: The refresh token or the client is not valid.
        """
        current = sign_in.tokens.as_json()
        refresh_token = current["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": sign_in.client_id}
        response = await self._grant(endpoints, form)
        kept = ("refresh_token", "scope", "scoped_teams", "scoped_organizations")
        return self._tokens(response, {name: current[name] for name in kept})

    async def revoke(self, endpoints: Endpoints, sign_in: StoredSignIn) -> None:
        """Revoke all tokens of the person and this client (RFC 7009)."""
        token = sign_in.tokens.refresh_token.get_secret_value()
        form = {"token": token, "token_type_hint": "refresh_token", "client_id": sign_in.client_id}
        response = await self._send("POST", endpoints.revocation, form=form)
        if response.status != 200:
            raise ServerUnavailable(f"{self.origin} responded with status {response.status}")

    async def _grant(self, endpoints: Endpoints, form: dict[str, str]) -> APIResponse:
        response = await self._send("POST", endpoints.token, form=form)
        if response.status == 200:
            return response
        error = parse_object(response).get("error")
        if response.status in (400, 401) and isinstance(error, str):
            raise GrantRefused(single_line(error, 60))
        raise ServerUnavailable(f"{self.origin} responded with status {response.status}")

    def _tokens(self, response: APIResponse, defaults: Mapping[str, Any]) -> Tokens:
        """Read a token response. What it leaves out is as in `defaults`."""
        present = {name: value for name, value in parse_object(response).items() if value is not None}
        try:
            return Tokens.parse({**defaults, **present}, time.time())
        except ValueError as error:
            raise ServerUnavailable(f"the token response of {self.origin} is not valid: {error}") from None

    async def _send(self, method: str, path: str, **content: Any) -> APIResponse:
        session = APISession(self._client, Credentials(), self._timeout)
        try:
            return await session.send(APIRequest(method=method, path=path, auth="none", **content))
        except httpx2.RequestError as error:
            raise ServerUnavailable(self._network_problem(error)) from None

    def _network_problem(self, error: httpx2.RequestError) -> str:
        if isinstance(error, ConnectFailure):
            return f"{error}; {error.fix}"
        if isinstance(error, httpx2.TimeoutException):
            return f"{self.origin} did not answer in time"
        return f"{self.origin} cannot be reached; check the host, the network and the proxy"

    def _require_answer(self, response: APIResponse) -> None:
        if response.status == 429 or response.status >= 500:
            raise ServerUnavailable(f"{self.origin} responded with status {response.status}; try again later")

    def _refuse_registration(self, response: APIResponse) -> NoReturn:
        origin = self.origin
        if response.status == 429:
            wait = retry_after(response.headers)
            when = f"in {wait:.0f} seconds" if wait else "later"
            raise SignInFailed(f"{origin} accepts no more registrations from this address now. Try again {when}.")
        if response.status == 500:
            raise SignInFailed(
                f"sign-in is not set up at {origin}: its administrator has to set OIDC_RSA_PRIVATE_KEY. {USE_A_KEY}"
            )
        self._require_answer(response)
        raise SignInFailed(f"{origin} registers no clients (status {response.status}). {USE_A_KEY}")


def _client(name: str) -> dict[str, Any]:
    """Return the metadata of a client. Without `scope`, the person can lower or drop each requested scope."""
    return {
        "client_name": name,
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def parse_object(response: APIResponse) -> dict[str, Any]:
    """Return the JSON object of a response; an empty one for anything else."""
    try:
        value = parse_json(response.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
