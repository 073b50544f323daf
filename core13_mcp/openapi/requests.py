"""Compares the request of a tool with an operation of an OpenAPI document. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..declarations.files import CONFIRMATION
from ..declarations.model import Declaration
from ..jsonio import JSON
from .arguments import Comparison, compare_object, compare_value
from .difference import Difference, listed
from .document import Document, Operation
from .flat import flatten
from .operations import PLACEHOLDER

_SCOPE = re.compile(r"[a-z_]+:[a-z]+")


def compare_scope(tool: Declaration, operation: Operation, document_has_scopes: bool) -> Iterator[Difference]:
    """Yield the difference of the scope that a tool states, if the document states scopes."""
    scope, required = tool.endpoint.scope, [name for name in operation.scopes if _SCOPE.fullmatch(name)]
    if required and scope is None:
        message = f"The document states the scope {listed(required)}, but the tool says that no API key is accepted."
        yield Difference("misleads", "scope", message)
    elif required and required != [scope]:
        yield Difference("breaks", "scope", f"The document states the scope {listed(required)}, but the tool {scope}.")
    elif scope and not required and document_has_scopes:
        yield Difference("misleads", "scope", f"The document states no scope, but the tool {scope}.")


def compare_request(tool: Declaration, operation: Operation, document: Document) -> Iterator[Difference]:
    """Yield the differences of the arguments of a tool and the parameters and the body of an operation."""
    comparison = Comparison(document, is_text=True, ignored=tool.documented.keys())
    in_path = tool.endpoint.placeholders
    others = [name for name in _sent(tool) if name not in in_path]
    has_body = tool.endpoint.method in ("POST", "PATCH")
    parameters = document.parameters(operation)
    path = _renamed(_object_of(parameters, "path"), operation.path, in_path)
    yield from compare_object(_arguments(tool, in_path), path, "arguments", comparison)
    query = _object_of(parameters, "query")
    yield from compare_object(_arguments(tool, () if has_body else others), query, "arguments", comparison)
    for place in ("header", "cookie"):
        # A tool sends none of its own, so only a required one is a difference.
        fields = _object_of(parameters, place)
        sends_none = comparison._replace(ignored=fields["properties"].keys())
        yield from compare_object(_arguments(tool, ()), fields, "arguments", sends_none)
    if has_body:
        yield from _compare_body(tool, others, _body(operation, document), comparison._replace(is_text=False))


def compare_fallback(tool: Declaration, operation: Operation | None, document: Document) -> Iterator[Difference]:
    """Yield the fields of the fallback request that its operation, if the document has it, does not have."""
    fallback = tool.endpoint.fallback
    if fallback and operation is None:
        message = f"The document does not have {fallback.method} {tool.endpoint.path}, which the tool sends instead."
        yield Difference("misleads", "fallback", message)
    elif fallback and operation:
        fields = _body(operation, document).get("properties", {})
        for name in sorted(fallback.body.keys() - fields.keys()):
            message = f"The document does not have {name}, which the tool sends with {fallback.method}."
            yield Difference("breaks", f"fallback.{name}", message)


def _sent(tool: Declaration) -> list[str]:
    """Return the names of the arguments that are sent to the API."""
    own = {"detail", tool.clear, CONFIRMATION if tool.accepts_codes else None}
    return [name for name in tool.arguments if name not in own]


def _compare_body(tool: Declaration, names: Iterable[str], body: JSON, comparison: Comparison) -> Iterator[Difference]:
    if whole := tool.endpoint.body_argument:
        yield from compare_value(tool.arguments[whole], body, f"arguments.{whole}", comparison)
        return
    yield from compare_object(_arguments(tool, names), body, "arguments", comparison)
    fields = body.get("properties", {})
    for name in tool.clearable:
        field = flatten(comparison.document, fields.get(name))
        # Without a type, the document allows every value.
        if "type" in field and not field.get("nullable"):
            message = f"The document does not allow null for {name}, but the tool can clear it."
            yield Difference("breaks", f"arguments.{name}.clear", message)


def _body(operation: Operation, document: Document) -> JSON:
    schema = document.request_schema(operation)
    return {"properties": {}} if schema is None else flatten(document, schema)


def _arguments(tool: Declaration, names: Iterable[str]) -> dict[str, Any]:
    """Return some arguments of a tool as the schema of an object. Those in the path are always sent."""
    properties = {name: tool.arguments.get(name, {}) for name in names}
    required = [*tool.input_schema.get("required", ()), *tool.endpoint.placeholders]
    return {"properties": properties, "required": [name for name in required if name in properties]}


def _object_of(parameters: Iterable[Mapping[str, Any]], place: str) -> dict[str, Any]:
    """Return the parameters of a document in one place as the schema of an object."""
    fields = {parameter["name"]: parameter for parameter in parameters if parameter.get("in") == place}
    required = [name for name, parameter in fields.items() if parameter.get("required") is True]
    return {"properties": {name: part.get("schema") for name, part in fields.items()}, "required": required}


def _renamed(path: dict[str, Any], template: str, names: Iterable[str]) -> dict[str, Any]:
    """Return the path parameters of a document with the names of the tool. Their order in the path is the same."""
    pairs = zip(names, PLACEHOLDER.findall(template), strict=True)
    renamed = {name: path["properties"].get(original) for name, original in pairs}
    return {"properties": renamed, "required": list(renamed)}
