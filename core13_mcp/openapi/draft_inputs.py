"""The arguments of a draft: a closed schema that every model provider accepts, from parameters and body. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..declarations.paths import placeholders
from ..declarations.schema_rules import MAX_PROPERTIES, MAX_SCHEMA_CHARS, PROPERTY_NAME, SECRET_NAME
from ..jsonio import compact_json
from .convert import MAX_ENUM, PATTERNS, convert, guessed_types, is_read_only
from .document import Document, Operation
from .flat import MAX_INT, flatten
from .wording import argument_description, noun

# Arguments that have a reference as their schema, or that are added later.
_OTHERS = 5

_SEGMENT = "^[A-Za-z0-9_:~=+-]{1,200}$"
_SHARED = {"limit": "fields/common.json#/limit", "offset": "fields/common.json#/offset"}
_PROJECT = ("project_id", "environment_id", "team_id")


@dataclass(slots=True)
class Arguments:
    """The arguments of an operation.

    Attributes:
        documented: Parameters that the tool does not accept, with the reason.
        nullable: Fields of the body that null clears.
        guesses: What the document does not say, as decisions for a person.
        clear: The argument that clears fields, if there is one.
        project: The name of the argument of the project, if the path has one.
        body: The argument that is the whole body, if the body is not an object.
    """

    properties: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    documented: dict[str, str] = field(default_factory=dict)
    nullable: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    clear: str | None = None
    project: str | None = None
    body: str | None = None
    fields: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> list[str]:
        texts = [name for name, schema in self.properties.items() if schema.get("type") == "string"]
        return [name for name in texts if SECRET_NAME.search(name)]


def read_arguments(document: Document, operation: Operation) -> Arguments:
    """Return the arguments of an operation: those of its path first, then the required ones."""
    arguments = Arguments()
    parameters = sorted(document.parameters(operation), key=lambda item: item.get("in") != "path")
    for parameter in parameters:
        if parameter.get("in") == "path" and parameter["name"] in placeholders(operation.path):
            _add_path(arguments, document, operation, parameter)
        elif parameter.get("in") == "query":
            _add_query(arguments, document, parameter)
    _add_body(arguments, document, operation)
    if operation.method == "PATCH" and arguments.nullable and "clear" not in arguments.properties:
        names = arguments.nullable[:MAX_ENUM]
        items = {"type": "string", "enum": names}
        description = "Fields to set to null."
        arguments.properties["clear"] = {
            "type": "array",
            "items": items,
            "maxItems": len(names),
            "description": description,
        }
        arguments.clear = "clear"
    _limit_size(arguments)
    return arguments


def _add_path(arguments: Arguments, document: Document, operation: Operation, parameter: dict[str, Any]) -> None:
    name = parameter["name"]
    if arguments.project is None and name in _PROJECT:
        arguments.project = name
        field_name = "project_id" if operation.method == "GET" else "project_id_write"
        arguments.properties[name] = {"$ref": f"fields/common.json#/{field_name}"}
        return
    flat = flatten(document, parameter.get("schema") or {})
    text = argument_description(parameter, "") if parameter.get("description") else f"Id of the {noun(operation)}."
    if flat.get("type") == "integer":
        schema = {"type": "integer", "minimum": 1, "maximum": MAX_INT}
    else:
        schema = {"type": "string", "pattern": PATTERNS.get(flat.get("format", ""), _SEGMENT)}
    arguments.properties[name] = {**schema, "description": text}
    arguments.required.append(name)


def _add_query(arguments: Arguments, document: Document, parameter: dict[str, Any]) -> None:
    name = parameter["name"]
    schema = {**(parameter.get("schema") or {})}
    if parameter.get("deprecated"):
        arguments.documented[name] = "Deprecated."
    elif name == "format":
        arguments.documented[name] = "Results are always JSON."
    elif name in _SHARED:
        arguments.properties[name] = {"$ref": _SHARED[name]}
    else:
        schema.setdefault("description", parameter.get("description") or "")
        _add(arguments, document, name, schema, "string")
        if parameter.get("required") and name in arguments.properties:
            arguments.required.append(name)


def _add_body(arguments: Arguments, document: Document, operation: Operation) -> None:
    schema = document.request_schema(operation)
    if schema is None:
        return
    flat = flatten(document, schema)
    if flat.get("type", "object") != "object" or not flat.get("properties"):
        _add(arguments, document, "body", {"description": "The whole body of the request.", **flat}, "object")
        arguments.required.append("body")
        arguments.body = "body"
        return
    required = set(flat.get("required", ())) if operation.method != "PATCH" else set()
    properties = {name: part for name, part in flat["properties"].items() if not is_read_only(document, part)}
    for name in sorted(properties, key=lambda name: name not in required):
        _add(arguments, document, name, properties[name], "object")
        if name not in arguments.properties or name in arguments.fields:
            continue
        arguments.fields.append(name)
        if name in required:
            arguments.required.append(name)
        if flatten(document, properties[name]).get("nullable"):
            arguments.nullable.append(name)


def _add(arguments: Arguments, document: Document, name: str, schema: dict[str, Any], unknown: str) -> None:
    """Add an argument, or the reason why the tool does not accept it."""
    flat = flatten(document, schema)
    if name in arguments.properties:
        guess = f"inputSchema.properties.{name}: two parameters have this name, and the tool sends only the first. Is it right?"
        arguments.guesses.append(guess)
    elif flat.get("deprecated"):
        arguments.documented[name] = "Deprecated."
    elif flat.get("type") == "null":
        arguments.documented[name] = "The API accepts only null."
    elif not PROPERTY_NAME.fullmatch(name):
        arguments.documented[name] = "Model providers reject this name of an argument."
    else:
        converted = convert(document, flat, unknown)
        arguments.guesses += guessed_types(document, flat, converted, f"inputSchema.properties.{name}")
        arguments.properties[name] = {**converted, "description": _describe(flat, name)}


def _describe(flat: dict[str, Any], name: str) -> str:
    text = argument_description(flat, name)
    values = [value for value in flat.get("enum", ()) if not isinstance(value, str)]
    if values and len(values) <= MAX_ENUM:
        text += f" One of {', '.join(map(compact_json, values))}."
    if flat.get("format") == "date":
        text += " Like 2026-01-31."
    return text


def _limit_size(arguments: Arguments) -> None:
    """Move optional arguments from the end to `documented` while the schema is too large for a provider."""
    reason = "Left out of the draft, because the schema would be too large for a model provider."
    optional = [name for name in arguments.properties if name in arguments.fields and name not in arguments.required]
    while optional and _is_too_large(arguments.properties):
        name = optional.pop()
        del arguments.properties[name]
        arguments.fields.remove(name)
        arguments.documented[name] = reason


def _is_too_large(properties: dict[str, Any]) -> bool:
    text = compact_json(properties)
    return len(text) > MAX_SCHEMA_CHARS - 1000 or text.count('"type":') > MAX_PROPERTIES - _OTHERS
