"""Authentication and authorization, and the order of their checks."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp import sandbox
from core13_mcp.sandbox.eras import Era

from . import sandbox_client as seeded
from .conftest import Connect
from .sandbox_client import (
    CURRENT,
    ME,
    OPEN,
    PROJECT,
    SUBSCRIPTIONS,
    USERS,
    Client,
    Clock,
    edited_sandbox,
    error,
    subscription,
    weekly,
)

pytestmark = pytest.mark.anyio
ROUTES = [
    ("POST", OPEN + "passwords/", "sharing_configuration:write"),
    ("DELETE", OPEN + "passwords/1/", "sharing_configuration:write"),
    ("POST", OPEN + "refresh/", "sharing_configuration:write"),
    ("GET", OPEN, "sharing_configuration:read"),
    ("PATCH", OPEN, "sharing_configuration:write"),
    ("GET", SUBSCRIPTIONS, "subscription:read"),
    ("POST", SUBSCRIPTIONS, "subscription:write"),
    ("GET", subscription(1), "subscription:read"),
    ("PATCH", subscription(1), "subscription:write"),
    ("DELETE", subscription(1), "subscription:write"),
    ("POST", subscription(1) + "test-delivery/", "subscription:write"),
    ("GET", SUBSCRIPTIONS + "summary_quota/", "subscription:read"),
    ("GET", USERS, "user:read"),
    ("GET", ME, "user:read"),
    ("PATCH", ME, "user:write"),
    ("DELETE", ME, "session"),
    ("POST", ME + "credentials_review_complete/", "session"),
    ("GET", ME + "github_login/", "user:read"),
    ("GET", ME + "hedgehog_config/", "user:read"),
    ("PATCH", ME + "hedgehog_config/", "user:write"),
]
IN_PROJECT = [(method, path) for method, path, _ in ROUTES if path.startswith(PROJECT)]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_every_operation_requires_a_credential(connect: Connect, method: str, path: str, scope: str) -> None:
    response = await connect().request(method, path)
    assert error(response) == (401, "not_authenticated", None)
    assert response.json()["type"] == "authentication_error"
    assert response.headers["www-authenticate"] == ("Session" if scope == "session" or "hedgehog" in path else "Bearer")
    if scope == "session":
        assert error(await connect(sandbox.STAFF_KEY).request(method, path)) == (401, "not_authenticated", None)


@pytest.mark.parametrize(("method", "path", "scope"), [route for route in ROUTES if route[2].endswith(":write")])
async def test_a_read_scope_does_not_permit_writes(connect: Connect, method: str, path: str, scope: str) -> None:
    response = await connect(sandbox.READ_ONLY_KEY).request(method, path)
    assert error(response) == (403, "permission_denied", None)
    assert scope in response.json()["detail"]
    without_scopes = await connect(sandbox.SCOPELESS_OAUTH_TOKEN).request(method, path)
    assert error(without_scopes) == (403, "permission_denied", None)
    assert without_scopes.json()["detail"] == "OAuth token has no scopes and cannot access this resource"


@pytest.mark.parametrize(("method", "path", "scope"), [route for route in ROUTES if route[2].endswith(":read")])
async def test_read_and_write_scopes_permit_reads(connect: Connect, method: str, path: str, scope: str) -> None:
    for key in (sandbox.READ_ONLY_KEY, sandbox.OAUTH_TOKEN, sandbox.LEGACY_KEY):
        assert (await connect(key).request(method, path)).status_code == 200


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_the_last_slash_is_optional(connect: Connect, method: str, path: str, scope: str) -> None:
    client = connect(session=sandbox.SESSION_ID)
    body: dict[str, Any] = {"json": {}} if method in ("POST", "PATCH") else {}
    with_slash = await client.request(method, path + "?deleted=false", **body)
    without_slash = await client.request(method, path.rstrip("/") + "?deleted=false", **body)
    # The second request deletes the password a second time, or sends a second test delivery.
    repeated = {204: 404, 202: 409} if "passwords/1" in path or "test-delivery" in path else {}
    assert not without_slash.is_redirect
    assert without_slash.status_code == repeated.get(with_slash.status_code, with_slash.status_code)


@pytest.mark.parametrize("path", ["/api/users//", SUBSCRIPTIONS + "/", "/api/nothing/", "/api/", "/elsewhere"])
async def test_an_unknown_path_returns_404_in_the_common_error_shape(ada: Client, path: str) -> None:
    assert error(await ada.get(path)) == (404, "not_found", None)


@pytest.mark.parametrize("key", ["phx_unknown", "pha_unknown", sandbox.PUBLIC_KEY, sandbox.EXPIRED_OAUTH_TOKEN])
async def test_an_unknown_or_expired_credential_returns_401(connect: Connect, key: str) -> None:
    assert error(await connect(key).get(ME)) == (401, "authentication_failed", None)
    assert error(await connect(session="unknown").get(ME)) == (401, "not_authenticated", None)
    basic = await connect().get(ME, headers={"Authorization": f"Basic {key}"})
    assert error(basic) == (401, "not_authenticated", None)


@pytest.mark.parametrize(("method", "path"), IN_PROJECT)
async def test_an_unknown_project_returns_404_and_a_project_of_others_403(ada: Client, method: str, path: str) -> None:
    for project, status in (("nonsense", 404), ("999", 404), ("9" * 30, 404), ("-1", 404), ("3", 403), ("4", 403)):
        response = await ada.request(method, path.replace("projects/1/", f"projects/{project}/"))
        assert error(response)[0] == status, project


async def test_current_selects_the_current_project_of_the_caller(connect: Connect) -> None:
    environment = CURRENT.replace("projects", "environments")
    assert (await connect(sandbox.FULL_KEY).get(environment)).json()["count"] == 5
    assert (await connect(sandbox.FULL_KEY).get(CURRENT)).json()["count"] == 5
    assert (await connect(sandbox.ENTERPRISE_KEY).get(CURRENT)).json()["count"] == 1
    assert error(await connect(sandbox.NO_ORGANIZATION_KEY).get(CURRENT))[0] == 404


@pytest.mark.parametrize("key", [sandbox.OTHER_PROJECT_KEY, sandbox.OTHER_ORGANIZATION_KEY, sandbox.MEMBER_KEY])
async def test_a_restricted_key_cannot_use_projects_but_can_use_users(connect: Connect, key: str) -> None:
    client = connect(key)
    assert error(await client.get(CURRENT)) == (403, "permission_denied", None)
    assert (await client.get(ME)).status_code == 200
    other = await client.get("/api/projects/2/subscriptions/")
    assert other.status_code == (200 if key == sandbox.OTHER_PROJECT_KEY else 403)


async def test_the_restriction_of_a_key_is_checked_before_its_scope(database: str, clock: Clock, era: str) -> None:
    grant = '{"scopes": "user:read", "projects": [2]}'
    app = edited_sandbox(
        database, clock, era, f"insert into credential values ('phx_narrow', 'personal', 1, '{grant}')"
    )
    async with Client(app, "phx_narrow") as narrow:
        for path, detail in ((CURRENT, "requested project: ID 1"), ("/api/projects/2/subscriptions/", "scope")):
            response = await narrow.get(path)
            assert error(response) == (403, "permission_denied", None)
            assert detail in response.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [route for route in IN_PROJECT if "subscriptions" in route[1]])
async def test_subscriptions_return_402_on_the_free_plan_if_the_era_does_it(
    connect: Connect, rules: Era, method: str, path: str
) -> None:
    response = await connect(sandbox.FREE_KEY).request(method, path.replace("projects/1/", "projects/3/"))
    assert (response.status_code == 402) is rules.premium_only
    if rules.premium_only:
        assert error(response) == (402, "payment_required", None)
        assert response.json()["type"] == "server_error"


async def test_credential_scope_project_and_plan_are_checked_in_this_order_before_the_body(
    connect: Connect, rules: Era
) -> None:
    malformed: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    free = "/api/projects/3/subscriptions/"
    assert (await connect().post(free, **malformed)).status_code == 401
    assert "scope" in (await connect(sandbox.READ_ONLY_KEY).post(free, **malformed)).json()["detail"]
    assert "access" in (await connect(sandbox.FULL_KEY).post(free, **malformed)).json()["detail"]
    plan = 402 if rules.premium_only else 400
    assert (await connect(sandbox.FREE_KEY).post(free, **malformed)).status_code == plan
    assert error(await connect(sandbox.FULL_KEY).post(SUBSCRIPTIONS, **malformed)) == (400, "parse_error", None)


async def test_an_unsupported_method_returns_405_after_authentication(connect: Connect) -> None:
    assert (await connect().put(USERS)).status_code == 401
    response = await connect(sandbox.FULL_KEY).post(USERS, json={})
    assert error(response) == (405, "method_not_allowed", None)
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_session_requires_a_csrf_token_for_writes_only(connect: Connect) -> None:
    client = connect(session=sandbox.SESSION_ID)
    del client.headers["X-CSRFToken"]
    assert (await client.get(ME)).status_code == 200
    assert error(await client.patch(ME, json={})) == (403, "permission_denied", None)
    client.headers["X-CSRFToken"] = "another"
    assert error(await client.post(subscription(seeded.PAUSED)))[0] == 403
    client.headers["X-CSRFToken"] = sandbox.CSRF_TOKEN
    client.cookies.delete("posthog_csrftoken")
    assert error(await client.patch(ME, json={}))[0] == 403
    client.cookies.set("posthog_csrftoken", sandbox.CSRF_TOKEN)
    assert (await client.post(SUBSCRIPTIONS, json=weekly())).status_code == 201
