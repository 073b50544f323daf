"""PostHog's authorization server: discovery, registration, consent, tokens, revocation and introspection."""

from __future__ import annotations

from typing import Final

from ..dispatch import PUBLIC, Operation
from ..throttle import registration_limits
from . import authorization, clients, control, discovery, inspection, tokens

ROUTES: Final[dict[str, dict[str, Operation]]] = {
    discovery.PATH: {"GET": Operation(discovery.metadata, PUBLIC)},
    "/oauth/register": {"POST": Operation(clients.register, PUBLIC, registration_limits)},
    "/oauth/authorize": {
        "GET": Operation(authorization.ask, PUBLIC),
        "POST": Operation(authorization.answer, PUBLIC),
    },
    "/oauth/token": {"POST": Operation(tokens.issue, PUBLIC)},
    "/oauth/revoke": {"POST": Operation(tokens.revoke, PUBLIC)},
    "/oauth/introspect": {"POST": Operation(inspection.introspect, PUBLIC)},
    "/_sandbox/tokens/expire": {"POST": Operation(control.expire_tokens, PUBLIC)},
    "/_sandbox/tokens/revoke": {"POST": Operation(control.revoke_tokens, PUBLIC)},
    "/_sandbox/clients/delete": {"POST": Operation(control.delete_clients, PUBLIC)},
}
