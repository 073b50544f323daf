"""Error messages for a declaration that does not match the model."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ..text import did_you_mean
from .model import Declaration


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
    model: type[BaseModel] = Declaration
    for step in location:
        # An index of a list, and a name that the declaration chooses, are no fields.
        fields = (field for name, field in model.model_fields.items() if step in (name, field.alias))
        field = next(fields, None)
        model = (_find_model(field.annotation) if field else None) or model
    return [key for name, field in model.model_fields.items() for key in dict.fromkeys((field.alias or name, name))]


def _find_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model in a type such as `tuple[Rule, ...]` or `Evidence | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_find_model, get_args(annotation))), None)
