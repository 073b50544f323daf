"""When a person must confirm a call, and the question to them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from .base import ConditionalMessage
from .paths import APIPath
from .schema import Schema


class Confirm(ConditionalMessage):
    """A question to a person before the call is sent.

    Attributes:
        level: Whether the person can also confirm through the conversation (`ask`), or by a form only (`require`).
        title: The action, such as "Send it to {answer.target_value:count recipient} now". If it is empty, the entry
            applies only together with others, and adds to their text. Without it, the title of the tool is used.
        read: The path of a request to send first. The question can contain values of its response.
        answer: The JSON Schema that the response to `read` must match for the entry to apply.
    """

    level: Literal["ask", "require"]
    title: str | None = None
    read: APIPath | None = None
    answer: dict[str, Any] = Field({})

    @property
    def is_addition(self) -> bool:
        """Whether the entry only adds to the text of others."""
        return self.title == ""

    @cached_property
    def answer_validator(self) -> Schema:
        return Schema(self.answer)
