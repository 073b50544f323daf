"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...errors import Core13Error

Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it where anything is to be done.

    Attributes:
        status: `ok`; `note` where it works, but not all of it or not as one may think; `wrong` where it does not work.
    """

    check: str
    status: Status
    says: str
    fix: str = ""


def failed(check: str, error: Core13Error) -> Finding:
    """What an error of this package says, as a finding: the same words that a model or an operator would read."""
    first, *rest = str(error).split("\n")
    if rest:
        # A tool's error begins with the tool's name, which says nothing here.
        return Finding(check, "wrong", first.partition(": ")[2], " ".join(rest))
    says, _, fix = first.partition("; ")
    return Finding(check, "wrong", says, fix)
