"""Play the tasks with the scripted agent. `python -m tests.evals.play` plays all three times and prints the results."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from .environment import ToolCall, open_environment
from .judge import find_problems
from .scripted import Reading, create_agent
from .tasks import Task, load_tasks


@dataclass(frozen=True)
class Outcome:
    """The result of one task. `problems` is empty if the task is done."""

    task: Task
    problems: list[str]
    calls: list[ToolCall]

    @property
    def characters(self) -> int:
        """The length of all results and errors that the agent read."""
        return sum(len(call.text) for call in self.calls)


async def play(task: Task, *, mistakes: bool, reading: Reading = "all") -> Outcome:
    """Play one task in a fresh environment."""
    with anyio.fail_after(20):
        async with open_environment(task) as environment:
            agent = await create_agent(task, environment, mistakes, reading)
            await agent.play()
            return Outcome(task, await find_problems(task, environment), environment.calls)


async def play_all(*, mistakes: bool, reading: Reading = "all") -> list[Outcome]:
    """Play all tasks, one after another."""
    return [await play(task, mistakes=mistakes, reading=reading) for task in load_tasks()]


def table(outcomes: list[Outcome]) -> str:
    """The outcomes as aligned columns: task, finished, number of calls, characters read."""
    rows = [
        (outcome.task.id, "; ".join(outcome.problems) or "yes", len(outcome.calls), outcome.characters)
        for outcome in outcomes
    ]
    done = sum(not outcome.problems for outcome in outcomes)
    rows.append((f"{done} of {len(rows)}", "", sum(row[2] for row in rows), sum(row[3] for row in rows)))
    lines = [f"{task:24} {finished:8} {calls:5} {characters:10,}" for task, finished, calls, characters in rows]
    return "\n".join([f"{'task':24} {'finished':8} calls characters", *lines])


async def main() -> None:
    """Play all tasks three times and print the results."""
    print(f"With a wrong call first:\n\n{table(await play_all(mistakes=True))}\n")
    print(f"With correct calls only:\n\n{table(await play_all(mistakes=False))}\n")
    outcomes = await play_all(mistakes=True, reading="first line")
    done = sum(not outcome.problems for outcome in outcomes)
    print("With a wrong call first, if the agent reads only the first line of each error:")
    print(f"{done} of {len(outcomes)} tasks are finished.")


if __name__ == "__main__":
    anyio.run(main)
