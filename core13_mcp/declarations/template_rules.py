"""Rules for the conditions and templates of a declaration: they use only values that exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..templates.language import paths
from ..text import did_you_mean
from .catalog import Catalog
from .model import Declaration
from .problems import Problem

# The names of a condition beside arguments.
_CONTEXT = frozenset({"derived", "response", "status", "method"})


def template_problems(tool: Declaration, catalog: Catalog) -> Iterator[Problem]:
    """Yield a problem for each name in a condition or a template that has no value."""
    yield from _condition_problems(tool)
    yield from _text_problems(tool)
    yield from _confirm_problems(tool, catalog)


def properties_in(condition: Any) -> set[str]:
    """Return every property that a condition mentions, at any depth."""
    match condition:
        case dict():
            properties = condition.get("properties", {})
            names = {*condition.get("required", ()), *properties}
            for name, others in condition.get("dependentRequired", {}).items():
                names |= {name, *others}
            named = ("properties", "required", "dependentRequired", "const")
            parts = [part for key, part in condition.items() if key not in named]
            return names.union(*map(properties_in, (*properties.values(), *parts)))
        case list():
            return set().union(*map(properties_in, condition))
        case _:
            return set()


def _condition_problems(tool: Declaration) -> Iterator[Problem]:
    names = {*tool.arguments, *_CONTEXT, *tool.derive}
    for key in ("rules", "checks", "confirm"):
        for index, part in enumerate(getattr(tool, key)):
            yield from _unknown(f"{key}.{index}.when", properties_in(part.when), names)
    results = {*names, "arguments", "answer", *tool.output_schema.get("properties", {})}
    for key in ("done", "notes"):
        for index, part in enumerate(getattr(tool, key)):
            yield from _unknown(f"{key}.{index}.when", properties_in(part.when), results)
    for index, check in enumerate(tool.checks):
        yield from _unknown(f"checks.{index}.argument", {check.argument}, tool.arguments)


def _text_problems(tool: Declaration) -> Iterator[Problem]:
    arguments = {f"arguments.{name}" for name in tool.arguments}
    for key in ("rules", "notes"):
        for index, part in enumerate(getattr(tool, key)):
            yield from _unknown(f"{key}.{index}.message", paths(part.message), tool.derive)
    for status, hint in tool.hints.items():
        yield from _unknown(f"hints.{status}", paths(hint), {*arguments, "scope", "field"})
    for index, part in enumerate(tool.done):
        names = {name for name in paths(part.message) if not name.startswith("answer.")}
        yield from _unknown(f"done.{index}.message", names, {*arguments, *tool.derive, "origin"})


def _confirm_problems(tool: Declaration, catalog: Catalog) -> Iterator[Problem]:
    arguments = {f"arguments.{name}" for name in tool.arguments}
    for index, part in enumerate(tool.confirm):
        names = paths(part.message) | paths(part.title or "")
        properties = _properties_of(part.read, catalog)
        if properties is None:
            # No tool declares the response, so its properties are not known.
            names = {name for name in names if not name.startswith("answer.")}
            yield from _unknown(f"confirm.{index}.message", names, arguments)
            continue
        answers = {f"answer.{name}" for name in properties}
        yield from _unknown(f"confirm.{index}.message", names, arguments | answers)
        yield from _unknown(f"confirm.{index}.answer", properties_in(part.answer), properties)


def _properties_of(path: str | None, catalog: Catalog) -> set[str] | None:
    """Return the properties that a tool declares for the response to a path: none without one, None without a tool."""
    if path is None:
        return set()
    readers = (tool for tool in catalog.values() if tool.endpoint.method == "GET" and tool.endpoint.path == path)
    return next((set(tool.output_schema.get("properties", ())) for tool in readers), None)


def _unknown(key: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    known = list(known)
    for name in sorted(set(names) - set(known)):
        fix = did_you_mean(name, known) or f"The names are {', '.join(sorted(known)) or 'none'}."
        yield Problem(key, f"{name} has no value", fix)
