"""What the scripted agent makes of the tasks, for people: `python -m tests.evals.report` writes it, `--check` compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio

from .eval_world import Use
from .play import Played, lines, play_all

HERE = Path(__file__).parent
REPORT, RECOVERIES = HERE / "README.md", HERE.parents[1] / "docs" / "recoveries.md"
TOLD = ("paused-weekly-digest", "test-a-paused-one", "summary-within-the-cap", "lost-answer", "rotate-and-remove")

_ABOUT = """\
# Evals

`tasks.json` holds the tasks as data: a goal, the calls of a good agent, the call that a weak one makes first, and what
must be true in the end, in the API and in what was sent. `scripted.py` is an agent that cannot think: it knows
`tools/list`, the values that the goal states, and the text of errors, and does what an error says, to the letter.
`python -m tests.evals.live MODEL` plays the same tasks with a live model (ANTHROPIC_API_KEY).

Written by `python -m tests.evals.report`, and held by a test. Characters are those of results and errors.

"""
_RECOVERIES = """\
# Five recoveries

What the scripted agent of [the evals](../tests/evals/README.md) sent and read: each wrong call is corrected from its
error alone. Written by `python -m tests.evals.report`.
"""


async def texts() -> dict[Path, str]:
    """Both pages, by path."""
    good, weak = await play_all(weak=False), await play_all(weak=True)
    blind = await play_all(weak=True, blind=True)
    report = [
        _ABOUT + "## Wrong call first, then what its error says\n",
        *lines(weak),
        "\n## Good calls only\n",
        *lines(good),
        "\n## For comparison\n",
        "The same weak agent, reading only the first line of each error (what failed, in the API's own words), finishes",
        f"{sum(not one.wrong for one in blind)} of {len(blind)}.",
    ]
    told = [_transcript(one) for task in TOLD for one in weak if one.task.id == task]
    return {REPORT: "\n".join(report) + "\n", RECOVERIES: "\n".join([_RECOVERIES, *told])}


async def differing() -> list[str]:
    """The names of the pages that are not as they would be written now."""
    return [path.name for path, text in (await texts()).items() if not path.exists() or path.read_text("utf-8") != text]


def _transcript(played: Played) -> str:
    head = f"## {played.task.id}\n\nGoal: {played.task.goal}\n"
    return "\n".join([head, *map(_exchange, played.log)])


def _exchange(used: Use) -> str:
    asked = json.dumps(used.arguments, ensure_ascii=False)
    return f"`{used.tool}` `{asked}`\n\n```{'text' if used.failed else 'json'}\n{_masked(used.text)}\n```\n"


def _masked(text: str) -> str:
    """The text without what is different each time."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return json.dumps({**found, **{name: "..." for name in ("access_token", "password") if name in found}}, indent=1)


def main() -> int:
    """Write the pages, or say which are not current."""
    if "--check" in sys.argv:
        found = anyio.run(differing)
        print(f"not current: {', '.join(found)}" if found else "current")
        return bool(found)
    for path, text in anyio.run(texts).items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
