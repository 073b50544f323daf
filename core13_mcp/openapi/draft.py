"""A draft of a declaration, from an operation of an OpenAPI document. Pure.

The draft follows every rule. What a document cannot say is in `review`, and the file does not load until a person has
made these decisions. Until then each value is the careful one: a write asks a person, and may reach other people.
"""

from __future__ import annotations

from typing import Any

from ..declarations.catalog import parse
from ..declarations.directory import builtin_dir, replace_references
from ..declarations.files import with_confirmation
from ..errors import ConfigurationError, DeclarationError
from .document import JSON_TYPE, Document, Operation
from .draft_inputs import Arguments, read_arguments
from .draft_outputs import Result, read_result
from .draft_review import open_decisions
from .flat import flatten
from .wording import description, effect, sentences, title, tool_name

_METHODS = ("GET", "POST", "PATCH", "DELETE")

_HINTS = {
    "400": "Correct the argument that the API names.",
    "402": "The plan of the organization does not include this. No argument changes that; tell the person.",
    "403": "The credentials or their owner have no access to this project or object, or {scope} is missing.",
    "404": "There is no such object in this project. Check the ids in the call.",
    "409": "The object is in another state than the call expects. Read it before you call again.",
    "429": "Too many requests. Wait before the next call.",
}
_UNKNOWN = "The API may have applied the request. Find out in PostHog before you call again."
_PROJECT = "fields/project.json#/project"


def draft(document: Document, operation: Operation) -> dict[str, Any]:
    """Return the content of a declaration file, with its open decisions in `review`.

    Raises:
        ConfigurationError: A declaration cannot describe the operation.
    """
    if operation.method not in _METHODS:
        fix = f"Draft the PATCH operation of {operation.path} instead."
        raise ConfigurationError(f"{operation.id} is a {operation.method} request, which replaces an object", fix)
    types = document.request_types(operation)
    if types and JSON_TYPE not in types:
        fix = "Such a request needs another program, such as curl."
        raise ConfigurationError(f"the body of {operation.id} is {', '.join(types)}, but a tool sends JSON only", fix)
    arguments, result = read_arguments(document, operation), read_result(document, operation)
    content = {
        "name": tool_name(operation),
        "title": title(operation),
        "description": description(document, operation),
        "annotations": _annotations(operation),
        "inputSchema": _input_schema(arguments, result),
        "outputSchema": _output_schema(operation, result),
        "endpoint": {**_endpoint(operation, arguments), **_fallback(document, operation)},
        "evidence": result.evidence,
        "project": _project(arguments),
        "clear": arguments.clear,
        "secrets": arguments.secrets,
        "rules": _rules(operation, arguments),
        "confirm": [] if operation.method == "GET" else [{"level": "ask", "message": f"{title(operation)}?"}],
        "hints": _hints(document, operation),
        "done": [] if operation.method == "GET" else [{"message": effect(operation)}],
        "documented": arguments.documented,
        "review": open_decisions(document, operation, arguments, result),
    }
    content = {key: value for key, value in content.items() if value or key == "inputSchema"}
    _require_valid(operation, content)
    return content


def _annotations(operation: Operation) -> dict[str, bool]:
    reads = operation.method == "GET"
    return {
        "readOnlyHint": reads,
        "destructiveHint": not reads and not operation.id.endswith("_create"),
        "idempotentHint": operation.method != "POST",
        "openWorldHint": not reads,
    }


def _input_schema(arguments: Arguments, result: Result) -> dict[str, Any]:
    properties = dict(arguments.properties)
    if result.properties:
        properties.setdefault("detail", {"$ref": "fields/common.json#/detail"})
    required = {"required": arguments.required} if arguments.required else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def _output_schema(operation: Operation, result: Result) -> dict[str, Any]:
    if operation.method == "GET":
        return {"type": "object", **({"properties": result.properties} if result.properties else {})}
    properties = {**result.properties, "done": {"$ref": "fields/common.json#/done"}}
    return {"type": "object", "properties": properties, "required": ["done"]}


def _endpoint(operation: Operation, arguments: Arguments) -> dict[str, Any]:
    access = {"scope": operation.scopes[0]} if operation.scopes else {"auth": "session"}
    body = {"body_argument": arguments.body} if arguments.body else {}
    return {"method": operation.method, "path": operation.path, **access, **body}


def _fallback(document: Document, operation: Operation) -> dict[str, Any]:
    """Return the PATCH request that marks an object as deleted, if the document says that the API refuses DELETE."""
    if operation.method != "DELETE" or not document.is_refused(operation):
        return {}
    others = (other for other in document.operations.values() if other.path == operation.path)
    update = next((other for other in others if other.method == "PATCH"), None)
    body = flatten(document, document.request_schema(update) or {}) if update else {}
    if "deleted" not in body.get("properties", {}):
        return {}
    return {"fallback": {"status": 405, "method": "PATCH", "body": {"deleted": True}}}


def _project(arguments: Arguments) -> dict[str, Any] | None:
    if arguments.project is None:
        return None
    return {"$ref": _PROJECT, **({} if arguments.project == "project_id" else {"argument": arguments.project})}


def _rules(operation: Operation, arguments: Arguments) -> list[dict[str, Any]]:
    if operation.method != "PATCH" or not arguments.fields:
        return []
    alternatives: list[dict[str, Any]] = [{"required": [name]} for name in arguments.fields]
    if arguments.clear:
        alternatives.append({"properties": {arguments.clear: {"minItems": 1}}, "required": [arguments.clear]})
    return [{"message": "Name at least one field to change.", "when": {"anyOf": alternatives}}]


def _hints(document: Document, operation: Operation) -> dict[str, str]:
    """Return a hint for each documented status, and for those that every such endpoint can return."""
    hints = {"403": _HINTS["403"]}
    if "{" in operation.path:
        hints["404"] = _HINTS["404"]
    for status in document.responses(operation):
        described = _described(document, operation, status)
        if len(status) == 3 and status.startswith("4") and status.isdigit() and status != "405":
            hints[status] = described or _HINTS.get(status, f"The API refuses the call with status {status}.")
    if operation.method == "POST":
        hints["unknown"] = _UNKNOWN
    return dict(sorted(hints.items()))


def _described(document: Document, operation: Operation, status: str) -> str:
    response = document.resolve(operation.content["responses"][status])
    text = sentences(str(response.get("description") or ""), 200)
    return "" if text == "No response body." else text.replace("{", "{{").replace("}", "}}")


def _require_valid(operation: Operation, content: dict[str, Any]) -> None:
    decided = replace_references({**content, "review": []}, builtin_dir())
    try:
        parse(content["name"], with_confirmation(decided), operation.id)
    except DeclarationError as error:
        raise ConfigurationError(f"a declaration cannot describe this operation: {error}") from None
