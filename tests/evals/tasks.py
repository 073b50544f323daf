"""The data model of tasks.json: a goal, the calls of a good agent, a first wrong call, and the expected end state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

JSON = dict[str, Any]


class StrictModel(BaseModel):
    """A frozen model that rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Step(StrictModel):
    """One call of a good agent. `{name.path}` stands for a value in the result of an earlier step."""

    tool: str
    arguments: JSON
    name: str | None = Field(None, alias="as")
    # The content that the result must have, at least.
    has: JSON | None = None
    # The text that the error must have, if the correct end is that the agent explains the error to the person.
    refused: str | None = None


class WrongCall(StrictModel):
    """The first call of an agent that makes a mistake. It replaces the steps from `at` up to `until`."""

    at: int
    until: int | None = None
    tool: str | None = None
    arguments: JSON = {}


class Before(StrictModel):
    """Requests that are made before the task starts."""

    times: int = 0
    post: str = ""
    body: JSON | None = None


class After(StrictModel):
    """A path of the API, and the content that it must have at the end, at least."""

    get: str
    has: JSON


class Task(StrictModel):
    """One task. `details` are values from the goal, by the name of their argument."""

    id: str
    goal: str
    key: str = Field("key", alias="as")
    # The version of the API that the sandbox imitates.
    era: str = "today"
    details: JSON = {}
    before: Before = Before()
    faults: tuple[str, ...] = ()
    calls: tuple[Step, ...]
    wrong: WrongCall
    after: tuple[After, ...] = ()
    # The messages that must have been sent, and no others.
    outbox: tuple[JSON, ...] = ()


def load_tasks() -> list[Task]:
    """Read all tasks."""
    return TypeAdapter(list[Task]).validate_json((Path(__file__).parent / "tasks.json").read_bytes())
