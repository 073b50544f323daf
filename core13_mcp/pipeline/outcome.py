"""The outcome of a call, without secrets. Pure."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from ..errors import ToolError
from ..redaction import redact
from .projection import CallResult


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended.

    Attributes:
        result: The result, or the error.
        facts: Status, attempts, times and project of the call, for programs and the log.
    """

    result: CallResult | ToolError
    facts: dict[str, Any]

    @property
    def code(self) -> str:
        """The code of the error, or `ok`."""
        return str(self.result.details["code"]) if isinstance(self.result, ToolError) else "ok"

    def unwrap(self) -> CallResult:
        """Return the result.

        Raises:
            ToolError: The call failed.
        """
        if isinstance(self.result, ToolError):
            raise self.result
        return self.result


def redacted_result(result: CallResult, secrets: tuple[str, ...]) -> CallResult:
    """Return the result without secrets."""
    # The text holds every string of the value, and searching it is much cheaper than visiting each of them.
    # A secret stands there as JSON spells it.
    if not any(form in result.text for secret in secrets for form in (secret, encode_basestring(secret)[1:-1])):
        return result
    return CallResult.of(redact(result.value, secrets))


def redacted_error(error: ToolError, secrets: tuple[str, ...]) -> ToolError:
    """Return the error without secrets."""
    clean = copy.copy(error)
    clean.args = (redact(str(error), secrets),)
    clean.field = redact(error.field, secrets)
    return clean
