"""Whether arguments fit a declaration, and if not, every fault in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ..declarations.model import Declaration
from ..declarations.schema import SchemaError
from ..errors import InvalidArguments
from ..jsonio import JSON, json_error
from ..text import closest, single_line, suggestions

_LONGEST = 200


def check(tool: Declaration, arguments: JSON) -> None:
    """Hold arguments against the schema, then against the rules.

    Raises:
        InvalidArguments: Naming every fault, so that one more try can mend them all.
    """
    raise_if_invalid(tool, argument_errors(tool, arguments))


def raise_if_invalid(tool: Declaration, wrong: list[str], aside: str = "") -> None:
    """Say everything that is wrong with a call, if anything is.

    Args:
        aside: What else to know. It stands in the first line, which may quote what other people wrote.

    Raises:
        InvalidArguments: Something is wrong.
    """
    if not wrong:
        return
    raise InvalidArguments(
        f"{tool.name}: {len(wrong)} {'fault' if len(wrong) == 1 else 'faults'} in the arguments; nothing was sent."
        + aside,
        single_line(" ".join(wrong if len(wrong) == 1 else (f"({n}) {say}" for n, say in enumerate(wrong, 1))), 2500),
        f"Correct {'it' if len(wrong) == 1 else 'them all'} and call {tool.name} again.",
        field=wrong[0].partition(":")[0] if ":" in wrong[0] else None,
    )


def argument_errors(tool: Declaration, arguments: JSON) -> list[str]:
    """Every fault, one sentence each; none where the arguments fit."""
    if json_error(arguments):  # and what cannot be written cannot be held against a schema either
        each = ((name, json_error({name: value})) for name, value in arguments.items())
        return [f"{single_line(name, 60)}: {why}." for name, why in each if why]
    fits = tool.input_validator.is_valid(arguments)  # much cheaper than listing no fault
    found = [] if fits else [say for fault in tool.input_validator.iter_errors(arguments) for say in _say(tool, fault)]
    return found + [rule.message for rule in tool.rules if not rule.validator.is_valid(arguments)]


def _say(tool: Declaration, fault: SchemaError) -> Iterator[str]:
    if fault.keyword == "additionalProperties" and not fault.path:
        yield from _unknown(tool, fault.properties)
    elif fault.keyword == "required" and not fault.path:
        yield from (f"{name}: missing. {_described(tool, name)}".rstrip() for name in fault.properties)
    else:
        name = fault.path.partition("[")[0].partition(".")[0]
        said = _misfit(fault, secret=name in tool.secrets)
        told = (f"{fault.path}: {said}", _described(tool, name, choices=not fault.properties), _default(tool, name))
        yield " ".join(filter(None, told))


def _default(tool: Declaration, name: str) -> str:
    schema = tool.arguments.get(name, {})
    return f"Left out, it is {schema['default']}." if "default" in schema else ""


def _misfit(fault: SchemaError, secret: bool) -> str:
    """The value, cut where it is long, and why it does not fit; of a secret only why."""
    if fault.keyword == "enum" and not secret:
        return _not_among(fault)
    given = json.dumps(fault.instance, ensure_ascii=False, separators=(",", ":"))
    told = fault.message.startswith(f"{given} ")  # as jsonschema-rs begins nearly every sentence
    why = fault.message.removeprefix(given) if told else "does not fit" if secret else fault.message
    shown = "the value" if secret else single_line(given, 60) if told else ""
    return f"{shown} {single_line(why, _LONGEST).rstrip('.')}.".lstrip()


def _not_among(fault: SchemaError) -> str:
    like = closest(fault.instance, fault.properties) if isinstance(fault.instance, str) else None
    meant = f' Did you mean "{like}"?' if like else ""
    return f"{single_line(json.dumps(fault.instance, ensure_ascii=False), 60)} is not one of {', '.join(fault.properties)}.{meant}"


def _unknown(tool: Declaration, names: Iterable[str]) -> Iterator[str]:
    """Why each has no place; those of which the same is to be said share the sentence."""
    together: dict[str, list[str]] = {}
    for name in names:
        together.setdefault(_why_not(tool, name), []).append(single_line(name, 60))
    return (f"{', '.join(sharing)}: {why}" for why, sharing in together.items())


def _why_not(tool: Declaration, name: str) -> str:
    if name in tool.documented:
        return f"not accepted. {tool.documented[name]}"
    known = list(tool.arguments)
    like = " or ".join(f'"{other}"' for other in suggestions(name, known))
    meant = f"Did you mean {like}?" if like else f"Known are: {', '.join(known) or 'none'}."
    return f"no such argument. {meant}"


def _described(tool: Declaration, name: str, *, choices: bool = True) -> str:
    """What the argument is, as the declaration says it: enough to correct the call without the schema."""
    schema = tool.arguments.get(name, {})
    told = f"One of {', '.join(map(str, schema['enum']))}." if choices and "enum" in schema else ""
    return single_line(f"{told} {schema.get('description', '')}", _LONGEST)
