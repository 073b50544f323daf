"""Corrects forms of arguments that clients and models produce by habit, without guessing. Pure."""

from __future__ import annotations

from typing import Any

from ..declarations.model import Declaration
from ..jsonio import JSON, parse_json

# Arguments that a client adds to the schema of every tool and does not remove from the call. A tool that declares an
# argument of this name receives it. Gemini CLI 0.61 adds `wait_for_previous`, which controls its own scheduling.
CLIENT_ARGUMENTS = frozenset({"wait_for_previous"})

# In Python a bool is an int, in JSON it is not, so a value must have exactly one of these types.
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def normalize(tool: Declaration, arguments: JSON) -> dict[str, Any]:
    """Return the arguments in the types of the schema, with declared defaults and without nulls.

    Null always means that the argument is absent, because clients with strict schemas send it for every optional
    argument. JSON text is parsed, also inside lists, if the type is not string: models send `"[1,2]"` for a list. A
    whole float such as 2.0 becomes an integer. A number becomes text if the text must match a pattern of digits.
    Validation reports all other mistakes.
    """
    # A schema can also be `true`.
    schemas = {name: _mapping(schema) for name, schema in tool.arguments.items()}
    defaults = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
    return defaults | {
        name: _convert(schemas[name], value) if name in schemas else value
        for name, value in arguments.items()
        if not _is_absent(schemas, name, value)
    }


def _is_absent(schemas: JSON, name: str, value: Any) -> bool:
    return value is None if name in schemas else name in CLIENT_ARGUMENTS


def _convert(schema: JSON, value: Any) -> Any:
    """Return a value in a type of its schema, or unchanged if that is not possible without a guess."""
    declared = schema.get("type", ())
    types = (declared,) if isinstance(declared, str) else tuple(declared)
    if isinstance(value, str) and types and "string" not in types:
        value = _parse(types, value)
    if types == ("string",) and "pattern" in schema:
        return _digits(value)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_convert(schema["items"], item) for item in value]
    if isinstance(value, dict) and isinstance(schema.get("properties"), dict):
        return {name: _convert(_mapping(schema["properties"].get(name)), part) for name, part in value.items()}
    return int(value) if "integer" in types and _is_whole(value) else value


def _parse(types: tuple[str, ...], text: str) -> Any:
    """Return the value of a JSON text if it has one of the types. Python writes booleans as True and False."""
    is_boolean = "boolean" in types and text in ("True", "False")
    try:
        value = parse_json(text.lower() if is_boolean else text)
    except ValueError:
        return text
    is_integer = "integer" in types and _is_whole(value)
    return value if is_integer or any(type(value) in _PYTHON_TYPES[name] for name in types) else text


def _digits(value: Any) -> Any:
    """Return the digits of a whole number that is exact as a double, or any other value unchanged."""
    is_number = type(value) is int or _is_whole(value)
    return str(int(value)) if is_number and abs(value) < 2**53 else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _mapping(schema: Any) -> JSON:
    return schema if isinstance(schema, dict) else {}
