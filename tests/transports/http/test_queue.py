from __future__ import annotations

import anyio
import pytest

from core13_mcp.transports.http.queue import FairLimiter

pytestmark = pytest.mark.anyio


async def served(turns: FairLimiter, whose: str, order: list[str]) -> None:
    async with turns.turn(whose):
        order.append(whose)


async def settled() -> None:
    await anyio.wait_all_tasks_blocked()


async def test_a_caller_who_asks_for_many_waits_behind_itself_only():
    turns, order = FairLimiter(1), list[str]()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, turns.turn("first"):
            for whose in ("many", "many", "many", "one"):
                tasks.start_soon(served, turns, whose, order)
                await settled()
    assert order == ["many", "one", "many", "many"]


async def test_a_place_goes_to_whoever_holds_the_fewest():
    turns, order = FairLimiter(2), list[str]()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, turns.turn("many"):
            async with turns.turn("another"):
                for whose in ("many", "one"):
                    tasks.start_soon(served, turns, whose, order)
                    await settled()
            await settled()
    assert order == ["one", "many"]


async def test_whoever_gives_up_leaves_the_line():
    turns, order = FairLimiter(1), list[str]()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, turns.turn("first"):
            for whose, patience in (("a", 0.01), ("a", 60), ("b", 0.01)):
                tasks.start_soon(impatient, turns, whose, order, patience)
                await settled()
            await anyio.sleep(0.03)
    assert order == ["a"]
    assert await free(turns)


async def test_a_place_that_comes_in_the_moment_of_giving_up_is_passed_on():
    turns, order, leaving = FairLimiter(1), list[str](), anyio.CancelScope()

    async def leave() -> None:
        with leaving:
            await served(turns, "leaving", order)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, turns.turn("first"):
            tasks.start_soon(leave)
            await settled()
            leaving.cancel()
    assert order == []
    assert await free(turns)


async def impatient(turns: FairLimiter, whose: str, order: list[str], seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await served(turns, whose, order)


async def free(turns: FairLimiter) -> bool:
    with anyio.move_on_after(1):
        async with turns.turn("anyone"):
            return True
    return False
