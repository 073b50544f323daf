"""Every task can be finished, by good calls and from the errors of wrong ones; and none is finished by itself."""

from __future__ import annotations

import json
import re
from typing import Any

import anyio
import httpx2
import pytest

from .eval_world import world
from .judge import faults, holds
from .live import Model
from .live import play as play_live
from .play import play
from .report import REPORT, differing
from .tasks import Task, tasks

pytestmark = pytest.mark.anyio

TASKS = tasks()
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)


def test_there_are_enough_tasks_and_they_use_every_kind_of_tool():
    assert len(TASKS) >= 25
    assert len({task.id for task in TASKS}) == len(TASKS)
    used = {step.tool for task in TASKS for step in task.calls}
    assert len(used) >= 15


@each_task
async def test_a_good_agent_finishes_with_the_calls_that_the_task_names(task: Task):
    played = await play(task, weak=False)
    assert played.wrong == []


@each_task
async def test_a_wrong_call_is_corrected_from_its_error_alone(task: Task):
    played = await play(task, weak=True)
    assert played.wrong == []
    assert played.log[task.wrong.at].failed, "the wrong call is wrong"
    assert len(played.log) <= len(task.calls) + 2


def test_it_is_the_text_of_the_errors_that_helps():
    """The number is in the report, which another test holds to what the tasks give."""
    found = re.search(r"^(\d+) of (\d+)\.$", REPORT.read_text("utf-8"), re.MULTILINE)
    assert found and int(found[2]) == len(TASKS)
    assert int(found[1]) < len(TASKS) / 10


@each_task
async def test_a_task_that_nobody_plays_is_not_done(task: Task):
    with anyio.fail_after(10):
        async with world(task) as place:
            assert await faults(task, place) != []


@pytest.mark.parametrize(
    ("found", "wanted", "well"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"b": 2}, {"a": None}, False),
        ([{"a": 1}], [{"a": 1}, {}], False),
        ([{"a": 1, "b": 2}], [{"b": 2}], True),
        (None, {"a": 1}, False),
    ],
)
def test_the_judge_wants_at_least_what_the_task_says(found: Any, wanted: Any, well: bool):
    assert holds(found, wanted) is well


async def test_the_published_report_is_what_the_tasks_give():
    with anyio.fail_after(60):
        assert await differing() == [], "`python -m tests.evals.report` writes them"


def messages(request: httpx2.Request) -> httpx2.Response:
    """A model that reads the account and is content."""
    said = json.loads(request.content)
    assert len(said["tools"]) == 18
    if len(said["messages"]) == 1:
        use = {"type": "tool_use", "id": "t1", "name": "users-retrieve", "input": {}}
        return httpx2.Response(200, json={"content": [use]})
    (result,) = said["messages"][-1]["content"]
    assert (result["tool_use_id"], result["is_error"]) == ("t1", False)
    assert "ada@analytical.example" in result["content"]
    return httpx2.Response(200, json={"content": [{"type": "text", "text": "You are Ada, in project 1."}]})


async def test_a_live_model_plays_the_same_tasks():
    transport = httpx2.MockTransport(messages)
    with anyio.fail_after(10):
        async with httpx2.AsyncClient(transport=transport, base_url="http://model.invalid") as http:
            played = await play_live(Model(http, "any"), TASKS[0])
    assert played.wrong == []
    assert [used.tool for used in played.log] == ["users-retrieve"]


async def test_a_model_that_does_nothing_has_not_finished():
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"content": []}))
    with anyio.fail_after(10):
        async with httpx2.AsyncClient(transport=transport, base_url="http://model.invalid") as http:
            played = await play_live(Model(http, "any"), TASKS[0])
    assert played.wrong != []
