"""What a personal API key may do."""

from __future__ import annotations

import pytest

from core13_mcp import sandbox

from .conftest import Connect
from .sandbox_client import error

pytestmark = pytest.mark.anyio
CURRENT_KEY = "/api/personal_api_keys/@current/"
READ = ["sharing_configuration:read", "subscription:read", "user:read"]
WRITE = [scope.replace("read", "write") for scope in READ]


@pytest.mark.parametrize(
    ("key", "scopes", "projects", "organizations"),
    [
        (sandbox.FULL_KEY, ["*"], [], 0),
        (sandbox.READ_ONLY_KEY, READ, [], 0),
        (sandbox.OTHER_PROJECT_KEY, WRITE, [2], 0),
        (sandbox.OTHER_ORGANIZATION_KEY, WRITE, [], 1),
        (sandbox.MEMBER_KEY, ["*"], [], 0),
        (sandbox.LEGACY_KEY, WRITE, [], 0),
    ],
)
async def test_a_key_can_read_its_scopes_and_restrictions(
    connect: Connect, key: str, scopes: list[str], projects: list[int], organizations: int
) -> None:
    response = await connect(key).get(CURRENT_KEY)
    shown = response.json()
    assert (response.status_code, shown["scopes"], shown["scoped_teams"]) == (200, scopes, projects)
    assert len(shown["scoped_organizations"]) == organizations
    assert shown["value"] is None
    assert shown["mask_value"] == f"{key[:4]}...{key[-4:]}"
    assert key not in response.text
    assert (await connect(key).get(f"/api/personal_api_keys/{shown['id']}")).json() == shown


async def test_only_the_key_that_makes_the_request_can_be_read(connect: Connect) -> None:
    assert error(await connect().get(CURRENT_KEY)) == (401, "not_authenticated", None)
    assert error(await connect("phx_unknown").get(CURRENT_KEY)) == (401, "authentication_failed", None)
    assert error(await connect(sandbox.OAUTH_TOKEN).get(CURRENT_KEY)) == (401, "not_authenticated", None)
    assert error(await connect(session=sandbox.SESSION_ID).get(CURRENT_KEY)) == (404, "not_found", None)
    other = (await connect(sandbox.STAFF_KEY).get(CURRENT_KEY)).json()["id"]
    assert error(await connect(sandbox.FULL_KEY).get(f"/api/personal_api_keys/{other}/")) == (404, "not_found", None)
