"""Makes a response with an unexpected form fit the output schema, and says what did not fit. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..declarations.model import Declaration
from ..jsonio import JSON, compact_json
from ..text import quote

_TYPES: dict[str, type] = {"integer": int, "string": str, "boolean": bool, "array": list, "object": dict}
_MAX_LISTED = 10
_MAX_VALUE = 60
# Characters of a field in a list, about.
_LISTED_CHARS = 100
# Characters of a response that is passed on as text.
_MAX_TEXT = 2000


class Reply(NamedTuple):
    """A 2xx response: the request's method, which differs if a fallback was sent, and the JSON value, if any.

    `before` is the value that was read for a question about the call, and `origin` that of the API.
    """

    status: int
    method: str
    value: Any
    before: Any = None
    origin: str = ""


class Fitting(NamedTuple):
    """The part of a response that fits the output schema, and a remark on the rest, or an empty string."""

    value: dict[str, Any]
    remark: str


class _Part(NamedTuple):
    """A part of a response, and its dotted path."""

    path: str
    value: Any


def fit_response(tool: Declaration, value: Any, max_chars: int) -> Fitting:
    """Return the part of a JSON value that fits the output schema of a tool.

    A value with nothing that is expected is passed on as text in the remark, which has about `max_chars` characters
    at most.
    """
    evidence = tool.evidence
    expected = value is None or isinstance(value, dict)
    if not expected or (evidence and evidence.field and (value or {}).get(evidence.field) is None):
        text = "an empty body" if value is None else quote(compact_json(value), min(_MAX_TEXT, max_chars))
        remark = f"The API answered in an unexpected form: {text}."
        return Fitting(_fit(tool.output_schema, value, "")[0] if expected and value else {}, remark)
    if not value or tool.output_validator.is_valid({"done": "", **value}):
        return Fitting(value or {}, "")
    fitting, unexpected = _fit(tool.output_schema, value, "")
    return Fitting(fitting, _remark(unexpected, max_chars))


def _remark(unexpected: list[_Part], max_chars: int) -> str:
    if not unexpected:
        return ""
    shown = unexpected[: min(_MAX_LISTED, max_chars // _LISTED_CHARS)]
    listed = [f"{part.path}: {quote(compact_json(part.value), _MAX_VALUE)}" for part in shown]
    more = f" and {len(unexpected) - len(listed)} more" if len(unexpected) > len(listed) else ""
    return f"The API returned these fields in an unexpected form: {', '.join(listed)}{more}."


def _fit(schema: JSON, value: Any, path: str) -> tuple[Any, list[_Part]]:
    """Return a value without the parts that have another type than in the schema, and these parts."""
    if isinstance(value, list):
        rows = [(_accepts(schema.get("items", {}), row), row) for row in value]
        fitted = [_fit(schema.get("items", {}), row, path) for accepted, row in rows if accepted]
        wrong = [_Part(path, row) for accepted, row in rows if not accepted]
        return [row for row, _ in fitted], [*wrong, *(name for _, names in fitted for name in names)]
    properties = schema.get("properties")
    if not isinstance(value, dict) or not properties:
        return value, []
    result, unexpected = dict[str, Any](), list[_Part]()
    for name, part in value.items():
        inner, where = properties.get(name, {}), f"{path}.{name}".lstrip(".")
        if _accepts(inner, part):
            result[name], names = _fit(inner, part, where)
            unexpected += names
        elif part is not None:
            unexpected.append(_Part(where, part))
    return result, unexpected


def _accepts(schema: JSON, value: Any) -> bool:
    kind = _TYPES.get(schema.get("type", ""))
    return kind is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool)))
