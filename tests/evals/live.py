"""The same tasks with a live model, for whoever has a key: `python -m tests.evals.live MODEL [TASK ...]`.

ANTHROPIC_API_KEY is the key; ANTHROPIC_BASE_URL may name another server with the Messages API. The tools run
against the sandbox; only the goal, the tools and what they answer go to the model.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2

from .eval_world import World, world
from .judge import faults
from .play import Played, lines
from .tasks import Task, tasks

TURNS = 15
VERSION = "2023-06-01"


@dataclass(frozen=True)
class Model:
    """A model behind the Messages API, asked until it calls no more tools."""

    http: httpx2.AsyncClient
    name: str

    async def play(self, task: Task, place: World) -> None:
        """Work on one task.

        Raises:
            httpx2.HTTPStatusError: The Messages API refused.
        """
        said: list[dict[str, Any]] = [{"role": "user", "content": f"{task.goal} There is nobody to ask."}]
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
            for tool in await place.tools()
        ]
        for _ in range(TURNS):
            answer = await self._ask(place.client.instructions or "", tools, said)
            uses = [part for part in answer["content"] if part["type"] == "tool_use"]
            if not uses:
                return
            results = [await _result(place, use) for use in uses]
            said += [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": results}]

    async def _ask(self, system: str, tools: list[dict[str, Any]], said: list[dict[str, Any]]) -> dict[str, Any]:
        body = {"model": self.name, "max_tokens": 2048, "system": system, "tools": tools, "messages": said}
        answer = await self.http.post("/v1/messages", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


async def _result(place: World, use: dict[str, Any]) -> dict[str, Any]:
    used = await place.use(use["name"], use["input"])
    if waiting := re.search(r"Call again in (\d+) s\.", used.text):
        # A model cannot wait here; whenever it calls next, the time has passed.
        place.clock.wait(int(waiting[1]))
    return {"type": "tool_result", "tool_use_id": use["id"], "content": used.text, "is_error": used.failed}


async def play(model: Model, task: Task) -> Played:
    """One task in a fresh world."""
    async with world(task) as place:
        await model.play(task, place)
        return Played(task, await faults(task, place), place.log)


async def main(*words: str) -> int:
    """Play the tasks, all or those named after the model, and print what came of each; how many are not finished."""
    name, *only = words
    headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": VERSION}
    origin = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
    async with httpx2.AsyncClient(base_url=origin, headers=headers, timeout=120) as http:
        played = [await play(Model(http, name), task) for task in tasks() if not only or task.id in only]
    print("\n".join(lines(played)))
    return sum(bool(one.wrong) for one in played)


if __name__ == "__main__":
    sys.exit(anyio.run(main, *sys.argv[1:]))
