"""Who gets in, and in which order the door asks."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp import sandbox

from .conftest import Speak
from .sandbox_client import GUARDED, ME, OPEN, PAUSED, PROJECT, SUBSCRIPTIONS, Speaker, fault, subscription, weekly

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
    ("GET", "/api/users/", "user:read"),
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
async def test_every_route_wants_a_credential(speak: Speak, method: str, path: str, scope: str) -> None:
    reply = await speak().request(method, path)
    assert fault(reply) == (401, "not_authenticated", None)
    assert reply.json()["type"] == "authentication_error"
    assert reply.headers["www-authenticate"] == ("Session" if scope == "session" else "Bearer")


@pytest.mark.parametrize(("method", "path", "scope"), [route for route in ROUTES if route[2].endswith(":write")])
async def test_a_read_scope_never_writes(speak: Speak, method: str, path: str, scope: str) -> None:
    reply = await speak(sandbox.READ_ONLY_KEY).request(method, path)
    assert fault(reply) == (403, "permission_denied", None)
    assert scope in reply.json()["detail"]


@pytest.mark.parametrize(("method", "path", "scope"), [route for route in ROUTES if route[2].endswith(":read")])
async def test_a_read_scope_and_a_write_scope_both_read(speak: Speak, method: str, path: str, scope: str) -> None:
    for key in (sandbox.READ_ONLY_KEY, sandbox.OAUTH_TOKEN, sandbox.LEGACY_KEY):
        assert (await speak(key).request(method, path)).status_code == 200


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_the_last_slash_is_optional(speak: Speak, method: str, path: str, scope: str) -> None:
    speaker = speak(session=sandbox.SESSION_ID)
    body: dict[str, Any] = {"json": {}} if method in ("POST", "PATCH") else {}
    with_slash = await speaker.request(method, path + "?deleted=false", **body)
    bare = await speaker.request(method, path.rstrip("/") + "?deleted=false", **body)
    tried_again = {204: 404, 202: 409} if "passwords/1" in path or "test-delivery" in path else {}
    assert not bare.is_redirect
    assert bare.status_code == tried_again.get(with_slash.status_code, with_slash.status_code)


@pytest.mark.parametrize("path", ["/api/users//", SUBSCRIPTIONS + "/", "/api/nothing/", "/api/", "/elsewhere"])
async def test_any_other_path_is_a_404_in_the_common_shape(ada: Speaker, path: str) -> None:
    assert fault(await ada.get(path)) == (404, "not_found", None)


async def test_the_old_name_of_projects_still_works(ada: Speaker) -> None:
    assert (await ada.get("/api/environments/1/subscriptions/")).json()["count"] == 5


@pytest.mark.parametrize("key", ["phx_unknown", "pha_unknown", "phs_unknown", "phr_unknown", sandbox.PUBLIC_KEY])
async def test_an_unknown_credential_is_a_401(speak: Speak, key: str) -> None:
    assert fault(await speak(key).get(ME)) == (401, "authentication_failed", None)


async def test_an_expired_token_is_a_401_and_one_without_scopes_a_403(speak: Speak) -> None:
    assert fault(await speak(sandbox.EXPIRED_OAUTH_TOKEN).get(ME))[0] == 401
    assert fault(await speak(sandbox.SCOPELESS_OAUTH_TOKEN).get(ME)) == (403, "permission_denied", None)


async def test_only_bearer_is_a_scheme(speak: Speak) -> None:
    reply = await speak().get(ME, headers={"Authorization": f"Basic {sandbox.FULL_KEY}"})
    assert fault(reply) == (401, "not_authenticated", None)


async def test_a_key_may_stand_in_the_body_or_the_query_but_the_header_wins(speak: Speak) -> None:
    stranger = speak()
    mine = {"personal_api_key": sandbox.FULL_KEY}
    assert (await stranger.get(ME, params=mine)).status_code == 200
    assert (await stranger.patch(ME, json=mine)).status_code == 200
    assert (await stranger.patch(ME, data=mine)).status_code == 200
    assert (await speak("phx_wrong").get(ME, params=mine)).status_code == 401


async def test_a_key_from_before_prefixes_is_accepted(speak: Speak) -> None:
    assert (await speak(sandbox.LEGACY_KEY).get(ME)).json()["first_name"] == "Ada"


async def test_an_oauth_token_is_no_personal_key(speak: Speak) -> None:
    reply = await speak().get(ME, params={"personal_api_key": sandbox.OAUTH_TOKEN})
    assert fault(reply) == (401, "authentication_failed", None)


@pytest.mark.parametrize(("method", "path"), IN_PROJECT)
async def test_a_project_is_a_number_that_exists_and_is_ones_own(ada: Speaker, method: str, path: str) -> None:
    for project, status in (("nonsense", 404), ("999", 404), ("9" * 30, 404), ("-1", 404), ("3", 403), ("4", 403)):
        reply = await ada.request(method, path.replace("projects/1/", f"projects/{project}/"))
        assert fault(reply)[0] == status, project


async def test_current_is_the_callers_own_current_project(speak: Speak) -> None:
    current = "/api/projects/@current/subscriptions/"
    assert (await speak(sandbox.FULL_KEY).get(current)).json()["count"] == 5
    assert (await speak(sandbox.ENTERPRISE_KEY).get(current)).json()["count"] == 1
    assert fault(await speak(sandbox.NO_ORGANIZATION_KEY).get(current))[0] == 404


async def test_a_project_token_in_the_query_chooses_the_project(ada: Speaker) -> None:
    project_two = "/api/projects/2/subscriptions/"
    assert (await ada.get(project_two, params={"token": sandbox.PUBLIC_KEY})).json()["count"] == 5
    assert fault(await ada.get(project_two, params={"token": "phc_unknown"}))[0] == 401


@pytest.mark.parametrize("key", [sandbox.OTHER_PROJECT_KEY, sandbox.OTHER_ORGANIZATION_KEY, sandbox.MEMBER_KEY])
async def test_a_restricted_key_is_kept_out_of_projects_but_not_of_users(speak: Speak, key: str) -> None:
    speaker = speak(key)
    assert fault(await speaker.get("/api/projects/@current/subscriptions/")) == (403, "permission_denied", None)
    assert (await speaker.get(ME)).status_code == 200


async def test_a_key_for_another_project_opens_that_one(speak: Speak) -> None:
    reply = await speak(sandbox.OTHER_PROJECT_KEY).get("/api/projects/2/subscriptions/")
    assert [row["title"] for row in reply.json()["results"]] == ["Mill throughput"]


@pytest.mark.parametrize(("method", "path"), [route for route in IN_PROJECT if "subscriptions" in route[1]])
async def test_without_the_premium_feature_every_subscription_call_is_a_402(
    speak: Speak, method: str, path: str
) -> None:
    reply = await speak(sandbox.FREE_KEY).request(method, path.replace("projects/1/", "projects/3/"))
    assert fault(reply) == (402, "payment_required", None)
    assert reply.json()["type"] == "server_error"


async def test_the_door_asks_for_credential_scope_project_plan_and_only_then_reads_the_body(speak: Speak) -> None:
    broken: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    free = "/api/projects/3/subscriptions/"
    assert (await speak().post(free, **broken)).status_code == 401
    assert "scope" in (await speak(sandbox.READ_ONLY_KEY).post(free, **broken)).json()["detail"]
    assert "access" in (await speak(sandbox.FULL_KEY).post(free, **broken)).json()["detail"]
    assert (await speak(sandbox.FREE_KEY).post(free, **broken)).status_code == 402
    assert fault(await speak(sandbox.FULL_KEY).post(SUBSCRIPTIONS, **broken)) == (400, "parse_error", None)


async def test_a_method_that_is_not_routed_is_a_405_after_authentication(speak: Speak) -> None:
    assert (await speak().put("/api/users/")).status_code == 401
    reply = await speak(sandbox.FULL_KEY).post("/api/users/", json={})
    assert fault(reply) == (405, "method_not_allowed", None)
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("path", [ME, ME + "credentials_review_complete/"])
async def test_session_only_endpoints_answer_401_to_a_valid_key(speak: Speak, path: str) -> None:
    method = "DELETE" if path == ME else "POST"
    for key in (sandbox.FULL_KEY, sandbox.OAUTH_TOKEN, sandbox.STAFF_KEY):
        assert fault(await speak(key).request(method, path)) == (401, "not_authenticated", None)


async def test_a_session_reads_without_a_csrf_token_and_writes_only_with_one(speak: Speak) -> None:
    speaker = speak(session=sandbox.SESSION_ID)
    del speaker.headers["X-CSRFToken"]
    assert (await speaker.get(ME)).status_code == 200
    assert fault(await speaker.patch(ME, json={})) == (403, "permission_denied", None)
    speaker.headers["X-CSRFToken"] = "another"
    assert fault(await speaker.post(subscription(PAUSED)))[0] == 403
    speaker.headers["X-CSRFToken"] = sandbox.CSRF_TOKEN
    speaker.cookies.delete("posthog_csrftoken")
    assert fault(await speaker.patch(ME, json={}))[0] == 403
    speaker.cookies.set("posthog_csrftoken", sandbox.CSRF_TOKEN)
    assert (await speaker.post(SUBSCRIPTIONS, json=weekly())).status_code == 201


async def test_an_unknown_session_is_nobody(speak: Speak) -> None:
    assert fault(await speak(session="unknown").get(GUARDED)) == (401, "not_authenticated", None)
