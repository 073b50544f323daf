"""Properties of every call of every tool, with any arguments and any faults."""

from __future__ import annotations

import functools
import json
from typing import Any

import mcp_types as types
from jsonschema import Draft202012Validator

from core13_mcp.declarations.model import Declaration
from core13_mcp.jsonio import compact_json
from core13_mcp.redaction import REDACTED

from .harness import MAX_RESULT_CHARS, SECRETS, RowCounts

# Codes of errors after which the request may or may not have been applied.
AMBIGUOUS_CODES = frozenset({"outcome_unknown", "unavailable", "unreadable"})
EARLIER_ATTEMPT = "An earlier attempt"


class InvariantViolation(AssertionError):
    """An invariant does not hold: its name, and the details."""


def check_result(tool: Declaration, arguments: dict[str, Any], result: types.CallToolResult, log: str) -> str:
    """Check one result and return its code."""
    text = text_of(result)
    code = _check_error(result, text) if result.is_error else _check_success(tool, result, text)
    if len(text) > MAX_RESULT_CHARS:
        raise InvariantViolation("length", f"{len(text)} characters")
    if code == "failed" or '"level": "error"' in log or " error " in log:
        raise InvariantViolation("crash", f"{text} {log}")
    check_secrets(tool, arguments, result, log)
    return code


def check_secrets(tool: Declaration, arguments: dict[str, Any], result: types.CallToolResult | None, log: str) -> None:
    """Check that neither the result nor the log has a secret or a part of one."""
    dumped = result.model_dump(mode="json") if result else None
    output = json.dumps(dumped, ensure_ascii=False) + log + (text_of(result) if result else "")
    values = [arguments[name] for name in tool.secrets if isinstance(arguments.get(name), str)]
    for secret in [*SECRETS, *(value for value in values if len(value) >= 8)]:
        parts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], secret[:10]}
        if any(part in output for part in parts):
            raise InvariantViolation("leak", f"{secret!r} in {output}")
    for name in tool.secrets:
        generated = ((result and result.structured_content) or {}).get(name)
        if isinstance(generated, str) and len(generated) > 5 and generated != REDACTED and generated in log:
            raise InvariantViolation("leak", f"{name} in the log")


def text_of(result: types.CallToolResult) -> str:
    """Return the text that the model reads."""
    return "".join(part.text for part in result.content if isinstance(part, types.TextContent))


def check_effect(code: str, text: str, expected: RowCounts, added: RowCounts) -> None:
    """Check that a call had its effect once or not at all, and that its result says which.

    `expected` are the rows that the same call adds without faults, and `added` the rows that it added.
    """
    nothing = dict.fromkeys(added, 0)
    if added not in (nothing, expected):
        raise InvariantViolation("duplicate", f"{added} instead of {expected}: {code}: {text}")
    if code == "ok" and added != expected:
        raise InvariantViolation("false result", f"{added} instead of {expected} after a success: {text}")
    if code not in {"ok", *AMBIGUOUS_CODES} and EARLIER_ATTEMPT not in text and added != nothing:
        raise InvariantViolation("false result", f"{added} after {code}: {text}")


def _check_error(result: types.CallToolResult, text: str) -> str:
    details = dict(result.meta or {}).get("core13-mcp/error", {})
    if result.structured_content is not None or "code" not in details or not text or "Traceback" in text:
        raise InvariantViolation("form of an error", f"{result}")
    return str(details["code"])


def _check_success(tool: Declaration, result: types.CallToolResult, text: str) -> str:
    errors = list(_validator(compact_json(tool.output_schema)).iter_errors(result.structured_content))
    if errors:
        raise InvariantViolation("output schema", str(errors[0]))
    if text != compact_json(result.structured_content):
        raise InvariantViolation("text and structured content differ", text)
    json.loads(text, parse_constant=_refuse_constant)
    return "ok"


def _refuse_constant(name: str) -> None:
    raise InvariantViolation("not JSON", name)


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))
