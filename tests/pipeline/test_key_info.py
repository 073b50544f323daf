"""What a refusal says about the key, and how often the key is read."""

from __future__ import annotations

from typing import Any

import anyio
import httpx2
import pytest

from core13_mcp.api.credentials import Credentials
from core13_mcp.errors import ToolError
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import prepare
from core13_mcp.pipeline.execution import Execution
from core13_mcp.pipeline.key_info import LIFETIME, KeyInfoCache

from ..factories import PROJECT, make_tool
from ..fake_api import KEY, FakeAPI, api_client, call_context, fail_with, reply

pytestmark = pytest.mark.anyio

TOOL = make_tool(
    "PATCH", "/api/projects/{project_id}/things/{id}/", project=PROJECT, properties={"id": {}, "project_id": {}}
)
MISSING = {
    "type": "authentication_error",
    "code": "permission_denied",
    "detail": "API key missing required scope 'thing:write'",
}
RESTRICTED = {**MISSING, "detail": "No access to this project."}


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def key(**fields: Any) -> Any:
    """The API's description of a key."""
    return reply(200, {"scopes": ["thing:write"], "scoped_teams": None, "scoped_organizations": [], **fields})


async def refusal(
    api: FakeAPI, cache: KeyInfoCache | None, tool: Any = TOOL, project: int = 1, key: str = KEY
) -> ToolError:
    context = call_context(api, key_info=cache, credentials=Credentials(SecretStr(key)))
    with pytest.raises(ToolError) as caught:
        await Execution(prepare(tool, {"id": 1, "project_id": project}, context)).run()
    return caught.value


def key_requests(api: FakeAPI) -> int:
    return sum("personal_api_keys" in line for line in api.request_lines)


@pytest.mark.parametrize(
    ("refused", "fields", "line"),
    [
        (
            MISSING,
            {"scopes": ["a:read", "thing:read"]},
            "This key has the scopes a:read, thing:read. It lacks thing:write.",
        ),
        (MISSING, {"scopes": []}, "This key has no scope. It lacks thing:write."),
        (RESTRICTED, {"scoped_teams": [3, 2]}, "This key has thing:write, but reaches only the projects 2, 3, not 1."),
        (
            RESTRICTED,
            {"scoped_organizations": ["o-1"]},
            "This key has thing:write, but reaches only the organization o-1.",
        ),
        (RESTRICTED, {"scopes": ["*"]}, "This key has thing:write, so no scope is missing."),
        (
            MISSING,
            {"scopes": [f"s{n:02}:read" for n in range(14)]},
            f"This key has the scopes {', '.join(f's{n:02}:read' for n in range(12))} and 2 more. It lacks thing:write.",
        ),
    ],
)
async def test_a_refusal_names_what_the_key_has_and_what_it_lacks(
    refused: dict[str, Any], fields: dict[str, Any], line: str
) -> None:
    error = await refusal(FakeAPI(reply(403, refused), key(**fields)), KeyInfoCache())
    assert str(error).split("\n")[-1] == line
    assert error.status == 403


async def test_a_scope_that_was_removed_after_the_key_was_read_is_not_reported_as_present() -> None:
    error = await refusal(FakeAPI(reply(403, MISSING), key()), KeyInfoCache())
    assert "This key" not in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, {"detail": "Not found."}),
        reply(401, {}),
        reply(200, b"<html>"),
        reply(200, {"scopes": "*"}),
        reply(200, []),
        fail_with(httpx2.ConnectError),
        fail_with(httpx2.ReadTimeout),
    ],
    ids=["not found", "not accepted", "not JSON", "no list", "no object", "no connection", "no response"],
)
async def test_a_server_that_does_not_describe_the_key_is_asked_once_and_changes_nothing(answer: Any) -> None:
    expected = await refusal(FakeAPI(reply(403, MISSING)), None)
    api, cache = FakeAPI(reply(403, MISSING), answer, reply(403, MISSING)), KeyInfoCache()
    errors = [await refusal(api, cache) for _ in range(2)]
    assert {str(error) for error in errors} == {str(expected)}
    assert key_requests(api) == 1


async def test_each_key_is_read_at_most_once_an_hour() -> None:
    clock = Clock()
    cache, other = KeyInfoCache(clock=clock), "phx_other00000000000000000000000000"
    api = FakeAPI(lambda request: (key(scopes=[]) if "personal" in request.url.path else reply(403, MISSING))(request))
    for _ in range(3):
        assert "lacks" in str(await refusal(api, cache))
    assert key_requests(api) == 1
    assert "lacks" in str(await refusal(api, cache, key=other))
    assert key_requests(api) == 2
    clock.now += LIFETIME
    assert "lacks" in str(await refusal(api, cache))
    assert key_requests(api) == 3


async def test_concurrent_refusals_read_the_key_once() -> None:
    cache = KeyInfoCache()
    api = FakeAPI(lambda request: (key(scopes=[]) if "personal" in request.url.path else reply(403, MISSING))(request))
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(refusal, api, cache)
    assert key_requests(api) == 1


async def test_a_key_that_the_api_does_not_describe_in_time_is_not_waited_for() -> None:
    class SilentAPI(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await anyio.sleep_forever()
            raise AssertionError

    with anyio.fail_after(10):
        credentials = Credentials(SecretStr(KEY))
        assert await KeyInfoCache().get(api_client(SilentAPI()), credentials, timeout=0.01) is None


async def test_only_refusals_for_a_lack_of_rights_read_the_key() -> None:
    for status in (400, 401, 404, 429):
        api = FakeAPI(reply(status, {"detail": "No."}))
        await refusal(api, KeyInfoCache())
        assert key_requests(api) == 0


@pytest.mark.parametrize("endpoint", [{"auth": "session"}, {"scope": None}])
async def test_a_tool_without_a_scope_is_not_explained_by_scopes(endpoint: dict[str, Any]) -> None:
    tool = make_tool("PATCH", endpoint=endpoint, properties={"id": {}, "project_id": {}})
    context = call_context(FakeAPI(reply(403, RESTRICTED), key()), key_info=KeyInfoCache())
    with pytest.raises(ToolError) as caught:
        await Execution(prepare(tool, {"id": 1}, context)).run()
    assert "This key" not in str(caught.value)


async def test_the_cache_forgets_the_keys_that_were_used_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.pipeline.key_info._MAX_KEYS", 1)
    cache, other = KeyInfoCache(), "phx_other00000000000000000000000000"
    api = FakeAPI(lambda request: (key(scopes=[]) if "personal" in request.url.path else reply(403, MISSING))(request))
    for used in (KEY, other, KEY):
        await refusal(api, cache, key=used)
    assert key_requests(api) == 3
