"""Compares what a tool reads and shows of a response with an OpenAPI document. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..declarations.files import OWN_NAMES
from ..declarations.model import Declaration
from ..jsonio import JSON
from .difference import Difference, is_free_form, listed
from .document import Document, Operation
from .flat import flatten


def compare_response(tool: Declaration, operations: Sequence[Operation], document: Document) -> Iterator[Difference]:
    """Yield the differences of the responses of a tool's operations: its own one, and that of its fallback."""
    responses = [pair for operation in operations for pair in document.responses(operation).items()]
    success = [(status, schema) for status, schema in responses if status.startswith("2")]
    yield from _compare_status(tool, {status for status, _ in success})
    schemas = [schema for _, schema in success if schema is not None]
    if not schemas:
        # The document does not describe the response.
        return
    body = flatten(document, {"anyOf": schemas})
    field = tool.evidence and tool.evidence.field
    if field and not is_free_form(body) and field not in body.get("properties", {}):
        message = f"The response does not have {field} in the document. Without it, no result reports success."
        yield Difference("breaks", "evidence.field", message)
    # An argument with the name of a statement is a property of the API.
    own = OWN_NAMES - tool.arguments.keys()
    shown = {name: part for name, part in tool.output_schema.get("properties", {}).items() if name not in own}
    yield from _compare_fields({"properties": shown}, body, "result", document)


def _compare_status(tool: Declaration, documented: set[str]) -> Iterator[Difference]:
    statuses = {str(status) for status in tool.evidence.status} if tool.evidence else set[str]()
    if statuses and documented and not statuses & documented and "2XX" not in documented:
        message = f"The statuses of success are {listed(documented)} in the document, but the tool expects {listed(statuses)}."
        yield Difference("breaks", "evidence.status", message)


def _compare_fields(own: JSON, documented: JSON, key: str, document: Document) -> Iterator[Difference]:
    parts = {
        name: part
        for name, part in documented.get("properties", {}).items()
        if document.resolve(part).get("writeOnly") is not True
    }
    for name, schema in own.get("properties", {}).items():
        if name in parts:
            yield from _compare_field(schema, flatten(document, parts[name]), f"{key}.{name}", document)
        elif not is_free_form(documented):
            message = f"The response does not have {name} in the document, but the result shows it."
            yield Difference("misleads", f"{key}.{name}", message)


def _compare_field(own: JSON, documented: JSON, key: str, document: Document) -> Iterator[Difference]:
    expected, actual = own.get("type"), documented.get("type")
    if expected and actual and expected != actual and (expected, actual) != ("number", "integer"):
        message = f"The response has the type {actual} in the document, but the result expects {expected}."
        yield Difference("misleads", f"{key}.type", message)
    elif "items" in own and "items" in documented:
        yield from _compare_field(own["items"], flatten(document, documented["items"]), key, document)
    else:
        yield from _compare_fields(own, documented, key, document)
