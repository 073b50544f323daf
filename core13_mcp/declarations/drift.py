"""A difference between a declaration and the OpenAPI documents of the API that is accepted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Model


class AcceptedDifference(Model):
    """A difference that is not a fault, because the document is wrong or the tool differs on purpose.

    Attributes:
        difference: The name of the difference, as `core13-mcp drift` prints it. `*` stands for any text.
        reason: Why the declaration stays as it is.
        versions: `some` if only some versions of the API have the difference. If all have it, a document without it
            makes the entry a fault.
    """

    difference: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(pattern=r"\S")]
    versions: Literal["all", "some"] = "all"
