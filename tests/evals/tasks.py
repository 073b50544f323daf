"""What a task says: a goal, the calls of a good agent, the first call of a weak one, and what must hold afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

JSON = dict[str, Any]


class Part(BaseModel):
    """Read strictly: a key that nobody knows is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Step(Part):
    """One call of a good agent. `{name.path}` stands for a value of an earlier step's result."""

    tool: str
    arguments: JSON
    name: str | None = Field(None, alias="as")
    has: JSON | None = None
    """What its result must hold, at least."""
    refused: str | None = None
    """What its error must say, where the right end is that the agent tells the person why not."""


class Wrong(Part):
    """What a weak agent calls first, in place of the steps from `at` up to `until`."""

    at: int
    until: int | None = None
    tool: str | None = None
    arguments: JSON = {}


class Before(Part):
    """Requests that somebody else made before."""

    times: int = 0
    post: str = ""
    body: JSON | None = None


class After(Part):
    """What the API must answer in the end, at least."""

    get: str
    has: JSON


class Task(Part):
    """One task. `facts` are values that the goal states, by the argument they are meant for."""

    id: str
    goal: str
    who: str = Field("key", alias="as")
    details: JSON = {}
    before: Before = Before()
    faults: tuple[str, ...] = ()
    calls: tuple[Step, ...]
    wrong: Wrong
    after: tuple[After, ...] = ()
    outbox: tuple[JSON, ...] = ()
    """The messages that must have been sent, and no other."""


def tasks() -> list[Task]:
    """All of them."""
    return TypeAdapter(list[Task]).validate_json((Path(__file__).parent / "tasks.json").read_bytes())
