from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def subschemas(schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """A schema and all schemas in it, each with its depth. A property that is called `title` is no keyword."""
    yield depth, schema
    for part in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from subschemas(part, depth + 1)
