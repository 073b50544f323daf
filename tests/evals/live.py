"""Play the tasks with a live model: `python -m tests.evals.live MODEL [TASK ...]`.

`ANTHROPIC_API_KEY` is the key. `ANTHROPIC_BASE_URL` selects another server with the Messages API. The tools run against the
sandbox. Only the goal, the tools and their results are sent to the model.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2

from .environment import Environment, open_environment
from .judge import find_problems
from .play import Outcome, table
from .tasks import Task, load_tasks

MAX_TURNS = 15
API_VERSION = "2023-06-01"


@dataclass(frozen=True)
class Model:
    """A model behind the Messages API. It works until it makes no more tool calls."""

    http: httpx2.AsyncClient
    name: str

    async def play(self, task: Task, environment: Environment) -> None:
        """Work on one task.

        Raises:
            httpx2.HTTPStatusError: The Messages API refuses a request.
        """
        messages: list[dict[str, Any]] = [{"role": "user", "content": f"{task.goal} No person can answer questions."}]
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
            for tool in await environment.tools()
        ]
        for _ in range(MAX_TURNS):
            response = await self._send(environment.client.instructions or "", tools, messages)
            tool_uses = [part for part in response["content"] if part["type"] == "tool_use"]
            if not tool_uses:
                return
            results = [await _run_tool(environment, tool_use) for tool_use in tool_uses]
            messages += [
                {"role": "assistant", "content": response["content"]},
                {"role": "user", "content": results},
            ]

    async def _send(self, system: str, tools: list[dict[str, Any]], messages: list[dict[str, Any]]) -> dict[str, Any]:
        body = {"model": self.name, "max_tokens": 2048, "system": system, "tools": tools, "messages": messages}
        response = await self.http.post("/v1/messages", json=body)
        response.raise_for_status()
        message: dict[str, Any] = response.json()
        return message


async def _run_tool(environment: Environment, tool_use: dict[str, Any]) -> dict[str, Any]:
    call = await environment.call(tool_use["name"], tool_use["input"])
    if seconds := re.search(r"Call again in (\d+) s\.", call.text):
        # A model cannot wait here, so the time has always passed before its next call.
        environment.clock.wait(int(seconds[1]))
    return {"type": "tool_result", "tool_use_id": tool_use["id"], "content": call.text, "is_error": call.failed}


async def play(model: Model, task: Task) -> Outcome:
    """Play one task in a fresh environment."""
    async with open_environment(task) as environment:
        await model.play(task, environment)
        return Outcome(task, await find_problems(task, environment), environment.calls)


async def main(*arguments: str) -> int:
    """Play all tasks, or the named ones, and print the results. Returns how many tasks are not finished."""
    name, *only = arguments
    headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": API_VERSION}
    origin = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
    async with httpx2.AsyncClient(base_url=origin, headers=headers, timeout=120) as http:
        outcomes = [await play(Model(http, name), task) for task in load_tasks() if not only or task.id in only]
    print(table(outcomes))
    return sum(bool(outcome.problems) for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(anyio.run(main, *sys.argv[1:]))
