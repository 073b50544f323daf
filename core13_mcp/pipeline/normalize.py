"""What clients get wrong by habit, put right without guessing. Pure."""

from __future__ import annotations

from typing import Any

from ..jsonio import JSON, parse_json

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def normalize(properties: JSON, arguments: JSON) -> dict[str, Any]:
    """Read JSON text where something other than text is declared; drop a null that nothing allows.

    Models send `"[1,2]"` for a list and null for "not given". Everything else is left for `check` to refuse.
    """
    return {
        name: _read(_types(properties.get(name)), value)
        for name, value in arguments.items()
        if value is not None or name not in properties or _allows_null(properties[name])
    }


def _types(schema: Any) -> tuple[str, ...]:
    declared = schema.get("type", ()) if isinstance(schema, dict) else ()
    return (declared,) if isinstance(declared, str) else tuple(declared)


def _allows_null(schema: JSON) -> bool:
    return "null" in _types(schema) or (not _types(schema) and None in schema.get("enum", [None]))


def _read(types: tuple[str, ...], value: Any) -> Any:
    if not isinstance(value, str) or not types or "string" in types:
        return value
    try:
        meant = parse_json(value)
    except ValueError:
        return value
    return meant if any(_is(kind, meant) for kind in types) else value


def _is(kind: str, value: Any) -> bool:
    # bool is an int in Python, not in JSON.
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
