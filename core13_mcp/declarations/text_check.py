"""Checks of the text of one argument that a JSON Schema cannot explain."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from .base import ConditionalMessage, Model


class Fault(Model):
    """A regular expression that finds a fault, and what is wrong.

    `{character}` in the message is the first character that the expression finds.
    """

    pattern: str
    message: Annotated[str, Field(alias="say")]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @model_validator(mode="after")
    def _check_pattern(self) -> Self:
        try:
            _ = self.regex
        except re.error as error:
            raise ValueError(f"pattern: {error}") from None
        return self


class TextCheck(ConditionalMessage):
    """What the text of an argument must look like. The error names each wrong entry with its fault.

    Attributes:
        message: The correct form.
        separator: The separator of the entries, if the text has several.
        visible: Whether characters that a person cannot see are faults, because the person may have to confirm the text.
    """

    argument: str
    separator: str | None = None
    visible: bool = True
    faults: tuple[Fault, ...] = ()

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """An expression that finds any of the faults. Most texts have none, so one search is enough for them."""
        return re.compile("|".join(f"(?:{fault.pattern})" for fault in self.faults) or "(?!)")
