"""The story as its file tells it, and whether what happened is what it tells. Pure."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from ...declarations.schema import Schema
from ...jsonio import JSON
from ...text import get_path, render

_MASK = "*" * 12
_EARLIER = re.compile(r"\{([\w.]+)\}")


class Differs(Exception):
    """What happened is not what the story tells."""


class Step(BaseModel):
    """One call and what must come of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    call: str
    given: JSON = Field({}, alias="with")
    """Arguments; a text `{name.path}` stands for a value of the earlier answer that was kept under that name."""
    kept: str = Field("", alias="as")
    asked: bool = False
    """Whether the server asks the person first."""
    refused: bool = False
    expect: JSON
    """A JSON Schema of the structured answer; of an error's text and facts where it is `refused`."""
    each: str = ""
    hide: tuple[str, ...] = ()
    show: tuple[str, ...] = ()

    def arguments(self, kept: JSON) -> dict[str, Any]:
        """What to call with, after the answers so far."""
        return {name: _resolved(value, kept) for name, value in self.given.items()}

    def told(self, answer: JSON) -> list[str]:
        """The answer in a few lines, without what must not be seen on a screen."""
        if self.refused:
            return str(answer["text"]).splitlines()
        shown = {**answer, **{name: _MASK for name in self.hide if name in answer}}
        rows = get_path(shown, self.each) if self.each else [{}]
        return [render(line, answer=shown, row=row) for row in rows for line in self.show]

    def judge(self, answer: JSON, *, failed: bool, questions: int) -> None:
        """Compare what happened with the story.

        Raises:
            Differs: It is something else.
        """
        if failed != self.refused:
            raise Differs(f"the call {'failed' if failed else 'was not refused'}: {answer.get('text', answer)}")
        if questions != self.asked:
            raise Differs(f"the server asked {questions} times, not {int(self.asked)}")
        fit(self.expect, answer)


class Outbox(BaseModel):
    """What the sandbox must hold back in the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    expect: JSON
    show: str

    def told(self, rows: list[JSON]) -> list[str]:
        """One line for each message."""
        return [render(self.show, row=row) for row in rows]


class Story(BaseModel):
    """All of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[Step, ...]
    outbox: Outbox

    @classmethod
    def read(cls) -> Self:
        """The story that comes with the package."""
        return cls.model_validate(json.loads((files(__package__) / "story.json").read_text("utf-8")))


def fit(expected: JSON, value: object) -> None:
    """Compare a value with a schema.

    Raises:
        Differs: It does not fit; the text says where.
    """
    faults = [f"{fault.path}: {fault.message}".removeprefix(": ") for fault in Schema(expected).iter_errors(value)]
    if faults:
        raise Differs("; ".join(faults))


def _resolved(value: Any, kept: JSON) -> Any:
    earlier = _EARLIER.fullmatch(value) if isinstance(value, str) else None
    return get_path(kept, earlier[1]) if earlier else value
