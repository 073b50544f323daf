"""The operations of an OpenAPI document by method and path. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..declarations.endpoint import Endpoint
from .document import Document, Operation

PLACEHOLDER = re.compile(r"\{([^{}/]*)\}")


class Operations:
    """Finds operations. The names of placeholders in a path have no effect."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._operations = {
            (operation.method, _template(operation.path)): operation for operation in document.operations.values()
        }

    @property
    def have_scopes(self) -> bool:
        """Whether the document states the scopes of its operations at all."""
        return any(operation.scopes for operation in self._operations.values())

    def get(self, method: str, path: str) -> Operation | None:
        """Return an operation, or None if the document does not have it."""
        return self._operations.get((method, _template(path)))

    def methods(self, path: str) -> list[str]:
        """Return the methods of a path."""
        return sorted(method for method, template in self._operations if template == _template(path))

    def without_tool(self, endpoints: Mapping[str, Endpoint]) -> dict[str, list[Operation]]:
        """Return the operations that no tool has, by the name of the tool with the nearest path.

        Only operations at the path of a tool, or below it, are of interest. An operation that is sent as a fallback
        has a tool.
        """
        paths = {name: _template(endpoint.path) for name, endpoint in endpoints.items()}
        used = {(endpoint.method, paths[name]) for name, endpoint in endpoints.items()}
        used |= {(endpoint.fallback.method, paths[name]) for name, endpoint in endpoints.items() if endpoint.fallback}
        added: dict[str, list[Operation]] = {}
        for key in self._operations.keys() - used:
            above = [name for name, path in paths.items() if key[1].startswith(path)]
            if above:
                nearest = max(above, key=lambda name: len(paths[name]))
                added.setdefault(nearest, []).append(self._operations[key])
        return {name: sorted(others, key=lambda other: (other.path, other.method)) for name, others in added.items()}


def _template(path: str) -> str:
    return PLACEHOLDER.sub("{}", path)
