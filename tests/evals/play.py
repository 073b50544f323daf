"""Every task played by the scripted agent, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from .eval_world import Use, world
from .judge import faults
from .scripted import agent
from .tasks import Task, tasks


@dataclass(frozen=True)
class Played:
    """What came of one task."""

    task: Task
    wrong: list[str]
    log: list[Use]

    @property
    def characters(self) -> int:
        """How much was read of results and errors."""
        return sum(len(used.text) for used in self.log)


async def play(task: Task, *, weak: bool, blind: bool = False) -> Played:
    """One task in a fresh world."""
    with anyio.fail_after(20):
        async with world(task) as place:
            await (await agent(task, place, weak=weak, blind=blind)).play()
            return Played(task, await faults(task, place), place.log)


async def play_all(*, weak: bool, blind: bool = False) -> list[Played]:
    """All tasks, one after the other."""
    return [await play(task, weak=weak, blind=blind) for task in tasks()]


def lines(played: list[Played]) -> list[str]:
    """What came of each, as a Markdown table."""
    rows = [
        f"| {one.task.id} | {'yes' if not one.wrong else '; '.join(one.wrong)} | {len(one.log)} | {one.characters:,} |"
        for one in played
    ]
    done = sum(not one.wrong for one in played)
    calls, characters = sum(len(one.log) for one in played), sum(one.characters for one in played)
    total = f"| **{done} of {len(played)}** | | {calls} | {characters:,} |"
    return ["| task | finished | calls | characters read |", "|---|---|---|---|", *rows, total]
