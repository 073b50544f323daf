"""Print the results of the scripted agent: `python -m tests.evals.report`."""

from __future__ import annotations

import anyio

from .play import play_all, table


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
