"""The question to a person before a call is sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..declarations.confirmation import Confirm
from ..declarations.model import Declaration
from ..jsonio import JSON
from ..templates.language import MISSING, fill, paths, placeholders
from ..text import get_path, single_line
from .masking import mask_urls

_MAX_TITLE = 60


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one call.

    Attributes:
        text: The question, as the person reads it. Long values may be truncated.
        title: The action that an answer of yes triggers, such as "Send it to 3 recipients now".
        effect: The complete effect of the call. Two questions are about the same effect if these are equal.
    """

    text: str
    title: str
    effect: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Every declared confirmation that applies to one call. Together they are one question."""

    tool: Declaration
    entries: tuple[Confirm, ...]

    @property
    def level(self) -> Literal["ask", "require"]:
        """The strictest level."""
        return "require" if any(entry.level == "require" for entry in self.entries) else "ask"

    @property
    def read(self) -> str | None:
        """The path of the request to send first. All entries of a tool that have one have the same."""
        return next((entry.read for entry in self.entries if entry.read), None)

    def applying_to(self, answer: Any) -> Confirmation | None:
        """Return the entries that apply to the API's response to `read`, if any."""
        return _confirmation(self.tool, (entry for entry in self.entries if entry.answer_validator.is_valid(answer)))


def find_confirmation(tool: Declaration, arguments: JSON) -> Confirmation | None:
    """Return the declared confirmations that apply to these arguments, if any."""
    return _confirmation(tool, (entry for entry in tool.confirm if entry.validator.is_valid(arguments)))


def _confirmation(tool: Declaration, entries: Iterable[Confirm]) -> Confirmation | None:
    applying = tuple(entries)
    return None if all(entry.is_addition for entry in applying) else Confirmation(tool, applying)


def render_question(confirmation: Confirmation, arguments: JSON, answer: Any) -> Question:
    """Return the question about the arguments and the API's response to `confirmation.read`."""
    values = {"arguments": dict(arguments), "answer": answer or {}}
    texts = [fill(entry.message, **values) for entry in confirmation.entries]
    others = ", ".join(_other_arguments(confirmation, arguments))
    text = " ".join([*texts, *([f"Also in this call: {others}."] if others else [])])
    title = _title(confirmation, values)
    if confirmation.tool.mask:
        text, title = mask_urls(text), mask_urls(title)
    return Question(text, title, _effect(confirmation, values))


def _other_arguments(confirmation: Confirmation, arguments: JSON) -> Iterator[str]:
    """Describe the arguments that no text of the question mentions, so that it names everything that is sent."""
    tool = confirmation.tool
    parts = [part for entry in confirmation.entries for part in placeholders(entry.message)]
    mentioned = {part.path for part in parts if part.form != "count"}
    for name, value in arguments.items():
        schema = _as_object(tool.arguments.get(name))
        is_default = "default" in schema and schema["default"] == value
        if name == "detail" or is_default or f"arguments.{name}" in mentioned:
            continue
        shown = fill(f"{{arguments.{name}:{_form(schema)}}}", arguments={name: value})
        yield f"{name} {'(not shown)' if name in tool.secrets else shown}"


def _form(schema: JSON) -> str:
    """Return the form of an argument in a template. Only text that the schema lists is not quoted."""
    if schema.get("format") == "date-time":
        return "time"
    return "word" if "enum" in schema or "enum" in _as_object(schema.get("items")) else ""


def _as_object(schema: Any) -> JSON:
    # A schema can also be `true`.
    return schema if isinstance(schema, dict) else {}


def _title(confirmation: Confirmation, values: dict[str, Any]) -> str:
    """Return the title of the first entry with the strictest level, and how many other changes there are."""
    changes = [entry for entry in confirmation.entries if not entry.is_addition]
    changes.sort(key=lambda entry: entry.level != "require")
    declared = changes[0].title
    title = single_line(confirmation.tool.title if declared is None else fill(declared, **values), _MAX_TITLE)
    others = len(changes) - 1
    return f"{title}, and {others} more change{'' if others == 1 else 's'}" if others else title


def _effect(confirmation: Confirmation, values: dict[str, Any]) -> str:
    """Return everything that decides the effect, as JSON: the entries, the arguments, and the values that they read."""
    secrets = {*confirmation.tool.secrets, "detail"}
    used = set().union(*(paths(entry.message) | paths(entry.title or "") for entry in confirmation.entries))
    effect = {
        "entries": [entry.message for entry in confirmation.entries],
        "arguments": {name: value for name, value in values["arguments"].items() if name not in secrets},
        "answer": {path: _stored(values, path) for path in used if path.startswith("answer.")},
    }
    return json.dumps(effect, sort_keys=True)


def _stored(values: JSON, path: str) -> Any:
    value = get_path(values, path, MISSING)
    return None if value is MISSING else value
