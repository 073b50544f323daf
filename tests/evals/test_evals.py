"""The scripted agent finishes every task, also after a wrong call; without any calls, no task is finished."""

from __future__ import annotations

import json

import anyio
import httpx2
import pytest

from core13_mcp.declarations.catalog import load

from .environment import open_environment
from .judge import find_problems
from .live import Model
from .live import play as play_live
from .play import play, play_all
from .tasks import Task, load_tasks

pytestmark = pytest.mark.anyio

TASKS = load_tasks()
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)


def test_the_tasks_use_almost_every_tool():
    assert len(TASKS) >= 25
    assert len({task.id for task in TASKS}) == len(TASKS)
    assert len({step.tool for task in TASKS for step in task.calls}) >= 15


@each_task
async def test_correct_calls_finish_the_task(task: Task):
    assert (await play(task, mistakes=False)).problems == []


@each_task
async def test_the_error_of_a_wrong_call_is_enough_to_finish_the_task(task: Task):
    outcome = await play(task, mistakes=True)
    assert outcome.problems == []
    assert outcome.calls[task.wrong.at].failed, "the wrong call must fail"
    assert len(outcome.calls) <= len(task.calls) + 2


async def test_the_first_line_of_an_error_is_not_enough():
    outcomes = await play_all(mistakes=True, reading="first line")
    assert sum(not outcome.problems for outcome in outcomes) < len(TASKS) / 10


@each_task
async def test_a_task_without_calls_is_not_finished(task: Task):
    with anyio.fail_after(10):
        async with open_environment(task) as environment:
            assert await find_problems(task, environment) != []


def model_response(request: httpx2.Request) -> httpx2.Response:
    """Call users-retrieve once, then answer the person."""
    body = json.loads(request.content)
    assert len(body["tools"]) == len(load())
    if len(body["messages"]) == 1:
        tool_use = {"type": "tool_use", "id": "t1", "name": "users-retrieve", "input": {}}
        return httpx2.Response(200, json={"content": [tool_use]})
    (result,) = body["messages"][-1]["content"]
    assert (result["tool_use_id"], result["is_error"]) == ("t1", False)
    assert "ada@analytical.example" in result["content"]
    return httpx2.Response(200, json={"content": [{"type": "text", "text": "You are Ada, in project 1."}]})


async def test_a_live_model_finishes_a_task():
    transport = httpx2.MockTransport(model_response)
    with anyio.fail_after(10):
        async with httpx2.AsyncClient(transport=transport, base_url="http://model.invalid") as http:
            outcome = await play_live(Model(http, "any"), TASKS[0])
    assert outcome.problems == []
    assert [call.tool for call in outcome.calls] == ["users-retrieve"]
