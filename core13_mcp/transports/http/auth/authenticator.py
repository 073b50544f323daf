"""Authenticators, which identify the caller of a request from its headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request

from ....api.client import APIClient
from ....api.credentials import Credentials
from ....errors import ConfigurationError
from ....keys import KEY_HEADER, SecretStr, key_problem
from ....origins import parse_origin
from ....pipeline.call import CallContext
from ..errors import Rejected
from .tokens import CallerTokens

HOST_HEADER, PROJECT_HEADER = "X-PostHog-Host", "X-PostHog-Project-Id"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """The two steps of authentication; both raise `Rejected`."""

    # Identifies the caller from the headers alone.
    authenticate: Callable[[Request], CallContext]
    # Checks, with a request to PostHog, whether the caller may send a request with this body.
    verify: Callable[[CallContext, bytes], Awaitable[None]] | None = None
    # Whether the first step verifies the caller. If not, anyone can appear as many callers.
    trusted: bool = False


def no_auth(get_context: Callable[[], CallContext]) -> Authenticator:
    """Accept everyone who can connect; calls use the PostHog key of the server, which `get_context` returns."""
    return Authenticator(lambda _: _service_caller(get_context), trusted=True)


def token_auth(get_context: Callable[[], CallContext], tokens: CallerTokens) -> Authenticator:
    """Accept callers with a valid token, which is not sent to PostHog; calls use the PostHog key of the server."""

    def authenticate(request: Request) -> CallContext:
        token = bearer(request)
        try:
            name = tokens.name(token) if token else None
        except ConfigurationError as error:
            message = "This server cannot read the tokens of its callers. Ask its operator to check the log."
            raise Rejected(503, message) from error
        if name is None:
            reason = (
                "This server does not know this token." if token else "Send the header `Authorization: Bearer TOKEN`."
            )
            message = f"{reason} Ask the operator of this server for a token."
            raise Rejected.unauthenticated("token", message, "Bearer")
        return replace(_service_caller(get_context), name=name)

    return Authenticator(authenticate, trusted=True)


def api_key_auth(template: CallContext, clients: Sequence[APIClient], accept_bearer: bool) -> Authenticator:
    """Accept callers that send their own PostHog key; the key is used for this request only.

    Args:
        template: The call context, except for the credentials.
        clients: An API client for each allowed PostHog host. The first is the default.
        accept_bearer: Whether the key may also come as `Authorization: Bearer`.
    """
    challenge = "Bearer" if accept_bearer else f'ApiKey header="{KEY_HEADER}"'

    def authenticate(request: Request) -> CallContext:
        header, key = KEY_HEADER, request.headers.get(KEY_HEADER)
        if not key and accept_bearer:
            header, key = "Authorization", bearer(request)
        if not key:
            raise Rejected.unauthenticated("own-key", _missing_key(request, accept_bearer), challenge)
        if problem := key_problem(key):
            raise Rejected.unauthenticated("own-key", f"{header}: {problem}.", challenge)
        return replace(
            identified(template, key),
            client=_requested_client(request, clients),
            project_id=_requested_project(request) or template.project_id,
        )

    return Authenticator(authenticate)


def _missing_key(request: Request, accept_bearer: bool) -> str:
    """Return what was sent instead of a key, and where the key is expected."""
    expected = f"Send your PostHog personal API key in the header {KEY_HEADER}"
    if accept_bearer:
        expected += ", or as `Authorization: Bearer phx_...`"
    if "Authorization" not in request.headers:
        return f"The request has no key. {expected}."
    if accept_bearer:
        return f"The Authorization header of the request is not `Bearer` with a key. {expected}."
    return (
        f"The request has the header Authorization, which this server does not accept. {expected}. The operator of this "
        "server can allow `Authorization: Bearer phx_...` with --http-bearer-keys."
    )


def identified(template: CallContext, key: str) -> CallContext:
    """Return the context of a caller with its own key; its name in the log is the beginning of the key's hash."""
    credentials = Credentials(SecretStr(key))
    return replace(template, credentials=credentials, name=credentials.principal[:8])


def bearer(request: Request) -> str | None:
    """Return the token in `Authorization: Bearer`, if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _service_caller(get_context: Callable[[], CallContext]) -> CallContext:
    try:
        return get_context()
    except ConfigurationError as error:
        raise Rejected(503, "This server cannot read its PostHog key. Ask its operator to check the log.") from error


def _requested_client(request: Request, clients: Sequence[APIClient]) -> APIClient:
    host = request.headers.get(HOST_HEADER)
    if host is None:
        return clients[0]
    allowed = ", ".join(client.origin for client in clients)
    try:
        origin = parse_origin(host.strip())
    except ValueError:
        raise Rejected(400, f"{HOST_HEADER} must be us, eu or an origin. This server allows {allowed}.") from None
    for client in clients:
        if client.origin == origin:
            return client
    raise Rejected(403, f"{HOST_HEADER}: this server does not call {origin}. It allows {allowed}.")


def _requested_project(request: Request) -> int | None:
    text = request.headers.get(PROJECT_HEADER, "").strip()
    if not text:
        return None
    # A number of more than 18 digits may not fit into 64 bits.
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise Rejected(400, f"{PROJECT_HEADER} must be the id of a project, which is a positive number.")
    return int(text)
