"""Fault injection: in process, and on a socket where the connection matters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox
from core13_mcp.sandbox.testing.errors import API_ERRORS

from ..asgi import listening
from .sandbox_client import ME, SUBSCRIPTIONS, Client, Clock, error, weekly

pytestmark = pytest.mark.anyio
HEADERS = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
QUOTA = SUBSCRIPTIONS + "summary_quota/"


@pytest.fixture
def faulty(clock: Clock) -> Starlette:
    return sandbox.build(clock=clock, faults=True)


@pytest.fixture
async def ada(faulty: Starlette) -> AsyncIterator[Client]:
    async with Client(faulty, sandbox.FULL_KEY) as client:
        yield client


@pytest.fixture
async def socket_client(faulty: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the same sandbox over a real socket."""
    with anyio.fail_after(20):
        async with (
            listening(faulty) as origin,
            httpx2.AsyncClient(base_url=origin, headers=HEADERS) as client,
        ):
            yield client


def fault_header(fault: str) -> dict[str, str]:
    return {"X-Sandbox-Fault": fault}


async def test_faults_are_off_by_default(app: Starlette) -> None:
    app.state.faults.append("status=503")
    async with Client(app, sandbox.FULL_KEY) as ada:
        assert (await ada.get(QUOTA, headers=fault_header("status=503"))).status_code == 200
        assert (await ada.get("/_sandbox/faults")).status_code == 404


async def test_a_status_fault_can_have_a_retry_after_header(ada: Client) -> None:
    alone = await ada.get(QUOTA, headers=fault_header("status=503"))
    assert error(alone) == (503, "error", None)
    assert "retry-after" not in alone.headers
    seconds = await ada.get(QUOTA, headers=fault_header("status=429; retry-after=7"))
    assert error(seconds) == (429, "throttled", None)
    assert seconds.headers["retry-after"] == "7"
    dated = await ada.get(QUOTA, headers=fault_header("status=503; retry-after-date=60"))
    assert dated.headers["retry-after"].endswith(" GMT")
    assert parsedate_to_datetime(dated.headers["retry-after"]).isoformat() == "2026-01-01T12:01:00+00:00"


@pytest.mark.parametrize("name", list(API_ERRORS))
async def test_a_named_error_has_the_shape_of_the_api_and_drops_the_request(
    faulty: Starlette, ada: Client, name: str
) -> None:
    expected = API_ERRORS[name]
    response = await ada.post(SUBSCRIPTIONS, json=weekly(), headers=fault_header(f"error={name}"))
    status, code, attr = error(response)
    assert (status, attr, response.json()["detail"]) == (expected.status, expected.attr, expected.detail)
    assert expected.code in ("", code)
    assert faulty.state.outbox() == []


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("query-scope", "PATCH", "1/", {"prompt": "Why?"}),
        ("webhook-unsupported", "POST", "", weekly(target_type="webhook", target_value="https://hooks.example.com/")),
        ("schedule-ended", "POST", "", weekly(until_date="2020-01-01")),
        ("schedule-ended-paused", "PATCH", "2/", {"enabled": True, "until_date": "2025-02-01"}),
        ("slack-disconnected", "PATCH", "2/", {"enabled": True, "target_type": "slack", "target_value": "C1"}),
    ],
)
async def test_a_named_error_equals_the_error_of_the_real_state(
    clock: Clock, name: str, method: str, path: str, body: dict[str, object]
) -> None:
    app = sandbox.build(clock=clock, era="today")
    async with Client(app, sandbox.LEGACY_KEY) as ada:
        response = await ada.request(method, SUBSCRIPTIONS + path, json=body)
    assert response.status_code == API_ERRORS[name].status
    assert response.json() == API_ERRORS[name].body()
    app.state.close()


async def test_a_status_fault_drops_the_request_unless_applied(faulty: Starlette, ada: Client) -> None:
    await ada.post(SUBSCRIPTIONS, json=weekly(), headers=fault_header("status=500"))
    assert faulty.state.outbox() == []
    response = await ada.post(SUBSCRIPTIONS, json=weekly(), headers=fault_header("status=500; applied"))
    assert response.status_code == 500
    assert len(faulty.state.outbox()) == 1


async def test_an_unknown_fault_returns_400_with_the_known_options(ada: Client) -> None:
    response = await ada.get(QUOTA, headers=fault_header("earthquake"))
    assert response.status_code == 400
    assert "'earthquake'" in response.text
    assert "reset-midway" in response.text
    assert (await ada.get(QUOTA, headers=fault_header("status=soon"))).status_code == 400


async def test_a_scheduled_fault_applies_to_the_next_matching_requests(faulty: Starlette, ada: Client) -> None:
    faulty.state.faults.extend(["status=500; method=POST", "status=502; path=users; times=2", "status=503"])
    statuses = [(await ada.get(path)).status_code for path in (ME, ME, QUOTA, QUOTA)]
    assert statuses == [502, 502, 503, 200]
    assert faulty.state.faults == ["status=500; method=POST"]


async def test_the_schedule_can_be_changed_over_http(ada: Client) -> None:
    control = "/_sandbox/faults"
    assert (await ada.post(control, json=["status=500", "reset"])).json() == ["status=500", "reset"]
    assert (await ada.post(control, json=["earthquake"])).status_code == 400
    assert (await ada.post(control, content=b"{")).status_code == 400
    assert (await ada.get(QUOTA)).status_code == 500
    assert (await ada.get(control)).json() == ["reset"]
    assert (await ada.delete(control)).json() == []
    assert (await ada.get(QUOTA)).status_code == 200


async def test_a_truncated_response_is_not_json(ada: Client) -> None:
    for path in (QUOTA, ME):
        response = await ada.get(path, headers=fault_header("truncated"))
        with pytest.raises(json.JSONDecodeError):
            response.json()


async def test_the_wrong_types_fault_changes_every_value(ada: Client) -> None:
    true = (await ada.get(SUBSCRIPTIONS)).json()
    changed = (await ada.get(SUBSCRIPTIONS, headers=fault_header("wrong-types"))).json()
    assert changed.keys() == true.keys()
    assert all(type(changed[name]) is not type(true[name]) for name in true)


async def test_html_redirect_and_huge_faults_replace_the_response(ada: Client) -> None:
    html = await ada.get(QUOTA, headers=fault_header("html; status=502"))
    assert (html.status_code, html.headers["content-type"]) == (502, "text/html; charset=utf-8")
    redirect = await ada.get(QUOTA, headers=fault_header("redirect=https://elsewhere.example/x"))
    assert (redirect.status_code, redirect.headers["location"]) == (307, "https://elsewhere.example/x")
    huge = await ada.get(QUOTA, headers=fault_header("huge=1000000"))
    assert (len(huge.content), set(huge.json())) == (1_000_000, {"results"})


async def test_a_gzip_bomb_is_small_on_the_wire(socket_client: httpx2.AsyncClient) -> None:
    async with socket_client.stream("GET", QUOTA, headers=fault_header("gzip-bomb=8000000")) as response:
        packed = b"".join([chunk async for chunk in response.aiter_raw()])
    assert len(packed) < 10_000
    response = await socket_client.get(QUOTA, headers=fault_header("gzip-bomb=8000000"))
    assert len(response.content) > 8_000_000


async def test_a_trickle_fault_sends_byte_by_byte(socket_client: httpx2.AsyncClient) -> None:
    async with socket_client.stream("GET", QUOTA, headers=fault_header("trickle=0.001")) as response:
        chunks = [chunk async for chunk in response.aiter_raw()]
    assert len(chunks) > 10
    assert json.loads(b"".join(chunks))["limit"] == 20


async def test_a_delay_fault_makes_the_client_time_out(socket_client: httpx2.AsyncClient) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        await socket_client.get(QUOTA, headers=fault_header("delay=30"), timeout=0.05)
    assert (await socket_client.get(QUOTA, headers=fault_header("delay=0.001"))).status_code == 200


@pytest.mark.parametrize(("fault", "sent"), [("reset", 0), ("lost", 1), ("reset-midway", 1), ("reset; applied", 1)])
async def test_a_reset_is_a_read_error_on_a_socket_and_in_process(
    faulty: Starlette, ada: Client, socket_client: httpx2.AsyncClient, fault: str, sent: int
) -> None:
    for client in (socket_client, ada):
        with pytest.raises(httpx2.ReadError):
            await client.post(SUBSCRIPTIONS, json=weekly(), headers=fault_header(fault))
    assert len(faulty.state.outbox()) == 2 * sent
    assert (await socket_client.get(QUOTA)).status_code == 200


async def test_a_midway_reset_comes_after_the_first_half_of_the_body(socket_client: httpx2.AsyncClient) -> None:
    async with socket_client.stream("GET", ME, headers=fault_header("reset-midway")) as response:
        assert response.status_code == 200
        with pytest.raises(httpx2.ReadError):
            await response.aread()


async def test_in_process_a_reset_raises_connection_reset_error(faulty: Starlette) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(faulty), base_url="http://sandbox") as client:
        with pytest.raises(ConnectionResetError):
            await client.get(ME, headers=fault_header("reset"))
