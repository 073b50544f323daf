"""The problems of a declaration that does not match the model, each with its key and the correct form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ..jsonio import compact_json
from ..text import did_you_mean, single_line
from .model import Declaration


class Problem(NamedTuple):
    """One problem of a declaration: the path of its key, what is wrong, and the correct form as a sentence."""

    key: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.key}: {self.message}" if self.key else self.message
        return f"{text}. {self.fix}" if self.fix else text


def find_problems(error: ValidationError) -> Iterator[Problem]:
    """Yield every problem of a validation, in the order of the keys."""
    for details in error.errors(include_url=False, include_context=True):
        yield _problem(details)


def _problem(details: ErrorDetails) -> Problem:
    location, message = details["loc"], details["msg"].removeprefix("Value error, ")
    key = ".".join(map(str, location))
    match details["type"]:
        case "extra_forbidden":
            keys = _keys(location[:-1])
            fix = did_you_mean(str(location[-1]), keys) or f"The keys are {', '.join(keys)}."
            return Problem(key, "there is no such key", fix)
        case "missing":
            return Problem(_documented(location), "the key is missing", _form(location))
        case "value_error":
            return Problem(key, message)
        case "string_too_long":
            return Problem(key, message)
        case _:
            value = single_line(compact_json(details["input"]), 60)
            return Problem(key, f"the value is {value}", _form(location))


def _keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a declaration can have at a location."""
    return [_name(name, field) for name, field in _model(location).model_fields.items()]


def _documented(location: tuple[int | str, ...]) -> str:
    """Return a key path that ends with the documented name of a key, not with its older name."""
    *parents, last = location
    fields = _model(tuple(parents)).model_fields.items()
    name = next((_name(name, field) for name, field in fields if field.alias == last), str(last))
    return ".".join(map(str, (*parents, name)))


def _name(name: str, field: FieldInfo) -> str:
    """Return the documented name of a field. The alias is the spelling of JSON, or an older name."""
    return field.alias if field.alias == to_camel(name) else name


def _model(location: tuple[int | str, ...]) -> type[BaseModel]:
    model: type[BaseModel] = Declaration
    for step in location:
        # An index of a list, and a name that the declaration chooses, are no fields.
        fields = (field for name, field in model.model_fields.items() if step in (name, field.alias))
        field = next(fields, None)
        model = (_find_model(field.annotation) if field else None) or model
    return model


def _find_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model in a type such as `tuple[Rule, ...]` or `Evidence | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_find_model, get_args(annotation))), None)


def _form(location: tuple[int | str, ...]) -> str:
    """Return a sentence with the correct form of the value at a location, from the JSON Schema of the model."""
    root = Declaration.model_json_schema()
    schema: Any = root
    for step in location:
        schema = _resolve(root, schema)
        items, properties = schema.get("items", {}), schema.get("properties", {})
        schema = items if isinstance(step, int) else properties.get(step, schema.get("additionalProperties", {}))
    schema = _resolve(root, schema)
    return f"The correct form is {_describe(schema)}." if schema else ""


def _resolve(root: dict[str, Any], schema: Any) -> dict[str, Any]:
    """Return the schema without its reference, and without null as an alternative."""
    schema = schema if isinstance(schema, dict) else {}
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    schema = kinds[0] if kinds else schema
    name = schema.get("$ref", "").rpartition("/")[2]
    return dict(root["$defs"][name]) if name else schema


def _describe(schema: dict[str, Any]) -> str:
    if "examples" in schema:
        return f"{_TYPES.get(schema['type'], 'a value')} such as {compact_json(schema['examples'][0])}"
    if "enum" in schema:
        return " or ".join(map(compact_json, schema["enum"]))
    if "properties" in schema:
        required = [name for name in schema["properties"] if name in schema.get("required", ())]
        return f"an object with {', '.join(required) or 'some of the keys ' + ', '.join(schema['properties'])}"
    return _TYPES.get(schema.get("type", ""), "a value")


_TYPES = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "array": "a list",
    "object": "an object",
}
