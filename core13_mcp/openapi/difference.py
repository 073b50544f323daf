"""A difference between a declaration and an OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..jsonio import JSON

# `breaks`: the API refuses calls that the tool makes, or the tool cannot recognize success.
# `misleads`: the tool offers, shows or states something that the API does not have.
# `new`: the API has something that the tool does not offer.
Rank = Literal["breaks", "misleads", "new"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        key: Its stable name, such as `arguments.title.maxLength`. A declaration accepts a difference by this name.
        message: What the document and the tool have, as a sentence.
    """

    rank: Rank
    key: str
    message: str


def listed(names: Iterable[str]) -> str:
    """Return names in alphabetical order, such as `email, slack and teams`."""
    *others, last = sorted(names) or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last


def is_free_form(schema: JSON) -> bool:
    """Whether a schema says nothing about properties, so that nothing is known about one of them."""
    return "properties" not in schema and schema.get("additionalProperties") is not False
