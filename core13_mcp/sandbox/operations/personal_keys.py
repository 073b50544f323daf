"""What a personal API key may do: its scopes, and the projects and organizations that it is restricted to."""

from __future__ import annotations

import hashlib
from typing import Final

from starlette.responses import Response

from ..context import RequestContext
from ..responses import json_response, not_found
from ..store import format_timestamp

# The characters of a key that its mask shows.
PREFIX_LENGTH: Final = 4
SUFFIX_LENGTH: Final = 4


def retrieve(context: RequestContext) -> Response:
    """Return the key that makes the request. A session has no current key, and no other key can be read."""
    principal = context.principal
    secret, grant = principal.secret, principal.grant
    key_id = hashlib.sha256(secret.encode()).hexdigest()[:20]
    if principal.by_session or context.path["id"] not in ("@current", key_id):
        raise not_found()
    return json_response(
        200,
        {
            "id": key_id,
            "label": "Sandbox key",
            "value": None,
            "mask_value": f"{secret[:PREFIX_LENGTH]}...{secret[-SUFFIX_LENGTH:]}",
            "created_at": principal.user["doc"]["date_joined"],
            "last_used_at": format_timestamp(context.now),
            "user_id": principal.id,
            "scopes": grant["scopes"].split(),
            "scoped_teams": grant.get("projects", []),
            "scoped_organizations": grant.get("organizations", []),
            "last_rolled_at": None,
        },
    )
