"""`core13-mcp logout`: end the sign-in at PostHog."""

from __future__ import annotations

import sys
from argparse import Namespace

from ...settings import Settings
from ...signin.logout import NotRevoked, sign_out
from ...signin.renewal import open_client
from ...signin.source import open_store
from ..terminal import print_line


async def run(_: Namespace, settings: Settings) -> int:
    """Revoke the sign-in and delete its tokens. Return 1 if PostHog did not confirm the revocation."""
    store = open_store(settings)
    async with open_client(store.origin) as client:
        try:
            sign_in = await sign_out(store, client)
        except NotRevoked as error:
            print_line(
                f"The tokens are deleted from this machine, but PostHog did not confirm that it revoked them: {error}. "
                f"They may still be valid: remove core13-mcp at {store.origin} under Settings > Connected applications.",
                sys.stderr,
            )
            return 1
    if sign_in is None:
        print_line(f"Nobody is signed in at {store.origin}.")
    else:
        print_line(f"Signed out{f' {sign_in.user}' if sign_in.user else ''} at {store.origin}; the tokens are revoked.")
    return 0
