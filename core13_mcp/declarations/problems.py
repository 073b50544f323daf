"""Error messages for a declaration that does not match the model."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from ..text import did_you_mean
from .base import ConditionalMessage
from .confirmation import Confirm
from .derivation import Derivation
from .model import Annotations, Declaration, Endpoint, Fallback, Project, Rule
from .text_check import Fault, TextCheck

_MODELS: Mapping[str, type[BaseModel]] = {
    "annotations": Annotations,
    "endpoint": Endpoint,
    "instead": Fallback,
    "project": Project,
    "rules": Rule,
    "confirm": Confirm,
    "done": ConditionalMessage,
    "notes": ConditionalMessage,
    "checks": TextCheck,
    "faults": Fault,
    "derive": Derivation,
}


def describe_problems(error: ValidationError) -> str:
    """Return all problems in one line, each with the key that it is about."""
    return "; ".join(_describe(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors())


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(map(str, location))
    if kind == "extra_forbidden":
        message = f"there is no such key. {did_you_mean(str(location[-1]), _keys(location[:-1]))}".rstrip()
    message = message.removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


def _keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a declaration can have at a location."""
    # The keys of `derive` are names that the declaration chooses.
    model = next((_MODELS[str(step)] for step in reversed(location) if step in _MODELS), Declaration)
    return [key for name, field in model.model_fields.items() for key in dict.fromkeys((field.alias or name, name))]
