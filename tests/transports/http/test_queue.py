from __future__ import annotations

import anyio
import pytest

from core13_mcp.transports.http.limits import FairLimiter

pytestmark = pytest.mark.anyio


async def run(limiter: FairLimiter, caller: str, order: list[str]) -> None:
    async with limiter.slot(caller):
        order.append(caller)


async def test_a_free_slot_goes_to_the_caller_with_the_fewest_slots():
    limiter, order = FairLimiter(2, per_caller=2), list[str]()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, limiter.slot("many"):
            async with limiter.slot("another"):
                for caller in ("many", "one"):
                    tasks.start_soon(run, limiter, caller, order)
                    await anyio.wait_all_tasks_blocked()
            await anyio.wait_all_tasks_blocked()
    assert order == ["one", "many"]


@pytest.mark.parametrize("others", [[], ["cancelled"], ["other"]], ids=["alone", "same-caller", "other-caller"])
async def test_a_cancelled_request_leaves_the_queue(others: list[str]):
    limiter, order, scope = FairLimiter(1, per_caller=1), list[str](), anyio.CancelScope()

    async def run_cancelled() -> None:
        with scope:
            await run(limiter, "cancelled", order)
            order.append("not cancelled")

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, limiter.slot("first"):
            tasks.start_soon(run_cancelled)
            for caller in others:
                tasks.start_soon(run, limiter, caller, order)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
        await run(limiter, "last", order)
    assert order == [*others, "last"]


async def test_a_slot_assigned_at_the_moment_of_cancellation_is_passed_on():
    limiter, order, scope = FairLimiter(1, per_caller=1), list[str](), anyio.CancelScope()

    async def run_cancelled() -> None:
        with scope:
            await run(limiter, "cancelled", order)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, limiter.slot("first"):
            tasks.start_soon(run_cancelled)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
        await run(limiter, "last", order)
    assert order == ["last"]
