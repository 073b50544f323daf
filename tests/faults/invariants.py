"""What holds for every call of every tool, whatever is asked and whatever happens on the way."""

from __future__ import annotations

import functools
import json
from typing import Any

import mcp_types as types
from jsonschema import Draft202012Validator

from core13_mcp.declarations.model import Declaration
from core13_mcp.jsonio import compact_json

from .harness import BUDGET, SECRETS, Counts

NOTHING_HAPPENED = frozenset({"invalid_arguments", "declined", "confirmation_required", "confirmation_stale"})
UNCLEAR = frozenset({"outcome_unknown", "unavailable", "unreadable"})
EARLIER = "An earlier try"


class Broken(AssertionError):
    """A law does not hold: which one, and how."""

    def __init__(self, law: str, told: str) -> None:
        super().__init__(f"{law}: {told}")
        self.law = law


def hold(tool: Declaration, arguments: dict[str, Any], result: types.CallToolResult, log: str) -> str:
    """Hold one result against everything that is promised of a result, and return its code.

    Raises:
        Broken: A law does not hold.
    """
    text = result.content[0].text if isinstance(result.content[0], types.TextContent) else ""
    code = _error(result, text) if result.is_error else _success(tool, result, text)
    if len(text) > BUDGET:
        raise Broken("budget", f"{len(text)} characters")
    if code == "failed" or '"level": "error"' in log or " error " in log:
        raise Broken("crash", f"{text} {log}")
    no_leak(tool, arguments, result, log)
    return code


def no_leak(tool: Declaration, arguments: dict[str, Any], result: types.CallToolResult | None, log: str) -> None:
    """No secret in what the client reads or what is logged.

    Raises:
        Broken: There is one, or a piece of one.
    """
    dumped = result.model_dump(mode="json") if result else None
    shown = json.dumps(dumped, ensure_ascii=False) + log + (text_of(result) if result else "")
    given = [arguments[name] for name in tool.secrets if isinstance(arguments.get(name), str)]
    for secret in [*SECRETS, *(value for value in given if len(value) >= 8)]:
        pieces = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], secret[:10]}
        if any(piece in shown for piece in pieces):
            raise Broken("leak", f"{secret!r} in {shown}")
    for name in tool.secrets:
        made = ((result and result.structured_content) or {}).get(name)
        if isinstance(made, str) and len(made) > 5 and made != "[withheld]" and made in log:
            raise Broken("leak", f"{name} in the log")


def text_of(result: types.CallToolResult) -> str:
    """What the model reads."""
    return "".join(part.text for part in result.content if isinstance(part, types.TextContent))


def happened(code: str, text: str, asked: Counts, found: Counts) -> None:
    """What came of a call is what was asked for, or nothing; never more, and nothing else than the result says.

    Args:
        asked: The rows that the same call adds where nothing goes wrong.
        found: The rows that it did add.

    Raises:
        Broken: Something was done twice, or the result says something else than what happened.
    """
    nothing = dict.fromkeys(found, 0)
    if found not in (nothing, asked):
        raise Broken("twice", f"{found} instead of {asked}: {code}: {text}")
    if code == "ok" and found != asked:
        raise Broken("untrue", f"{found} instead of {asked}, and yet: {text}")
    if code not in {"ok", *UNCLEAR} and EARLIER not in text and found != nothing:
        raise Broken("untrue", f"{found}, and yet: {code}: {text}")


def _error(result: types.CallToolResult, text: str) -> str:
    meta = dict(result.meta or {})
    facts = meta.get("core13-mcp/error", {})
    if result.structured_content is not None or "code" not in facts or not text or "Traceback" in text:
        raise Broken("shape of an error", f"{result}")
    return str(facts["code"])


def _success(tool: Declaration, result: types.CallToolResult, text: str) -> str:
    wrong = list(_judge(tool.name, compact_json(tool.output_schema)).iter_errors(result.structured_content))
    if wrong:
        raise Broken("output schema", str(wrong[0]))
    if text != compact_json(result.structured_content):
        raise Broken("two truths", text)
    json.loads(text, parse_constant=_no_constant)
    return "ok"


def _no_constant(name: str) -> None:
    raise Broken("not JSON", name)


@functools.cache
def _judge(_: str, schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))
