"""Converts schemas of an OpenAPI document to the keywords that every model provider accepts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..declarations.schema_rules import MAX_ITEMS, PROPERTY_NAME, TYPES, UNSUPPORTED_REGEX
from .document import Document
from .flat import flatten

# Values of an enum, and properties of an inner object, that a schema lists.
MAX_ENUM, _MAX_INNER = 60, 12
_INNER_DEPTH = 2

PATTERNS = {"uuid": "^[0-9a-fA-F-]{36}$", "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def is_read_only(document: Document, schema: Any) -> bool:
    return bool(flatten(document, schema).get("readOnly"))


def convert(document: Document, flat: dict[str, Any], unknown: str, depth: int = 1) -> dict[str, Any]:
    """Return a flat schema with the keywords that every provider accepts.

    A schema with several types has one of them, and a schema without any has the type `unknown`.
    """
    types = flat.get("types", ())
    kind = kind_of(flat) or ("string" if "string" in types else next(filter(TYPES.__contains__, types), unknown))
    schema: dict[str, Any] = {"type": kind}
    match kind:
        case "string":
            schema |= _text_keywords(flat)
        case "integer" | "number":
            schema |= {key: flat[key] for key in ("minimum", "maximum") if key in flat}
        case "array":
            items = flatten(document, flat.get("items") or {})
            schema["items"] = convert(document, items, "string", depth + 1)
            schema["maxItems"] = max(1, min(int(flat.get("maxItems", MAX_ITEMS)), MAX_ITEMS))
            if 0 < flat.get("minItems", 0) <= schema["maxItems"]:
                schema["minItems"] = int(flat["minItems"])
        case "object":
            schema |= _inner(document, flat, depth)
    return schema


def guessed_types(document: Document, flat: dict[str, Any], schema: dict[str, Any], key: str) -> Iterator[str]:
    """Yield a question for each part of a converted schema that has no single type in the document."""
    if kind_of(flat) is None:
        allowed = " and ".join(flat.get("types", ()))
        problem = f"the document allows {allowed}" if allowed else "the document gives no type"
        yield f"{key}.type: {problem}; is {schema['type']} right?"
    if "items" in schema:
        items = flatten(document, flat.get("items") or {})
        yield from guessed_types(document, items, schema["items"], f"{key}.items")
    for name, part in schema.get("properties", {}).items():
        yield from guessed_types(
            document, flatten(document, flat["properties"][name]), part, f"{key}.properties.{name}"
        )


def _inner(document: Document, flat: dict[str, Any], depth: int) -> dict[str, Any]:
    """Return the properties of an inner object, unless there are too many or it is too deep."""
    properties = flat.get("properties") or {}
    names = [
        name for name in properties if PROPERTY_NAME.fullmatch(name) and not is_read_only(document, properties[name])
    ]
    if depth > _INNER_DEPTH or not 0 < len(names) <= _MAX_INNER:
        return {}
    inner = {name: convert(document, flatten(document, properties[name]), "object", depth + 1) for name in names}
    required = [name for name in flat.get("required", ()) if name in inner]
    return {"properties": inner, **({"required": required} if required else {})}


def _text_keywords(flat: dict[str, Any]) -> dict[str, Any]:
    enum = [value for value in flat.get("enum", ()) if isinstance(value, str) and value and value.isascii()]
    if enum and len(enum) <= MAX_ENUM:
        return {"enum": enum}
    keywords = {key: flat[key] for key in ("minLength", "maxLength") if isinstance(flat.get(key), int)}
    if flat.get("format") == "date-time":
        return {"format": "date-time"}
    if flat.get("format") in PATTERNS:
        return {"pattern": PATTERNS[flat["format"]]}
    pattern = flat.get("pattern")
    return {**keywords, "pattern": pattern} if isinstance(pattern, str) and _is_portable(pattern) else keywords


def _is_portable(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return pattern.isascii() and not UNSUPPORTED_REGEX.search(pattern)


def kind_of(flat: dict[str, Any]) -> str | None:
    kind = flat.get("type")
    if kind in TYPES:
        return str(kind)
    if "properties" in flat or "additionalProperties" in flat:
        return "object"
    if "items" in flat:
        return "array"
    return "string" if "enum" in flat and all(isinstance(value, str) for value in flat["enum"]) else None
