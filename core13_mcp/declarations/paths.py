"""Paths of the API in declarations, which are checked when a declaration is loaded."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, Field

from ..text import did_you_mean, single_line

PREFIX = "/api/"

PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_]+)\}")
# A name without percent-encoding, which could hide any other character, or one placeholder.
_SEGMENT = re.compile(rf"[A-Za-z0-9._~@:-]+|{PLACEHOLDER.pattern}")


def placeholders(path: str) -> list[str]:
    """Return the names of the placeholders of a path."""
    return PLACEHOLDER.findall(path)


def require_known_placeholders(key: str, path: str, names: Collection[str]) -> None:
    """Raise ValueError if a path, the value of a key, has a placeholder that is none of the names."""
    for name in placeholders(path):
        if name not in names:
            suggestion = did_you_mean(name, names)
            raise ValueError(f"{key}: {{{name}}} is not an argument of the tool. {suggestion}".rstrip())


def _check(path: str) -> str:
    """Return the path.

    Raises:
        ValueError: The path could lead to another host, or to another part of the host than the API.
    """
    if not path.startswith(PREFIX):
        raise ValueError(f"a path must start with {PREFIX}, without a host")
    if not path.endswith("/"):
        raise ValueError("a path must end with /, without a query or a fragment")
    for segment in path.removeprefix("/").removesuffix("/").split("/"):
        if segment in ("", ".", ".."):
            raise ValueError(f"a path must not contain the segment {segment!r}")
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(
                f"the segment {single_line(segment, 60)!r} is neither a placeholder such as {{id}} nor a name; names "
                "consist of letters, digits and the characters . _ ~ @ : -"
            )
    return path


# A path below /api/ with placeholders such as `{id}` for arguments.
APIPath = Annotated[str, AfterValidator(_check), Field(examples=["/api/projects/{project_id}/insights/"])]
