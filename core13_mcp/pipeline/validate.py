"""Checks arguments against a declaration and describes every error. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ..declarations.derivation import derive
from ..declarations.model import Declaration
from ..declarations.schema import SchemaError
from ..errors import InvalidArguments
from ..jsonio import JSON, json_error
from ..templates.language import fill
from ..text import did_you_mean, single_line
from .clearing import clearing_errors
from .text_checks import text_errors

_MAX_DESCRIPTION = 200


def invalid_arguments(tool: Declaration, errors: list[str], note: str = "") -> InvalidArguments:
    """Return one error that lists all errors of a call, so that they can be corrected at once.

    The note may quote text of other people, so it is in the first line.
    """
    count, it = (f"{len(errors)} invalid arguments", "them") if len(errors) > 1 else ("1 invalid argument", "it")
    listed = [f"({number}) {error}" for number, error in enumerate(errors, 1)] if len(errors) > 1 else errors
    return InvalidArguments(
        f"{tool.name}: {count}; nothing was sent. {note}".rstrip(),
        single_line(" ".join(listed), 2500),
        f"Correct {it} and call {tool.name} again.",
        field=errors[0].partition(":")[0] if ":" in errors[0] else None,
    )


def argument_errors(tool: Declaration, arguments: JSON) -> list[str]:
    """Describe every error of the arguments in one sentence each."""
    if json_error(arguments):  # a value that is not JSON cannot be validated either
        errors = ((name, json_error({name: value})) for name, value in arguments.items())
        return [f"{single_line(name, 60)}: {error}." for name, error in errors if error]
    schema, described = tool.input_validator, []
    if not schema.is_valid(arguments):  # much faster than `iter_errors`, and nearly always true
        described = [text for error in schema.iter_errors(arguments) for text in _describe_error(tool, error)]
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
