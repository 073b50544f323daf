"""Faults on demand: in process, and on a socket where the connection matters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from ..asgi import listening
from .sandbox_client import ME, SUBSCRIPTIONS, Clock, Speaker, fault, weekly

pytestmark = pytest.mark.anyio
HEADERS = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
QUOTA = SUBSCRIPTIONS + "summary_quota/"


@pytest.fixture
def faulty(clock: Clock) -> Starlette:
    return sandbox.build(clock=clock, faults=True)


@pytest.fixture
async def ada(faulty: Starlette) -> AsyncIterator[Speaker]:
    async with Speaker(faulty, sandbox.FULL_KEY) as speaker:
        yield speaker


@pytest.fixture
async def wire(faulty: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """The same sandbox through a real socket."""
    with anyio.fail_after(20):
        async with (
            listening(faulty) as origin,
            httpx2.AsyncClient(base_url=origin, headers=HEADERS) as client,
        ):
            yield client


def asking(fault: str) -> dict[str, str]:
    return {"X-Sandbox-Fault": fault}


async def test_there_are_no_faults_unless_the_sandbox_was_built_for_them(app: Starlette) -> None:
    app.state.faults.append("status=503")
    async with Speaker(app, sandbox.FULL_KEY) as ada:
        assert (await ada.get(QUOTA, headers=asking("status=503"))).status_code == 200
        assert (await ada.get("/_sandbox/faults")).status_code == 404


async def test_a_status_comes_alone_or_says_when_to_try_again(ada: Speaker) -> None:
    alone = await ada.get(QUOTA, headers=asking("status=503"))
    assert fault(alone) == (503, "error", None)
    assert "retry-after" not in alone.headers
    seconds = await ada.get(QUOTA, headers=asking("status=429; retry-after=7"))
    assert fault(seconds) == (429, "throttled", None)
    assert seconds.headers["retry-after"] == "7"
    dated = await ada.get(QUOTA, headers=asking("status=503; retry-after-date=60"))
    assert dated.headers["retry-after"].endswith(" GMT")
    assert parsedate_to_datetime(dated.headers["retry-after"]).isoformat() == "2026-01-01T12:01:00+00:00"


async def test_a_status_takes_no_effect_unless_it_was_applied(faulty: Starlette, ada: Speaker) -> None:
    await ada.post(SUBSCRIPTIONS, json=weekly(), headers=asking("status=500"))
    assert faulty.state.outbox() == []
    reply = await ada.post(SUBSCRIPTIONS, json=weekly(), headers=asking("status=500; applied"))
    assert reply.status_code == 500
    assert len(faulty.state.outbox()) == 1


async def test_an_unknown_fault_is_named(ada: Speaker) -> None:
    reply = await ada.get(QUOTA, headers=asking("earthquake"))
    assert reply.status_code == 400
    assert "'earthquake'" in reply.text
    assert "reset-midway" in reply.text
    assert (await ada.get(QUOTA, headers=asking("status=soon"))).status_code == 400


async def test_a_schedule_meets_one_fitting_request_after_the_other(faulty: Starlette, ada: Speaker) -> None:
    faulty.state.faults.extend(["status=500; method=POST", "status=502; path=users; times=2", "status=503"])
    statuses = [(await ada.get(path)).status_code for path in (ME, ME, QUOTA, QUOTA)]
    assert statuses == [502, 502, 503, 200]
    assert faulty.state.faults == ["status=500; method=POST"]


async def test_the_schedule_is_told_over_http_too(ada: Speaker) -> None:
    control = "/_sandbox/faults"
    assert (await ada.post(control, json=["status=500", "reset"])).json() == ["status=500", "reset"]
    assert (await ada.post(control, json=["earthquake"])).status_code == 400
    assert (await ada.post(control, content=b"{")).status_code == 400
    assert (await ada.get(QUOTA)).status_code == 500
    assert (await ada.get(control)).json() == ["reset"]
    assert (await ada.delete(control)).json() == []
    assert (await ada.get(QUOTA)).status_code == 200


async def test_a_cut_answer_is_no_json(ada: Speaker) -> None:
    for path in (QUOTA, ME):
        reply = await ada.get(path, headers=asking("truncated"))
        with pytest.raises(json.JSONDecodeError):
            reply.json()


async def test_a_page_comes_instead_of_json(ada: Speaker) -> None:
    reply = await ada.get(QUOTA, headers=asking("html; status=502"))
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert (await ada.get(QUOTA, headers=asking("html"))).status_code == 200


async def test_every_value_gets_another_type(ada: Speaker) -> None:
    true, changed = (await ada.get(SUBSCRIPTIONS)).json(), await ada.get(SUBSCRIPTIONS, headers=asking("wrong-types"))
    assert changed.json().keys() == true.keys()
    assert all(type(changed.json()[name]) is not type(true[name]) for name in true)


async def test_a_redirect_leads_to_another_host(ada: Speaker) -> None:
    reply = await ada.get(QUOTA, headers=asking("redirect=https://elsewhere.example/x"))
    assert (reply.status_code, reply.headers["location"]) == (307, "https://elsewhere.example/x")


async def test_an_answer_can_be_too_large(ada: Speaker) -> None:
    reply = await ada.get(QUOTA, headers=asking("huge=1000000"))
    assert len(reply.content) == 1_000_000
    assert reply.json().keys() == {"results"}


async def test_an_answer_can_be_far_larger_than_it_looks(wire: httpx2.AsyncClient) -> None:
    async with wire.stream("GET", QUOTA, headers=asking("gzip-bomb=8000000")) as reply:
        packed = b"".join([chunk async for chunk in reply.aiter_raw()])
    assert len(packed) < 10_000
    reply = await wire.get(QUOTA, headers=asking("gzip-bomb=8000000"))
    assert len(reply.content) > 8_000_000


async def test_fifty_megabytes_come_in_pieces(wire: httpx2.AsyncClient) -> None:
    async with wire.stream("GET", QUOTA, headers=asking("huge")) as reply:
        assert sum([len(chunk) async for chunk in reply.aiter_raw()]) == 50_000_000


async def test_an_answer_can_trickle(wire: httpx2.AsyncClient) -> None:
    async with wire.stream("GET", QUOTA, headers=asking("trickle=0.001")) as reply:
        chunks = [chunk async for chunk in reply.aiter_raw()]
    assert len(chunks) > 10
    assert json.loads(b"".join(chunks))["limit"] == 20


async def test_a_delay_outlasts_an_impatient_client(wire: httpx2.AsyncClient) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        await wire.get(QUOTA, headers=asking("delay=30"), timeout=0.05)
    assert (await wire.get(QUOTA, headers=asking("delay=0.001"))).status_code == 200


@pytest.mark.parametrize(("fault", "sent"), [("reset", 0), ("lost", 1), ("reset-midway", 1), ("reset; applied", 1)])
async def test_a_reset_is_a_reset_on_the_wire_and_in_process(
    faulty: Starlette, ada: Speaker, wire: httpx2.AsyncClient, fault: str, sent: int
) -> None:
    for client in (wire, ada):
        with pytest.raises(httpx2.ReadError):
            await client.post(SUBSCRIPTIONS, json=weekly(), headers=asking(fault))
    assert len(faulty.state.outbox()) == 2 * sent
    assert (await wire.get(QUOTA)).status_code == 200


async def test_a_reset_midway_comes_after_the_first_half(wire: httpx2.AsyncClient) -> None:
    async with wire.stream("GET", ME, headers=asking("reset-midway")) as reply:
        assert reply.status_code == 200
        with pytest.raises(httpx2.ReadError):
            await reply.aread()


async def test_in_process_without_the_transport_a_reset_leaves_the_app(faulty: Starlette) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(faulty), base_url="http://sandbox") as client:
        with pytest.raises(ConnectionResetError):
            await client.get(ME, headers=asking("reset"))
