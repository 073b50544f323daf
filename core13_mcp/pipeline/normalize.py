"""Corrects frequent mistakes of clients in arguments, and adds defaults. Pure."""

from __future__ import annotations

from typing import Any

from ..jsonio import JSON, parse_json

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def normalize(properties: JSON, arguments: JSON) -> dict[str, Any]:
    """Parse JSON text, drop a null that is not allowed, and add declared defaults.

    Text is parsed if the type of the argument is not string. Models send `"[1,2]"` for a list, and null for an
    absent argument. Validation reports all other mistakes.
    """
    # A schema can also be `true`.
    schemas = {name: schema if isinstance(schema, dict) else {} for name, schema in properties.items()}
    defaults = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
    return defaults | {
        name: _parsed(_types(schemas.get(name, {})), value)
        for name, value in arguments.items()
        if value is not None or name not in schemas or _allows_null(schemas[name])
    }


def _types(schema: JSON) -> tuple[str, ...]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _allows_null(schema: JSON) -> bool:
    return "null" in _types(schema) or (not _types(schema) and None in schema.get("enum", [None]))


def _parsed(types: tuple[str, ...], value: Any) -> Any:
    if not isinstance(value, str) or not types or "string" in types:
        return value
    try:
        parsed = parse_json(value)
    except ValueError:
        return value
    return parsed if any(_has_type(parsed, name) for name in types) else value


def _has_type(value: Any, name: str) -> bool:
    # In Python a bool is an int, in JSON it is not.
    return isinstance(value, _PYTHON_TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
