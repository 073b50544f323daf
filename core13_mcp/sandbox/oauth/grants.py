"""The stored grants: clients, authorization codes, access tokens and refresh tokens, with their lifetimes.

They are rows of the table of credentials, so an access token authenticates requests to the API like a seeded one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from ..auth import is_expired
from ..context import RequestContext
from ..store import Row, format_timestamp

CLIENT, CODE, ACCESS, REFRESH = "client", "code", "oauth", "refresh"
# A client belongs to no user.
NOBODY: Final = 0


def find(context: RequestContext, kind: str, secret: str) -> Row | None:
    """Return the row of a grant, None if it does not exist or has expired."""
    row = context.store.one("select * from credential where secret = ? and kind = ?", secret, kind)
    return None if row is None or is_expired(row["doc"].get("expires_at"), context.now) else row


def save(context: RequestContext, grant: Row, lifetime: timedelta | None = None) -> None:
    """Store a grant in place of the one with the same secret. Without a lifetime, its expiry stays as it is."""
    if lifetime is not None:
        grant = grant | {"doc": grant["doc"] | {"expires_at": format_timestamp(context.now + lifetime)}}
    delete(context, secret=grant["secret"])
    context.store.insert("credential", **grant)


def delete(context: RequestContext, **values: Any) -> None:
    """Delete the grants with these values in columns, or in properties of the document."""
    columns = ("secret", "kind", "person_id")
    tests = (f"{name} = ?" if name in columns else f"json_extract(doc, '$.{name}') = ?" for name in values)
    context.store.execute(f"delete from credential where {' and '.join(tests)}", *values.values())
