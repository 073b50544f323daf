"""From the API's answer to the model's. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Self

from ..declarations.model import Declaration
from ..jsonio import JSON, compact_json
from ..text import render

_NAMED_AT_MOST = 8
_NAME = re.compile(r"\w{1,40}", re.ASCII)


class CallResult(NamedTuple):
    """A JSON object, and the same as compact text, which is made once: its length counts, and it is what is sent."""

    value: dict[str, Any]
    text: str

    @classmethod
    def of(cls, value: dict[str, Any]) -> Self:
        """The value with its text."""
        return cls(value, compact_json(value))


def project_response(tool: Declaration, answer: Any, arguments: JSON, budget: int) -> CallResult:
    """The result of a call: what the output schema names, or everything where `detail` is full, within the budget.

    A page says where the next one starts (`next_offset`), a write what it did (`done`).

    Args:
        answer: A JSON object, or None where the API answered nothing.
        budget: Characters of the result as compact JSON.
    """
    whole = answer or {}
    full = arguments.get("detail") == "full"
    kept = whole if full else project(tool.output_schema, whole)
    done = {"done": said} if (said := _done(tool, arguments, whole)) else {}
    if _is_page(whole) and "results" in kept:
        return _page(tool, kept["results"], whole["count"], int(arguments.get("offset", 0)), budget)
    more = "detail=concise is shorter" if full else "raising CORE13_MAX_RESULT_CHARS makes room"
    return truncate({**kept, **done}, budget, keep={"done", *tool.output_schema.get("required", ())}, more=more)


def project(schema: JSON, value: Any) -> Any:
    """Keep of a value what a schema names, nulls and empties dropped; where it names nothing, keep all."""
    match value:
        case dict() if "properties" in schema:
            named, required = schema["properties"], schema.get("required", ())
            parts = {name: project(named[name], value[name]) for name in named if name in value}
            return {name: part for name, part in parts.items() if name in required or not _is_empty(part)}
        case list() if "items" in schema:
            return [project(schema["items"], part) for part in value]
        case _:
            return value


def truncate(value: dict[str, Any], budget: int, *, keep: set[str], more: str) -> CallResult:
    """Leave out the longest fields until the rest fits, and say which and what to do about it (`more`)."""
    whole = CallResult.of(value)
    if len(whole.text) <= budget:
        return whole
    longest_first = sorted(value.keys() - keep, key=lambda name: len(compact_json(value[name])), reverse=True)
    left_out: list[str] = []
    rest = dict(value)
    for name in longest_first:
        del rest[name]
        left_out.append(name)
        smaller = CallResult.of({**rest, "omitted": f"{_listed(left_out)}: too long for one result; {more}."})
        if len(smaller.text) <= budget:
            return smaller
    return CallResult.of(rest)


def _page(tool: Declaration, rows: list[Any], count: int, offset: int, budget: int) -> CallResult:
    """As many whole rows as fit; where some remain, on the API's side or on ours, where to go on."""
    left = budget - len(compact_json({"count": count, "next_offset": offset + len(rows), "results": []}))
    kept: list[CallResult] = []
    for row in map(CallResult.of, rows):
        left -= len(row.text) + 1
        if left < 0:
            break
        kept.append(row)
    if rows and not kept:
        # One row alone is too long: shortened, so that paging always moves on.
        more = "detail=concise is shorter, or ask for it alone"
        kept = [truncate(rows[0], left + len(compact_json(rows[0])), keep=_promised(tool), more=more)]
    following = offset + len(kept)
    onward = {"next_offset": following} if kept and following < max(count, offset + len(rows)) else {}
    around = {"count": count, **onward, "results": []}
    text = f"{compact_json(around)[:-2]}{','.join(row.text for row in kept)}]}}"
    return CallResult({**around, "results": [row.value for row in kept]}, text)


def _promised(tool: Declaration) -> set[str]:
    """What every row must have, by the output schema."""
    rows: JSON = tool.output_schema.get("properties", {}).get("results", {})
    return set(rows.get("items", {}).get("required", ()))


def _is_page(answer: dict[str, Any]) -> bool:
    rows, count = answer.get("results"), answer.get("count")
    return isinstance(rows, list) and isinstance(count, int) and all(isinstance(row, dict) for row in rows)


def _done(tool: Declaration, arguments: JSON, answer: Any) -> str | None:
    facts = {"arguments": dict(arguments), "answer": answer}
    said = next((done.message for done in tool.done if done.validator.is_valid(facts)), None)
    return said and render(said, **facts)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _listed(names: list[str]) -> str:
    # In an object of free form people choose the names, and could choose a sentence.
    shown = ", ".join(name if _NAME.fullmatch(name) else "a field" for name in names[:_NAMED_AT_MOST])
    more = len(names) - _NAMED_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown
