"""Builds the request of a call from its arguments. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..api.exchange import APIRequest
from ..declarations.model import Declaration
from ..declarations.paths import PLACEHOLDER
from ..errors import InvalidArguments
from ..jsonio import JSON, compact_json
from .clearing import cleared_fields


def bind(tool: Declaration, arguments: JSON, project: int | str | None) -> APIRequest:
    """Build the request of a call. Arguments outside the path are its query or, for a POST or PATCH, its body."""
    endpoint = tool.endpoint
    # `detail` and the argument that clears fields are for this server and not sent to the API.
    elsewhere = {*endpoint.placeholders, "detail", tool.clear}
    other = {name: value for name, value in arguments.items() if name not in elsewhere}
    other |= dict.fromkeys(cleared_fields(tool, arguments))
    has_query = endpoint.method in ("GET", "DELETE")
    # An empty object as the whole body is sent. Without arguments, there is no body.
    body = arguments[endpoint.body_argument] if endpoint.body_argument else other or None
    return APIRequest(
        method=endpoint.method,
        path=expand_path(endpoint.path, path_values(tool, arguments, project)),
        query={name: _query_value(value) for name, value in other.items()} if has_query else {},
        body=None if has_query else body,
        auth=endpoint.auth,
        repeatable=tool.repeatable,
    )


def _query_value(value: Any) -> Any:
    """Return a value of a query: an object as JSON text, and a list as one value for each of its items."""
    match value:
        case dict():
            return compact_json(value)
        case list():
            return [_query_value(item) for item in value]
        case _:
            return value


def path_values(tool: Declaration, arguments: JSON, project: int | str | None) -> JSON:
    """Return the values for the placeholders of a path."""
    return {**({tool.project.argument: project} if tool.project else {}), **arguments}


def expand_path(path: str, values: JSON) -> str:
    """Replace the placeholders of a path by quoted values.

    Raises:
        InvalidArguments: A value is missing, empty, or a dot segment, which quoting does not make safe.
    """
    return PLACEHOLDER.sub(lambda match: _segment(match[1], values.get(match[1])), path)


def _segment(name: str, value: Any) -> str:
    # JSON Schema accepts 1.0 as an integer, but in a path it would name another resource.
    text = "" if value is None else str(int(value) if isinstance(value, float) and value.is_integer() else value)
    if text in ("", ".", ".."):
        raise InvalidArguments(f'{name}: "{text}" cannot be a part of a path; nothing was sent.', field=name)
    return quote(text, safe="@")
