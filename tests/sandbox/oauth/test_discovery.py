"""Which servers offer sign-in, and where its endpoints are."""

from __future__ import annotations

import httpx2
import pytest

from core13_mcp import sandbox

from ..sandbox_client import SUBSCRIPTIONS, Clock
from .oauth_client import REGISTRATION

pytestmark = pytest.mark.anyio


async def test_the_metadata_describes_the_server(http: httpx2.AsyncClient) -> None:
    metadata = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["issuer"] == "http://127.0.0.1"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "*" not in metadata["scopes_supported"]
    for name in ("token", "registration", "revocation", "introspection"):
        assert (await http.get(metadata[f"{name}_endpoint"])).status_code == 405


async def test_a_server_without_sign_in_has_none_of_the_endpoints(clock: Clock) -> None:
    app = sandbox.build(clock=clock)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sandbox") as http:
        assert (await http.get("/.well-known/oauth-authorization-server")).status_code == 404
        assert (await http.post("/oauth/register/", json=REGISTRATION)).status_code == 404
        assert (await http.get(SUBSCRIPTIONS)).status_code == 401
