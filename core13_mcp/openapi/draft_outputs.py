"""The result of a draft: the useful fields of the response, and what a response must have. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..declarations.schema_rules import PROPERTY_NAME, SECRET_NAME
from .convert import kind_of
from .document import JSON_TYPE, Document, Operation
from .flat import flatten

_MAX_FIELDS = 20

# Fields that identify an object, the best first. They come first in a result.
_KEYS = ("id", "short_id", "uuid", "key")
_NAMES = ("name", "title", "email")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an operation.

    Attributes:
        properties: The output schema of an object, or of a page of rows; empty if the document describes none.
        evidence: What a response must have; None if the document does not say.
        shown, total: The number of fields that a result has, and that a response has.
        secrets: Fields that look like secrets, and that a result does not have.
        problem: Why there are no properties, with a question.
    """

    properties: dict[str, Any]
    evidence: dict[str, Any] | None
    shown: int = 0
    total: int = 0
    secrets: tuple[str, ...] = ()
    problem: str = ""


def read_result(document: Document, operation: Operation) -> Result:
    """Return the result of an operation, from its response with a 2xx status."""
    statuses = [int(status) for status in document.responses(operation) if status.startswith("2") and status.isdigit()]
    schema = document.response_schema(operation)
    flat = flatten(document, schema) if schema else {}
    fields = flat.get("properties", {})
    if not fields:
        problem = _problem(document.response_types(operation), kind_of(flat))
        return Result({}, {"status": [204]} if statuses == [204] else None, problem=problem)
    rows = flatten(document, fields.get("results") or {})
    if rows.get("type") == "array":
        row = flatten(document, rows.get("items") or {})
        properties, key, secrets = _select(document, row, is_row=True)
        evidence: dict[str, Any] = {"status": statuses, "field": "results", **({"row": key} if key else {})}
        page = {"count": {"type": "integer"}, "next_offset": {"type": "integer"}}
        results = {"type": "array", "items": {"type": "object", "properties": properties}}
        return Result({**page, "results": results}, evidence, len(properties), len(row.get("properties", {})), secrets)
    properties, key, secrets = _select(document, flat, is_row=False)
    key = key or next((name for name in flat.get("required", ()) if name in properties), None)
    proof = {"status": statuses, "field": key} if key else None
    return Result(properties, proof, len(properties), len(fields), secrets)


def _problem(types: list[str], kind: str | None) -> str:
    """Return why a response has no fields to show."""
    if types and JSON_TYPE not in types:
        return f"the response is {', '.join(types)}, but a tool reads JSON objects only. Is the document right?"
    if kind and kind != "object":
        return f"the response is of type {kind}, but a tool shows the fields of an object only. Is the document right?"
    if types:
        return "the document names no field of the response. Which fields does it have?"
    return "the document describes no body of the response. Which fields does it have?"


def _select(
    document: Document, flat: dict[str, Any], *, is_row: bool
) -> tuple[dict[str, Any], str | None, tuple[str, ...]]:
    """Return the schemas of the fields to show, the field that identifies the object, and the secrets.

    A boolean such as `password_required` is no secret. The rules permit such names outside of rows only.
    Only the key has a type: a newer API may change the type of a field, and a result must then still be valid.
    """
    fields = {name: flatten(document, part) for name, part in flat.get("properties", {}).items()}
    named = [name for name in fields if SECRET_NAME.search(name)]
    secrets = tuple(name for name in named if fields[name].get("type") != "boolean")
    hidden = named if is_row else secrets
    names = [name for name, part in fields.items() if name not in hidden and _is_useful(document, name, part)]
    order = {name: index for index, name in enumerate((*_KEYS, *_NAMES))}
    names = sorted(names, key=lambda name: order.get(name, len(order)))[:_MAX_FIELDS]
    key = next((name for name in _KEYS if name in names and not fields[name].get("nullable")), None)
    typed = fields[key].get("type") if key else None
    return {name: {"type": typed} if name == key and typed else {} for name in names}, key, secrets


def _is_useful(document: Document, name: str, part: dict[str, Any]) -> bool:
    """Whether a field is a single value or a list of such values.

    Inner objects, and fields without a type, which can be of any size, are in full results only.
    """
    items = flatten(document, part.get("items") or {}) if part.get("type") == "array" else part
    is_inner = items.get("type") == "object" or "properties" in items or "additionalProperties" in items
    is_excluded = is_inner or kind_of(part) is None or part.get("writeOnly") or part.get("deprecated")
    return bool(PROPERTY_NAME.fullmatch(name)) and not is_excluded
