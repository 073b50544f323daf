"""Bodies in, answers out: shapes that all endpoints share."""

from __future__ import annotations

from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from ..asgi import listening
from .conftest import Speak
from .sandbox_client import ME, SUBSCRIPTIONS, Speaker, fault, weekly

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("content", [b"{", b"nul", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000])
async def test_a_body_that_is_no_json_is_a_parse_error(ada: Speaker, content: bytes) -> None:
    reply = await ada.post(SUBSCRIPTIONS, content=content, headers=JSON)
    assert fault(reply) == (400, "parse_error", None)
    assert reply.json()["type"] == "invalid_request"


@pytest.mark.parametrize("body", [[], [1], "text", 5])
async def test_a_body_that_is_no_object_is_invalid(ada: Speaker, body: Any) -> None:
    assert fault(await ada.post(SUBSCRIPTIONS, json=body)) == (400, "invalid_input", None)


async def test_null_is_no_data_and_an_empty_body_an_empty_object(ada: Speaker) -> None:
    assert fault(await ada.post(SUBSCRIPTIONS, content=b"null", headers=JSON)) == (400, "null", None)
    assert fault(await ada.post(SUBSCRIPTIONS, headers=JSON)) == (400, "required", "target_type")


async def test_a_text_body_is_an_unsupported_media_type(ada: Speaker) -> None:
    reply = await ada.post(SUBSCRIPTIONS, content=b"x", headers={"Content-Type": "text/plain"})
    assert fault(reply) == (415, "unsupported_media_type", None)


async def test_forms_are_read_like_json(ada: Speaker) -> None:
    flat = weekly(byweekday=["monday", "friday"], enabled="false")
    assert (await ada.post(SUBSCRIPTIONS, data=flat)).json()["byweekday"] == ["monday", "friday"]
    parts = {name: (None, str(value)) for name, value in weekly(enabled="false").items()}
    assert (await ada.post(SUBSCRIPTIONS, files=parts)).json()["enabled"] is False


async def test_unknown_fields_are_ignored(ada: Speaker) -> None:
    created = await ada.create(colour="red", id=77)
    assert created["id"] != 77
    assert "colour" not in created


async def test_only_the_first_error_is_reported_in_the_order_of_the_fields(ada: Speaker) -> None:
    reply = await ada.post(SUBSCRIPTIONS, json={"interval": "x", "title": [], "insight": 1})
    assert fault(reply) == (400, "required", "target_type")
    reply = await ada.post(SUBSCRIPTIONS, json={"target_type": "x", "insight": 999})
    assert fault(reply) == (400, "does_not_exist", "insight")


async def test_a_nested_fault_is_named_with_double_underscores(ada: Speaker) -> None:
    reply = await ada.post(SUBSCRIPTIONS, json=weekly(byweekday=["monday", "someday"]))
    assert fault(reply) == (400, "invalid_choice", "byweekday__1")


async def test_more_than_twenty_megabytes_are_not_read(ada: Speaker) -> None:
    reply = await ada.patch(ME + "hedgehog_config/", content=b"x" * 20_971_521, headers=JSON)
    assert fault(reply) == (500, "error", None)


async def test_a_client_that_goes_away_in_its_body_changes_and_breaks_nothing(
    app: Starlette, ada: Speaker, caplog: pytest.LogCaptureFixture
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


async def test_what_utf8_cannot_carry_comes_back_escaped(ada: Speaker) -> None:
    reply = await ada.patch(ME + "hedgehog_config/", content=b'{"a": "\\ud800"}', headers=JSON)
    assert reply.content == b'{"a":"\\ud800"}'


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [6, 4, 3, 2, 1]),
        ({"limit": "2"}, [6, 4]),
        ({"limit": "2", "offset": "2"}, [3, 2]),
        ({"limit": "0"}, [6, 4, 3, 2, 1]),
        ({"limit": "-3"}, [6, 4, 3, 2, 1]),
        ({"limit": "many"}, [6, 4, 3, 2, 1]),
        ({"limit": "9999"}, [6, 4, 3, 2, 1]),
        ({"offset": "-1"}, [6, 4, 3, 2, 1]),
        ({"offset": "nowhere"}, [6, 4, 3, 2, 1]),
        ({"offset": "5"}, []),
        ({"offset": "9" * 5000}, [6, 4, 3, 2, 1]),
    ],
)
async def test_limit_and_offset_fall_back_in_silence(ada: Speaker, query: dict[str, str], ids: list[int]) -> None:
    body = (await ada.get(SUBSCRIPTIONS, params=query)).json()
    assert body.keys() == {"count", "next", "previous", "results"}
    assert body["count"] == 5
    assert [row["id"] for row in body["results"]] == ids


async def test_a_page_has_a_hundred_items_by_default(ada: Speaker) -> None:
    for _ in range(98):
        await ada.create(enabled=False)
    body = (await ada.get(SUBSCRIPTIONS)).json()
    assert (body["count"], len(body["results"])) == (103, 100)
    assert len((await ada.get(SUBSCRIPTIONS, params={"limit": 9999})).json()["results"]) == 103


async def test_links_are_absolute_and_keep_the_rest_of_the_query(ada: Speaker) -> None:
    body = (await ada.get(SUBSCRIPTIONS, params={"limit": 2, "offset": 2, "search": "e"})).json()
    base = "http://sandbox/api/projects/1/subscriptions/?limit=2"
    assert body["next"] == f"{base}&offset=4&search=e"
    assert body["previous"] == f"{base}&search=e"


async def test_head_is_get_without_a_body(speak: Speak) -> None:
    assert (await speak(sandbox.FULL_KEY).head(ME)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-02-01T00:00:00", "2026-02-01T00:00:00Z"),
        ("2026-02-01", "2026-02-01T00:00:00Z"),
        ("2026-02-01T02:00:00+02:00", "2026-02-01T00:00:00Z"),
        ("2026-02-01T00:00:00.500000Z", "2026-02-01T00:00:00.500000Z"),
        ("2026-02-01T00:00:00.000000Z", "2026-02-01T00:00:00Z"),
    ],
)
async def test_moments_are_read_in_any_iso_form_and_answered_in_utc(ada: Speaker, sent: str, stored: str) -> None:
    assert (await ada.create(start_date=sent))["start_date"] == stored


@pytest.mark.parametrize(
    ("sent", "code"), [("soon", "invalid_input"), (5, "invalid_input"), ("0001-01-01T00:00:00+05:00", "overflow")]
)
async def test_what_is_no_moment_is_refused(ada: Speaker, sent: Any, code: str) -> None:
    assert fault(await ada.post(SUBSCRIPTIONS, json=weekly(start_date=sent))) == (400, code, "start_date")
