"""The mode in which each refresh replaces the refresh token."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ..sandbox_client import Clock
from .conftest import connected
from .oauth_client import OAuthClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rotating(clock: Clock) -> AsyncIterator[OAuthClient]:
    """A client of a server that replaces refresh tokens."""
    async with connected(clock, refresh_rotation=True) as http:
        yield await OAuthClient.register(http)


async def test_a_refresh_replaces_both_tokens(rotating: OAuthClient) -> None:
    first = await rotating.sign_in()
    second = (await rotating.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert [await rotating.status(tokens["access_token"]) for tokens in (first, second)] == [401, 200]


async def test_a_replaced_token_returns_the_same_successor_for_two_minutes(rotating: OAuthClient, clock: Clock) -> None:
    first = await rotating.sign_in()
    second = (await rotating.refresh(first["refresh_token"])).json()
    clock.advance(120)
    assert (await rotating.refresh(first["refresh_token"])).json() == second


async def test_a_replaced_token_gets_new_tokens_if_its_successor_was_replaced_too(
    rotating: OAuthClient, clock: Clock
) -> None:
    first = await rotating.sign_in()
    second = (await rotating.refresh(first["refresh_token"])).json()
    third = (await rotating.refresh(second["refresh_token"])).json()
    clock.advance(120)
    again = (await rotating.refresh(first["refresh_token"])).json()
    assert again["access_token"] not in (second["access_token"], third["access_token"])
    assert [await rotating.status(tokens["access_token"]) for tokens in (third, again)] == [200, 200]
    clock.advance(1)
    assert (await rotating.refresh(first["refresh_token"])).status_code == 400


async def test_a_use_after_two_minutes_ends_the_sign_in(rotating: OAuthClient, clock: Clock) -> None:
    other = await rotating.sign_in()
    first = await rotating.sign_in()
    second = (await rotating.refresh(first["refresh_token"])).json()
    clock.advance(121)
    assert (await rotating.refresh(first["refresh_token"])).json() == {"error": "invalid_grant"}
    assert await rotating.status(second["access_token"]) == 401
    assert (await rotating.refresh(second["refresh_token"])).status_code == 400
    assert await rotating.status(other["access_token"]) == 200
