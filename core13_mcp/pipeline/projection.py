"""Reduces a response to the result that the model reads. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from ..declarations.derivation import derive
from ..declarations.files import OWN_NAMES
from ..declarations.model import Declaration
from ..jsonio import JSON, compact_json
from ..templates.language import fill
from .tolerance import Reply, fit_response

_MAX_NAMES = 8

_PLAIN_NAME = re.compile(r"\w{1,40}", re.ASCII)


class CallResult(NamedTuple):
    """A JSON object and its compact text, which is measured, searched and sent."""

    value: dict[str, Any]
    text: str

    @classmethod
    def of(cls, value: dict[str, Any]) -> Self:
        """Return the object with its text."""
        return cls(value, compact_json(value))


def project_response(tool: Declaration, reply: Reply, arguments: JSON, max_chars: int, note: str = "") -> CallResult:
    """Return the result of a call in at most `max_chars` characters.

    It has the fields of the output schema, or all fields if `detail` is full. A page also has `next_offset` if there
    are more rows. A write also has `done`, which describes its effect, and `note` if there is one. The note also says what
    the API returned in an unexpected form.
    """
    # The rest is for the fields and the other texts.
    fitting = fit_response(tool, reply.value, max_chars // 4)
    whole = _rename_own(tool, fitting.value)
    is_full = arguments.get("detail") == "full"
    schema: JSON = {} if is_full else tool.output_schema
    facts = _facts(tool, reply, arguments, whole)
    note = " ".join(filter(None, (*_notes(tool, facts), note, fitting.remark)))
    if _is_page(schema, whole):
        page = {**whole, "note": note} if note else whole
        return _page(tool, schema, page, int(arguments.get("offset", 0)), max_chars)
    # A cleared field is shown as null, so that the result shows that it is empty.
    cleared = [name for name in arguments.get(tool.clear or "", ()) if name in whole]
    fields = {**project(schema, _present(tool, whole)), **{name: whole[name] for name in cleared}}
    added = {"done": _done(tool, facts), "note": note}
    remedy = "detail=concise is shorter" if is_full else "raising CORE13_MAX_RESULT_CHARS makes room"
    keep = {*added, tool.evidence.field or ""} if tool.evidence else {*added}
    return truncate(
        {**fields, **{name: text for name, text in added.items() if text}}, max_chars, keep=keep, remedy=remedy
    )


def _facts(tool: Declaration, reply: Reply, arguments: JSON, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the values for conditions and messages. Derived values are also texts of this server, by name."""
    derived = derive(tool.derive, arguments, answer, reply.before)
    return {
        "arguments": dict(arguments),
        "answer": answer,
        "derived": derived,
        "response": {"status": reply.status, "method": reply.method},
        "origin": reply.origin,
    }


def _rename_own(tool: Declaration, value: dict[str, Any]) -> dict[str, Any]:
    """Rename the properties of the API with the name of a statement of this server, which they could imitate."""
    # An argument with the same name, such as a note, is a property of the API.
    own = value.keys() & (OWN_NAMES - tool.arguments.keys())
    return {f"{name} (API)" if name in own else name: part for name, part in value.items()} if own else value


def _present(tool: Declaration, value: dict[str, Any]) -> dict[str, Any]:
    """Replace the computed fields of an object, and remove those that its state makes misleading."""
    computed = derive(tool.show, {}, value)
    hidden = {part.field for part in tool.hide if part.field in value and part.validator.is_valid(value)}
    return {name: computed.get(name, part) for name, part in value.items() if name not in hidden}


def project(schema: JSON, value: Any) -> Any:
    """Keep the properties that a schema names, if it names any, without optional nulls and empty values."""
    if isinstance(value, list) and "items" in schema:
        return [project(schema["items"], part) for part in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    required = schema.get("required", ())
    parts = {name: project(part, value[name]) for name, part in schema["properties"].items() if name in value}
    # Zero and false are values, and not empty.
    return {name: part for name, part in parts.items() if part or isinstance(part, (int, float)) or name in required}


def truncate(value: dict[str, Any], max_chars: int, *, keep: set[str], remedy: str) -> CallResult:
    """Remove the longest fields until the rest fits, and name them and the remedy in `omitted`."""
    whole = CallResult.of(value)
    if len(whole.text) <= max_chars:
        return whole
    lengths = {name: len(compact_json({name: part})) - 1 for name, part in value.items()}
    by_length: dict[int, list[str]] = {}
    for name in value.keys() - keep:
        by_length.setdefault(lengths[name], []).append(name)
    # There are far fewer lengths than fields. To sort all fields would keep other threads waiting.
    longest_first = [name for length in sorted(by_length, reverse=True) for name in by_length[length]]
    rest, length = dict(value), len(whole.text)
    for count, name in enumerate(longest_first, 1):
        del rest[name]
        length -= lengths[name]
        # Serialize the rest only if it fits without `omitted`, so that all fields together take linear time.
        if length <= max_chars:
            omitted = f"{_listed(longest_first, count)}: too long for one result; {remedy}."
            shorter = CallResult.of({**rest, "omitted": omitted})
            if len(shorter.text) <= max_chars:
                return shorter
    return CallResult.of(rest)


def _page(tool: Declaration, schema: JSON, page: dict[str, Any], offset: int, max_chars: int) -> CallResult:
    rows, count, row_schema = page["results"], page.get("count"), _row_schema(schema)
    own: dict[str, Any] = {name: page[name] for name in ("count", "note") if name in page}
    remaining = max_chars - len(compact_json({**own, "next_offset": offset + len(rows), "results": []}))
    fitting: list[CallResult] = []
    for row in rows:
        result = CallResult.of(project(row_schema, _present(tool, _rename_own(tool, row))))
        remaining -= len(result.text) + 1
        if remaining < 0:
            break
        fitting.append(result)
    if rows and not fitting:
        # The first row alone is too long. It is shortened, so that every page has a row and paging ends.
        keep = {tool.evidence.row or ""} if tool.evidence else set[str]()
        remedy = "detail=concise is shorter, or ask for it alone"
        fitting = [truncate(result.value, remaining + len(result.text), keep=keep, remedy=remedy)]
    next_offset = offset + len(fitting)
    has_more = fitting and next_offset < max(count or 0, offset + len(rows))
    rest = {**own, **({"next_offset": next_offset} if has_more else {}), "results": []}
    text = f"{compact_json(rest)[:-2]}{','.join(row.text for row in fitting)}]}}"
    return CallResult({**rest, "results": [row.value for row in fitting]}, text)


def _row_schema(schema: JSON) -> Any:
    return schema.get("properties", {}).get("results", {}).get("items", {})


def _is_page(schema: JSON, response: dict[str, Any]) -> bool:
    """Whether the response is a page, and the projection keeps its rows."""
    rows, properties = response.get("results"), schema.get("properties", {"results": {}})
    if not isinstance(rows, list) or "results" not in properties:
        return False
    return all(isinstance(row, dict) for row in rows)


def _done(tool: Declaration, facts: dict[str, Any]) -> str | None:
    template = next((done.message for done in tool.done if done.validator.is_valid(facts)), None)
    return template and fill(template, **facts["derived"], **facts)


def _notes(tool: Declaration, facts: dict[str, Any]) -> Iterator[str]:
    return (fill(note.message, **facts["derived"]) for note in tool.notes if note.validator.is_valid(facts))


def _listed(names: list[str], count: int) -> str:
    # In a free-form object, people choose the names, and could choose a sentence.
    shown = ", ".join(name if _PLAIN_NAME.fullmatch(name) else "a field" for name in names[: min(count, _MAX_NAMES)])
    more = count - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
