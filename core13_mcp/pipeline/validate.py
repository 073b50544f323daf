"""Checks arguments against a declaration and describes every error. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ..declarations.derivation import derive
from ..declarations.model import Declaration
from ..declarations.schema import SchemaError
from ..errors import InvalidArguments
from ..jsonio import JSON, json_error
from ..templates.language import fill
from ..text import did_you_mean, single_line
from .clearing import clearing_errors
from .masking import mask_urls
from .text_checks import text_errors

_MAX_DESCRIPTION = 200

# Errors in one message, and errors in the items of one array.
_MAX_ERRORS = 20
_MAX_ITEM_ERRORS = 10

# Items of an array, properties of an object and characters of a string that are searched for errors. The validator
# describes all errors at once, and each one takes as long as the size of its value.
_MAX_PARTS = 50
_MAX_TEXT = 5000


def invalid_arguments(tool: Declaration, errors: list[str], note: str = "") -> InvalidArguments:
    """Return one error that lists the errors of a call, so that they can be corrected at once.

    The note may quote text of other people, so it is in the first line.
    """
    listed, more = errors[:_MAX_ERRORS], len(errors) - _MAX_ERRORS
    if len(errors) > 1:
        listed = [f"({number}) {error}" for number, error in enumerate(listed, 1)]
    text = single_line(" ".join(listed), 2500) + (f" {more} more errors are not listed." if more > 0 else "")
    count, it = (f"{len(errors)} invalid arguments", "them") if len(errors) > 1 else ("1 invalid argument", "it")
    return InvalidArguments(
        f"{tool.name}: {count}; nothing was sent. {note}".rstrip(),
        mask_urls(text) if tool.mask else text,
        f"Correct {it} and call {tool.name} again.",
        field=single_line(errors[0].partition(":")[0].partition(", ")[0], 60) if ":" in errors[0] else None,
    )


def argument_errors(tool: Declaration, arguments: JSON) -> list[str]:
    """Describe the errors of the arguments in one sentence each. Takes time linear in their size."""
    unknown = [name for name in arguments if name not in tool.arguments]
    accepts_any = tool.input_schema.get("additionalProperties") is not False
    surplus = frozenset(() if accepts_any else unknown[_MAX_ERRORS:])
    if not surplus:
        return _all_errors(tool, arguments)
    errors = _all_errors(tool, {name: value for name, value in arguments.items() if name not in surplus})
    return [*errors, f"{len(surplus)} more unknown arguments."]


def _all_errors(tool: Declaration, arguments: JSON) -> list[str]:
    if json_error(arguments):  # a value that is not JSON cannot be validated either
        errors = ((name, json_error({name: value})) for name, value in arguments.items())
        return [f"{single_line(name, 60)}: {error}." for name, error in errors if error]
    # `is_valid` is much faster than the search for errors, and nearly always true.
    described = [] if tool.input_validator.is_valid(arguments) else list(_schema_errors(tool, arguments))
    return [
        *described,
        *text_errors(tool, arguments),
        *clearing_errors(tool, arguments),
        *_rule_errors(tool, arguments),
    ]


def _rule_errors(tool: Declaration, arguments: JSON) -> Iterator[str]:
    """Yield the message of every rule that the arguments or the values derived from them violate."""
    derived = derive(tool.derive, arguments)
    facts = {**arguments, "derived": derived} if tool.derive else arguments
    for rule in tool.rules:
        if not rule.validator.is_valid(facts):
            # Without derived values, a message is plain text, which may contain braces.
            yield fill(rule.message, **derived) if tool.derive else rule.message


def _schema_errors(tool: Declaration, arguments: JSON) -> Iterator[str]:
    errors = list(tool.input_validator.iter_errors({name: _excerpt(value) for name, value in arguments.items()}))
    item_errors: Counter[str] = Counter()
    # If the excerpt is valid, the first error is in another part.
    for error in errors or tool.input_validator.first_error(arguments):
        array, bracket, _ = error.path.partition("[")
        item_errors[array] += bool(bracket)
        if not bracket or item_errors[array] <= _MAX_ITEM_ERRORS:
            yield from _describe_error(tool, error)
    for array, count in item_errors.items():
        if count > _MAX_ITEM_ERRORS:
            yield f"{array}: {count - _MAX_ITEM_ERRORS} more errors in its first {_MAX_PARTS} items."


def _excerpt(value: Any) -> Any:
    """Return the start of a value, so that the number and the size of its errors have a limit."""
    match value:
        case str():
            return value[:_MAX_TEXT]
        case list():
            return [_excerpt(part) for part in value[:_MAX_PARTS]]
        case dict():
            return {name[:_MAX_TEXT]: _excerpt(part) for name, part in islice(value.items(), _MAX_PARTS)}
        case _:
            return value


def _describe_error(tool: Declaration, error: SchemaError) -> Iterator[str]:
    if error.keyword == "additionalProperties" and not error.path:
        yield from _unknown_arguments(tool, error.properties)
    elif error.keyword == "required" and not error.path:
        yield from (f"{name}: missing. {_describe_argument(tool, name)}".rstrip() for name in error.properties)
    else:
        name = error.path.partition("[")[0].partition(".")[0]
        mismatch = _describe_mismatch(error, secret=name in tool.secrets)
        argument = _describe_argument(tool, name, with_choices=not error.properties)
        schema = tool.arguments.get(name, {})
        default = f"The default is {schema['default']}." if "default" in schema else ""
        yield " ".join(filter(None, (f"{error.path}: {mismatch}", argument, default)))


def _describe_mismatch(error: SchemaError, secret: bool) -> str:
    """Return the shortened value and why it is invalid; for a secret, only why."""
    if error.keyword == "enum" and not secret:
        value = single_line(json.dumps(error.instance, ensure_ascii=False), 60)
        suggestion = did_you_mean(error.instance, error.properties) if isinstance(error.instance, str) else ""
        return f"{value} is not one of {', '.join(error.properties)}. {suggestion}".rstrip()
    value = json.dumps(error.instance, ensure_ascii=False, separators=(",", ":"))
    # jsonschema-rs begins nearly every message with the value.
    quoted = error.message.startswith(f"{value} ")
    reason = error.message.removeprefix(value) if quoted else "does not match" if secret else error.message
    subject = "the value" if secret else single_line(value, 60) if quoted else ""
    return f"{subject} {single_line(reason, _MAX_DESCRIPTION).rstrip('.')}.".lstrip()


def _unknown_arguments(tool: Declaration, names: Iterable[str]) -> Iterator[str]:
    """Describe unknown arguments; names with the same description share a sentence."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_describe_unknown(tool, name), []).append(single_line(name, 60))
    return (f"{', '.join(group)}: {description}" for description, group in groups.items())


def _describe_unknown(tool: Declaration, name: str) -> str:
    if name in tool.documented:
        return f"not accepted. {tool.documented[name]}"
    hint = did_you_mean(name, tool.arguments) or f"Arguments: {', '.join(tool.arguments) or 'none'}."
    return f"no such argument. {hint}"


def _describe_argument(tool: Declaration, name: str, *, with_choices: bool = True) -> str:
    """Return the declared choices and the description of an argument."""
    schema = tool.arguments.get(name, {})
    choices = f"One of {', '.join(map(str, schema['enum']))}." if with_choices and "enum" in schema else ""
    return single_line(f"{choices} {schema.get('description', '')}", _MAX_DESCRIPTION)
