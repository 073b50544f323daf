"""The base classes of the parts of a declaration."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .schema import Schema


class Model(BaseModel):
    """A part of a declaration. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class ConditionalMessage(Model):
    """A message, and the JSON Schema that a call must match for it to apply. The default matches every call."""

    when: dict[str, Any] = {}
    message: Annotated[str, Field(alias="say")]

    @cached_property
    def validator(self) -> Schema:
        return Schema(self.when)
