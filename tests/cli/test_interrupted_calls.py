"""Ctrl-C and SIGTERM during a call from the shell."""

from __future__ import annotations

import signal

import anyio
import pytest

from ..asgi import listening
from ..processes import CLI, clean_environment
from ..transports.http.http_server import StubAPI

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["subscriptions-test-delivery-create", "id=1", "project_id=1"],
            "outcome unknown: the call was stopped before its response arrived. The request may have been applied",
        ),
        (["users-retrieve"], "users-retrieve: the call was stopped before its response arrived."),
    ],
    ids=["write", "read"],
)
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_call_that_is_stopped_reports_whether_it_may_have_been_applied(
    words: list[str], message: str, number: signal.Signals, expected: int
) -> None:
    api = StubAPI()
    with anyio.fail_after(60):
        async with listening(api) as origin:
            variables = {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_key", "CORE13_CONFIRM": "never"}
            command = [*CLI, "call", *words]
            async with await anyio.open_process(command, env=clean_environment(**variables)) as process:
                await api.reached.wait()
                process.send_signal(number)
                assert process.stderr is not None
                errors = b"".join([chunk async for chunk in process.stderr]).decode()
                status = await process.wait()
    assert status == expected
    assert message in errors and "Traceback" not in errors
