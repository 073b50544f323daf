"""Request bodies, error responses and pagination, which all operations share."""

from __future__ import annotations

from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from ..asgi import listening
from .sandbox_client import ME, OPEN, SUBSCRIPTIONS, Client, Clock, error, weekly

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("content", [b"{", b"nul", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000])
async def test_a_body_that_is_not_json_is_a_parse_error(ada: Client, content: bytes) -> None:
    response = await ada.post(SUBSCRIPTIONS, content=content, headers=JSON)
    assert error(response) == (400, "parse_error", None)
    assert response.json()["type"] == "invalid_request"


@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"[]", "application/json", (400, "invalid_input", None)),
        (b'"text"', "application/json", (400, "invalid_input", None)),
        (b"null", "application/json", (400, "null", None)),
        (b"", "application/json", (400, "required", "target_type")),
        (b"x", "text/plain", (415, "unsupported_media_type", None)),
    ],
)
async def test_a_body_must_be_a_json_object(
    ada: Client, content: bytes, media_type: str, expected: tuple[int, str, str | None]
) -> None:
    response = await ada.post(SUBSCRIPTIONS, content=content, headers={"Content-Type": media_type})
    assert error(response) == expected


async def test_only_the_first_error_in_field_order_is_reported(ada: Client) -> None:
    response = await ada.post(SUBSCRIPTIONS, json={"interval": "x", "title": [], "insight": 1})
    assert error(response) == (400, "required", "target_type")
    response = await ada.post(SUBSCRIPTIONS, json={"target_type": "x", "insight": 999})
    assert error(response) == (400, "does_not_exist", "insight")


async def test_a_body_over_20_mb_returns_500(ada: Client) -> None:
    response = await ada.patch(ME + "hedgehog_config/", content=b"x" * 20_971_521, headers=JSON)
    assert error(response) == (500, "error", None)


async def test_a_client_that_disconnects_in_the_body_changes_nothing(
    app: Starlette, ada: Client, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST {SUBSCRIPTIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sandbox.FULL_KEY}\r\n"
    with anyio.fail_after(10):
        async with listening(app) as origin:
            async with await anyio.connect_tcp("127.0.0.1", int(origin.rpartition(":")[2])) as stream:
                await stream.send(f"{head}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{{".encode())
            async with httpx2.AsyncClient(base_url=origin) as client:
                assert (await client.get(ME)).status_code == 401
    assert (await ada.get(SUBSCRIPTIONS)).json()["count"] == 5
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [6, 4, 3, 2, 1]),
        ({"limit": "2"}, [6, 4]),
        ({"limit": "2", "offset": "2"}, [3, 2]),
        ({"limit": "0"}, [6, 4, 3, 2, 1]),
        ({"limit": "many"}, [6, 4, 3, 2, 1]),
        ({"offset": "-1"}, [6, 4, 3, 2, 1]),
        ({"offset": "5"}, []),
        ({"offset": "9" * 5000}, [6, 4, 3, 2, 1]),
    ],
)
async def test_an_invalid_limit_or_offset_is_ignored(ada: Client, query: dict[str, str], ids: list[int]) -> None:
    body = (await ada.get(SUBSCRIPTIONS, params=query)).json()
    assert body.keys() == {"count", "next", "previous", "results"}
    assert body["count"] == 5
    assert [row["id"] for row in body["results"]] == ids


async def test_a_page_has_100_items_by_default(ada: Client) -> None:
    for _ in range(98):
        await ada.create(enabled=False)
    body = (await ada.get(SUBSCRIPTIONS)).json()
    assert (body["count"], len(body["results"])) == (103, 100)
    assert len((await ada.get(SUBSCRIPTIONS, params={"limit": 9999})).json()["results"]) == 103


async def test_page_links_are_absolute_and_keep_the_query(ada: Client) -> None:
    body = (await ada.get(SUBSCRIPTIONS, params={"limit": 2, "offset": 2, "search": "e"})).json()
    base = "http://sandbox/api/projects/1/subscriptions/?limit=2"
    assert body["next"] == f"{base}&offset=4&search=e"
    assert body["previous"] == f"{base}&search=e"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-02-01", "2026-02-01T00:00:00Z"),
        ("2026-02-01T02:00:00+02:00", "2026-02-01T00:00:00Z"),
        ("2026-02-01T00:00:00.500000Z", "2026-02-01T00:00:00.500000Z"),
        ("2026-02-01T00:00:00.000000Z", "2026-02-01T00:00:00Z"),
    ],
)
async def test_timestamps_in_any_iso_format_are_returned_in_utc(ada: Client, sent: str, stored: str) -> None:
    assert (await ada.create(start_date=sent))["start_date"] == stored


@pytest.mark.parametrize(
    ("sent", "code"), [("soon", "invalid_input"), (5, "invalid_input"), ("0001-01-01T00:00:00+05:00", "overflow")]
)
async def test_an_invalid_timestamp_is_rejected(ada: Client, sent: Any, code: str) -> None:
    assert await ada.rejection(weekly(start_date=sent)) == (400, code, "start_date")


@pytest.mark.parametrize("path", [SUBSCRIPTIONS, SUBSCRIPTIONS + "1/", SUBSCRIPTIONS + "summary_quota/", OPEN, ME])
async def test_head_is_get_without_a_body(app: Starlette, path: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
    with anyio.fail_after(10):
        async with listening(app) as origin, httpx2.AsyncClient(base_url=origin, headers=headers) as client:
            head, get = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


async def test_read_only_and_unknown_fields_of_a_subscription_are_ignored(ada: Client) -> None:
    ignored = {"id": 99, "created_by": None, "summary": "never", "next_delivery_date": None, "colour": "red"}
    created = (await ada.post(SUBSCRIPTIONS, json=weekly() | ignored)).json()
    assert (created["id"], created["created_by"]["id"], created["summary"]) == (9, 1, "sent every week")
    assert created["next_delivery_date"] == "2026-01-05T09:00:00Z"
    assert not created.keys() & {"colour"}
    assert (await ada.patch(f"{SUBSCRIPTIONS}9/", json=ignored)).json() == created


async def test_two_sandboxes_share_nothing(app: Starlette, ada: Client, clock: Clock, era: str) -> None:
    other = sandbox.build(clock=clock, era=era)
    await ada.create()
    await ada.patch(ME, json={"theme_mode": "dark"})
    async with Client(other, sandbox.FULL_KEY) as client:
        assert (await client.get(SUBSCRIPTIONS)).json()["count"] == 5
        assert (await client.get(ME)).json()["theme_mode"] is None
    assert (len(app.state.outbox()), other.state.outbox()) == (1, [])
    other.state.close()


async def test_projects_share_no_subscriptions_and_no_sharing(ada: Client) -> None:
    in_project_2 = [path.replace("projects/1/", "projects/2/") for path in (SUBSCRIPTIONS, OPEN)]
    created = await ada.create()
    assert (await ada.get(in_project_2[0])).json()["count"] == 1
    assert error(await ada.get(f"{in_project_2[0]}{created['id']}/")) == (404, "not_found", None)
    assert (await ada.get(OPEN)).json()["enabled"] is True
    assert (await ada.get(in_project_2[1])).json()["enabled"] is False
