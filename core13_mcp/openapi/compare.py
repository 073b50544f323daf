"""Compares declarations with an OpenAPI document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..declarations.drift import AcceptedDifference
from ..declarations.model import Declaration
from .difference import Difference
from .document import Document
from .operations import Operations
from .requests import compare_fallback, compare_request, compare_scope
from .results import compare_response


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference of a tool, and the entry of its declaration that accepts it, if there is one."""

    tool: str
    difference: Difference
    accepted: AcceptedDifference | None = None


def compare(catalog: Mapping[str, Declaration], document: Document) -> list[Finding]:
    """Return the differences between declarations and a document, accepted ones too, in the order of the tools."""
    operations = Operations(document)
    added = operations.without_tool({name: tool.endpoint for name, tool in catalog.items()})
    findings = list[Finding]()
    for name, tool in catalog.items():
        new = (_new(operation.method, operation.path) for operation in added.get(name, ()))
        findings += _accept(tool, [*_compare_tool(tool, operations), *new])
    return findings


def _new(method: str, path: str) -> Difference:
    return Difference("new", f"operation {method} {path}", f"The document has {method} {path}, but no tool has it.")


def _compare_tool(tool: Declaration, operations: Operations) -> Iterator[Difference]:
    endpoint, document = tool.endpoint, operations.document
    operation = operations.get(endpoint.method, endpoint.path)
    if operation is None:
        others = operations.methods(endpoint.path)
        hint = f"; it has {', '.join(others)} for this path" if others else ""
        yield Difference("breaks", "operation", f"The document does not have {endpoint.method} {endpoint.path}{hint}.")
        return
    if operation.content.get("deprecated") is True:
        yield Difference("misleads", "operation.deprecated", "The document marks the operation as deprecated.")
    fallback = operations.get(endpoint.fallback.method, endpoint.path) if endpoint.fallback else None
    yield from compare_scope(tool, operation, operations.have_scopes)
    yield from compare_request(tool, operation, document)
    yield from compare_fallback(tool, fallback, document)
    yield from compare_response(tool, [operation, *([fallback] if fallback else [])], document)


def _accept(tool: Declaration, differences: Iterable[Difference]) -> Iterator[Finding]:
    unused = list(tool.drift)
    is_removed = False
    for difference in differences:
        is_removed = is_removed or difference.key == "operation"
        accepted = next((entry for entry in tool.drift if fnmatchcase(difference.key, entry.difference)), None)
        unused = [entry for entry in unused if entry is not accepted]
        yield Finding(tool.name, difference, accepted)
    for entry in unused:
        # Nothing of a removed operation is compared.
        if entry.versions == "all" and not is_removed:
            yield Finding(tool.name, _stale(entry.difference))


def _stale(key: str) -> Difference:
    message = "The document does not have this difference. Remove it from `drift`, or set its `versions` to `some`."
    return Difference("misleads", f"drift.{key}", message)
