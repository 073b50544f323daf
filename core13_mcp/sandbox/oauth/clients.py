"""Dynamic registration of clients (RFC 7591), their redirect addresses and their authentication."""

from __future__ import annotations

import hmac
import secrets
import uuid
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from starlette.responses import Response

from ..context import RequestContext
from ..responses import json_response
from ..store import Doc
from . import grants
from .discovery import SCOPES
from .messages import oauth_error

DEFAULTS: Final[Doc] = {
    "grant_types": ["authorization_code"], "response_types": ["code"], "token_endpoint_auth_method": "none",
}  # fmt: skip
CHOICES: Final = {
    "grant_types": {"authorization_code", "refresh_token"},
    "response_types": {"code"},
    "token_endpoint_auth_method": {"none", "client_secret_post"},
}
MAX_NAME_LENGTH: Final = 255
RESERVED_PREFIX: Final = "posthog"
RESERVED_WORDS: Final = ("official", "verified", "trusted")
FORBIDDEN_SCHEMES: Final = ("", "javascript", "data", "file", "blob", "vbscript")
# Hosts of this machine. A registered address with one of the first two may be used with any port (RFC 8252).
ANY_PORT_HOSTS: Final = ("127.0.0.1", "::1")
LOOPBACK_HOSTS: Final = (*ANY_PORT_HOSTS, "localhost")


def register(context: RequestContext) -> Response:
    """Register a client. Anyone may do it; a public client gets no secret.

    The scopes of the registration are the most that the client may request, and a user cannot remove them from a
    consent. Without scopes, the client may request all, and the user may remove each.
    """
    requested = context.fields
    client = {name: requested.get(name, default) for name, default in DEFAULTS.items()}
    client |= {name: requested[name] for name in ("client_name", "redirect_uris") if requested.get(name)}
    _check_metadata(client)
    if requested.get("scope"):
        client["scope"] = _registered_scopes(str(requested["scope"]))
    client |= {"client_id": str(uuid.uuid4()), "client_id_issued_at": int(context.now.timestamp())}
    if client["token_endpoint_auth_method"] == "client_secret_post":
        client |= {"client_secret": secrets.token_urlsafe(32), "client_secret_expires_at": 0}
    row = {"kind": grants.CLIENT, "secret": client["client_id"], "person_id": grants.NOBODY, "doc": client}
    grants.save(context, row)
    return json_response(201, client)


def _check_metadata(client: Doc) -> None:
    for name, choices in CHOICES.items():
        values = client[name] if isinstance(client[name], list) else [client[name]]
        if not all(isinstance(value, str) and value in choices for value in values):
            raise _invalid_metadata(name, f'"{values}" is not a valid choice.')
    _check_name(client.get("client_name", ""))
    addresses = client.get("redirect_uris")
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise _invalid_metadata("redirect_uris", "This field is required.")
    for address in addresses:
        _check_redirect_address(address)


def _check_name(name: Any) -> None:
    lower = str(name).lower()
    if lower.startswith(RESERVED_PREFIX):
        raise _invalid_metadata("client_name", "The name must not start with 'posthog'.")
    if words := [word for word in RESERVED_WORDS if word in lower]:
        raise _invalid_metadata("client_name", f"The name must not contain '{words[0]}'.")
    if len(lower) > MAX_NAME_LENGTH:
        raise _invalid_metadata("client_name", f"Ensure this field has no more than {MAX_NAME_LENGTH} characters.")


def _check_redirect_address(address: str) -> None:
    parts = _split(address)
    is_remote_http = parts is not None and parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS
    if parts is None or parts.scheme in FORBIDDEN_SCHEMES or is_remote_http or parts.fragment:
        raise oauth_error(400, "invalid_redirect_uri", f"Redirect URI {address} is not allowed.")


def _registered_scopes(scope: str) -> str:
    allowed = [name for name in dict.fromkeys(scope.split()) if name in SCOPES]
    if not allowed:
        raise _invalid_metadata("scope", "None of the requested scopes are available to self-registered clients.")
    return " ".join(allowed)


def _invalid_metadata(name: str, problem: str) -> Exception:
    return oauth_error(400, "invalid_client_metadata", f"{{'{name}': ['{problem}']}}")


def authenticate(context: RequestContext, fields: dict[str, str]) -> Doc:
    """Return the client that the parameters of a request name. A confidential client must prove its secret."""
    row = grants.find(context, grants.CLIENT, fields.get("client_id", ""))
    secret = row["doc"].get("client_secret", "") if row else ""
    if row is None or (secret and not hmac.compare_digest(secret.encode(), fields.get("client_secret", "").encode())):
        raise oauth_error(401, "invalid_client")
    client: Doc = row["doc"]
    return client


def allows_redirect(client: Doc, address: str) -> bool:
    """Whether a redirect address is registered, with any port where that is allowed."""
    requested = _split(address)
    return requested is not None and any(_matches(requested, _split(uri)) for uri in client["redirect_uris"])


def _matches(requested: SplitResult, registered: SplitResult | None) -> bool:
    if registered is None:
        return False
    # PostHog removes the port of a requested `localhost` address, so it equals one that is registered without a port.
    any_port = registered.scheme == "http" and (
        registered.hostname in ANY_PORT_HOSTS or (registered.hostname == "localhost" and registered.port is None)
    )
    same_port = any_port or requested.port == registered.port
    compared = ("scheme", "hostname", "path", "query")
    return same_port and all(getattr(requested, name) == getattr(registered, name) for name in compared)


def _split(address: str) -> SplitResult | None:
    """The parts of an address; None if it is malformed or contains whitespace or a user name."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return None if address.split() != [address] or "@" in parts.netloc else parts
