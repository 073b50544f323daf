"""From arguments to a request. Pure: nothing is sent here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from ..api.exchange import APIRequest
from ..declarations.model import Declaration, Endpoint
from ..errors import InvalidArguments
from ..jsonio import JSON

ENGINE_ARGUMENTS = frozenset({"detail"})
"""Arguments that tell this server how to answer, and are never sent."""


def with_defaults(tool: Declaration, arguments: JSON) -> dict[str, Any]:
    """The arguments, and the declared default of every one that was not given."""
    defaults = {name: schema["default"] for name, schema in tool.arguments.items() if "default" in schema}
    return {**defaults, **arguments}


def bind(tool: Declaration, arguments: JSON, context: JSON) -> APIRequest:
    """Put each argument in its place.

    What the path names goes there; the rest is the query of a GET or DELETE, or the body of a POST or
    PATCH. `context` fills what the path names and no argument gives.

    Raises:
        InvalidArguments: A value would leave its path segment.
    """
    endpoint = tool.endpoint
    known = {**context, **arguments}
    elsewhere = {*endpoint.placeholders, *ENGINE_ARGUMENTS, *context}
    rest = {name: value for name, value in known.items() if name not in elsewhere}
    in_query = endpoint.method in ("GET", "DELETE")
    return APIRequest(
        method=endpoint.method,
        path=expand_path(endpoint.path, endpoint.placeholders, known),
        query=rest if in_query else {},
        body=None if in_query else _body(endpoint, rest),
        auth=endpoint.auth,
        repeatable=tool.repeatable,
    )


def fallback_request(endpoint: Endpoint, request: APIRequest, status: int) -> APIRequest | None:
    """What to send after the API answered that it never does this; None where nothing is declared for that."""
    other = endpoint.fallback
    if other is None or other.status != status:
        return None
    return replace(request, method=other.method, query={}, body=other.body)


def expand_path(path: str, placeholders: tuple[str, ...], values: JSON) -> str:
    """Fill a path's placeholders, each value kept inside its own segment.

    Raises:
        InvalidArguments: A value is missing, empty, or a dot segment, which no quoting makes safe.
    """
    return path.format_map({name: _segment(name, values.get(name)) for name in placeholders})


def _segment(name: str, value: Any) -> str:
    # JSON Schema counts 1.0 as an integer; in a path it would be another resource.
    text = "" if value is None else str(int(value) if isinstance(value, float) and value.is_integer() else value)
    if text in ("", ".", ".."):
        raise InvalidArguments(f'{name}: "{text}" cannot stand in a path; nothing was sent.', field=name)
    return quote(text, safe="@")


def _body(endpoint: Endpoint, rest: dict[str, Any]) -> JSON | None:
    if endpoint.body_argument is not None:
        whole: JSON = rest[endpoint.body_argument]
        return whole
    return rest or None
