"""A real OAuth round: from 401 to an answered call, through an expired token and a missing scope.

The SDK's OAuth client, this server, and the sandbox's authorization server, each on a socket of its own. The person is
a few lines that open the page and tick the boxes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from core13_mcp import sandbox
from core13_mcp.settings import Settings

from ....asgi import listening
from ..http_server import ERAS, serving
from .login import Kept, Person, logged_in

pytestmark = pytest.mark.anyio

WITHIN = 30.0


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    url: str
    clock: Clock


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock(datetime.now(UTC))
    async with AsyncExitStack() as running:
        issuer = await running.enter_async_context(listening(sandbox.build(oauth=True, clock=clock)))
        settings = Settings(host=issuer, auth="oauth", log_level="error")
        yield World((await running.enter_async_context(serving(settings))).url, clock)


async def who(client: Client) -> Any:
    answer = await client.call_tool("users-retrieve", {})
    assert not answer.is_error, answer.content
    return answer.structured_content["first_name"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_with_nothing_but_the_address_ends_with_an_answer(world: World, era: str) -> None:
    person = Person()
    with anyio.fail_after(WITHIN):
        async with logged_in(world.url, person, Kept(), era) as client:
            assert await who(client) == "Ada"
    assert [{"introspection", "user:read", "subscription:write"} <= asked for asked in person.asked] == [True]


async def test_an_expired_token_is_renewed_without_asking_the_person(world: World) -> None:
    person, kept = Person(), Kept()
    with anyio.fail_after(WITHIN):
        async with logged_in(world.url, person, kept, "auto") as client:
            assert await who(client) == "Ada"
            first = kept.tokens
            world.clock.now += timedelta(hours=2)
            # The client's own clock tells it that the hour is over.
            kept.expire()
            assert await who(client) == "Ada"
    assert first is not None and kept.tokens is not None
    assert kept.tokens.access_token != first.access_token
    assert len(person.asked) == 1


async def test_a_token_that_expired_unnoticed_leads_back_to_the_person(world: World) -> None:
    person = Person()
    with anyio.fail_after(WITHIN):
        async with logged_in(world.url, person, Kept(), "auto") as client:
            assert await who(client) == "Ada"
            world.clock.now += timedelta(hours=2)
            assert await who(client) == "Ada"
    assert len(person.asked) == 2


async def test_a_missing_scope_is_asked_for_when_a_tool_needs_it(world: World) -> None:
    person = Person(refused={"subscription:read", "subscription:write"})
    with anyio.fail_after(WITHIN):
        async with logged_in(world.url, person, Kept(), "auto") as client:
            assert await who(client) == "Ada"
            person.refused = set()
            listed = await client.call_tool("subscriptions-list", {})
    assert not listed.is_error
    assert len(person.asked) == 2
    assert "subscription:read" in person.asked[1]


async def test_a_token_that_was_taken_back_reaches_nothing(world: World) -> None:
    kept = Kept()
    with anyio.fail_after(WITHIN):
        async with logged_in(world.url, Person(), kept, "auto") as client:
            await who(client)
        assert kept.tokens is not None and kept.client is not None
        issuer = await _metadata(world)
        async with httpx2.AsyncClient() as http:
            form = {"token": kept.tokens.access_token, "client_id": kept.client.client_id}
            form |= {"client_secret": kept.client.client_secret or ""}
            revoked = await http.post(issuer["revocation_endpoint"], data=form)
            refused = await http.post(
                world.url, json={}, headers={"Authorization": f"Bearer {kept.tokens.access_token}"}
            )
    assert revoked.status_code == 200
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


async def _metadata(world: World) -> Any:
    async with httpx2.AsyncClient() as http:
        origin = world.url.removesuffix("/mcp")
        resource = (await http.get(f"{origin}/.well-known/oauth-protected-resource/mcp")).json()
        return (await http.get(f"{resource['authorization_servers'][0]}/.well-known/oauth-authorization-server")).json()
