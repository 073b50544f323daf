"""Describes the faults in the text of arguments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from ..declarations.model import Declaration
from ..declarations.text_check import TextCheck
from ..jsonio import JSON
from ..text import INVISIBLE

_MAX_ENTRIES = 10
_MAX_SHOWN = 80

# Characters that a person does not see in one line of text.
_HIDDEN = re.compile(f"{INVISIBLE.pattern}|[\t\n\r]")
_NOT_PLAIN = re.compile(rf"{_HIDDEN.pattern}|[^\S ]")


def text_errors(tool: Declaration, arguments: JSON) -> list[str]:
    """Describe the arguments with a text that is not in the declared form."""
    errors = []
    for check in tool.checks:
        text = arguments.get(check.argument)
        if not isinstance(text, str) or len(text) > tool.arguments[check.argument].get("maxLength", len(text)):
            # The search of a text that is too long anyway would block other calls.
            continue
        if check.validator.is_valid(arguments):
            faults = list(islice(_faults(check, text, secret=check.argument in tool.secrets), _MAX_ENTRIES + 1))
            more = "; and more" if len(faults) > _MAX_ENTRIES else ""
            if faults:
                errors.append(f"{check.argument}: {'; '.join(faults[:_MAX_ENTRIES])}{more}. {check.message}")
    return errors


def _faults(check: TextCheck, text: str, secret: bool) -> Iterator[str]:
    """Yield the first fault of each entry."""
    has_hidden = check.visible and _HIDDEN.search(text)
    for entry in text.split(check.separator) if check.separator else (text,):
        fault = _first_fault(check, entry) if has_hidden or check.regex.search(entry) else None
        if fault is not None:
            yield f"{'the value' if secret else _shown(entry)} {fault}"


def _first_fault(check: TextCheck, entry: str) -> str | None:
    hidden = _HIDDEN.search(entry) if check.visible else None
    if hidden:
        return f"contains the invisible character U+{ord(hidden[0]):04X}"
    for fault in check.faults:
        match = fault.regex.search(entry)
        if match:
            return fault.message.replace("{character}", _describe(match[0][:1]))
    return None


def _describe(character: str) -> str:
    if character == " ":
        return "a space"
    return f"U+{ord(character):04X}" if character and not character.isprintable() else f"the character {character}"


def _shown(entry: str) -> str:
    plain = _NOT_PLAIN.sub(lambda match: f"<U+{ord(match[0]):04X}>", entry[: _MAX_SHOWN + 1]).replace('"', "'")
    return f'"{plain}"' if len(plain) <= _MAX_SHOWN else f'"{plain[: _MAX_SHOWN - 1]}…"'
