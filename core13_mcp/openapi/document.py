"""An OpenAPI 3 document: its operations, with references resolved where they are used. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError
from ..text import did_you_mean, single_line

# The methods of operations, and the last word of the `operationId` that PostHog gives to such an operation.
METHODS = {"get": "retrieve", "post": "create", "put": "update", "patch": "partial_update", "delete": "destroy"}

# A reference that leads to another one, and so on. In PostHog's document there are 2.
_MAX_CHAIN = 20

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document.

    Attributes:
        id: The `operationId`, or words of the path. A number makes a repeated one unique.
        method: The HTTP method in upper case.
        content: The operation object, with references as they are.
        shared: The parameters of the path item, which all its operations have.
    """

    id: str
    method: str
    path: str
    content: Mapping[str, Any] = field(repr=False)
    shared: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that an API key needs, of all security requirements."""
        requirements = _list(self.content.get("security"))
        names = (name for entry in requirements for scopes in _dict(entry).values() for name in _list(scopes))
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


class Document:
    """An OpenAPI document.

    Args:
        content: The parsed JSON.
        source: The file or URL, for error messages.

    Raises:
        ConfigurationError: The content is not an OpenAPI 3 document. Methods raise it for a wrong reference.
    """

    def __init__(self, content: Any, source: str) -> None:
        version = _dict(content).get("openapi")
        if not (isinstance(version, str) and version.startswith("3.") and isinstance(content.get("paths"), dict)):
            problem = f"{source} is not an OpenAPI 3 document: it has no `openapi` version 3 or no `paths`"
            raise ConfigurationError(
                problem, "Name the document of the API, such as https://us.posthog.com/api/schema/."
            )
        self.source = source
        # What `flatten` returns for each reference, so that it follows each one once.
        self.flat_schemas: dict[str, dict[str, Any]] = {}
        self._content = content
        self._operations = {operation.id: operation for operation in self._iter_operations()}

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by id, in the order of the document."""
        return self._operations

    def operation(self, name: str) -> Operation:
        """Return the operation with an id. Hyphens are accepted instead of underscores."""
        operation = self._operations.get(name) or self._operations.get(name.replace("-", "_"))
        if operation:
            return operation
        fix = did_you_mean(name, self._operations) or "`core13-mcp draft --list WORD` finds operations."
        raise ConfigurationError(f"{self.source} has no operation {single_line(name, 100)!r}", fix)

    def resolve(self, node: Any) -> dict[str, Any]:
        """Return the object that a node is or refers to. Keys beside a `$ref` override those of its target."""
        siblings: dict[str, Any] = {}
        for _ in range(_MAX_CHAIN):
            node = _dict(node)
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return {**node, **siblings}
            siblings = {**{key: value for key, value in node.items() if key != "$ref"}, **siblings}
            node = self._lookup(reference)
        raise ConfigurationError(f"{self.source}: the $ref {single_line(str(node), 100)} never ends")

    def parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """Return the path, query and header parameters. Those of the operation replace those of its path."""
        own = _list(operation.content.get("parameters"))
        resolved = [self.resolve(parameter) for parameter in (*operation.shared, *own)]
        named = [item for item in resolved if isinstance(item.get("in"), str) and isinstance(item.get("name"), str)]
        return [self._as_sent(item) for item in {(item["in"], item["name"]): item for item in named}.values()]

    def is_refused(self, operation: Operation) -> bool:
        """Whether the API refuses the method: the only response is the status 405."""
        return list(_dict(operation.content.get("responses"))) == ["405"]

    def request_types(self, operation: Operation) -> list[str]:
        """Return the media types of the body of the request."""
        return list(self._content_of(operation.content.get("requestBody")))

    def response_types(self, operation: Operation) -> list[str]:
        """Return the media types of the bodies of the responses with a 2xx status."""
        responses = _dict(operation.content.get("responses")).items()
        success = (self._content_of(response) for status, response in responses if str(status).startswith("2"))
        return list(dict.fromkeys(name for content in success for name in content))

    def request_schema(self, operation: Operation) -> dict[str, Any] | None:
        """Return the schema of the JSON body of the request, or None if it has no body."""
        return self._json_schema(operation.content.get("requestBody"))

    def responses(self, operation: Operation) -> dict[str, dict[str, Any] | None]:
        """Return the schema of the JSON body by status, such as `200`, with None for a response without one."""
        responses = _dict(operation.content.get("responses"))
        return {str(status): self._json_schema(response) for status, response in responses.items()}

    def response_schema(self, operation: Operation) -> dict[str, Any] | None:
        """Return the schema of the JSON body of the first response with a 2xx status, or None."""
        responses = self.responses(operation)
        return next((responses[status] for status in sorted(responses) if status.startswith("2")), None)

    def _json_schema(self, node: Any) -> dict[str, Any] | None:
        schema = _dict(self._content_of(node).get(JSON_TYPE)).get("schema")
        return schema if isinstance(schema, dict) else None

    def _content_of(self, node: Any) -> dict[str, Any]:
        """Return the content of a body by media type, without parameters such as `charset`."""
        content = _dict(self.resolve(node).get("content"))
        return {name.partition(";")[0].strip().lower(): part for name, part in content.items()}

    def _as_sent(self, parameter: dict[str, Any]) -> dict[str, Any]:
        """Return a parameter with the schema of what is sent: a list in one value is a text with commas."""
        schema = self.resolve(parameter.get("schema"))
        if parameter.get("explode") is not False or schema.get("type") != "array":
            return parameter
        values = ", ".join(map(str, _list(self.resolve(schema.get("items")).get("enum"))))
        form = f"Comma-separated list of {values}." if values else "Comma-separated list."
        return {**parameter, "schema": {"type": "string", "description": f"{form} {parameter.get('description', '')}"}}

    def _iter_operations(self) -> Iterator[Operation]:
        ids = set[str]()
        shared = {"security": self._content["security"]} if "security" in self._content else {}
        for path, item in self._content["paths"].items():
            item = _dict(item)
            for method in (name for name in METHODS if name in item):
                content = {**shared, **_dict(item[method])}
                name = _unique(str(content.get("operationId") or _id_from_path(method, path)), ids)
                ids.add(name)
                yield Operation(name, method.upper(), path, content, tuple(_list(item.get("parameters"))))

    def _lookup(self, reference: str) -> Any:
        node: Any = self._content
        if not reference.startswith("#/"):
            raise ConfigurationError(f"{self.source}: the $ref {single_line(reference, 100)!r} is in another file")
        for step in reference[2:].split("/"):
            node = _dict(node).get(step.replace("~1", "/").replace("~0", "~"))
        if node is None:
            raise ConfigurationError(f"{self.source}: the $ref {single_line(reference, 100)!r} names nothing")
        return node


def _id_from_path(method: str, path: str) -> str:
    names = [part for part in path.removeprefix("/api/").split("/") if part and "{" not in part]
    is_list = method == "get" and not path.rstrip("/").endswith("}")
    return "_".join([*names, "list" if is_list else METHODS[method]])


def _unique(name: str, others: Collection[str]) -> str:
    number = 2
    unique = name
    while unique in others:
        unique, number = f"{name}_{number}", number + 1
    return unique


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
