"""Compares the values that a tool sends with those that an OpenAPI document allows. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from ..jsonio import JSON
from .constraints import compare_constraints
from .difference import Difference, is_free_form
from .document import Document
from .flat import flatten


class Comparison(NamedTuple):
    """How the values of a tool are compared with a document.

    Attributes:
        is_text: Whether the values are sent as text, in a path or a query.
        ignored: The names of parameters that the tool does not offer on purpose.
    """

    document: Document
    is_text: bool = False
    ignored: AbstractSet[str] = frozenset()


def compare_object(own: JSON, documented: JSON, key: str, comparison: Comparison) -> Iterator[Difference]:
    """Yield the differences of an object: the arguments of a tool, or one of them.

    Args:
        own: The schema of the declaration, with `properties`.
        documented: The schema of the document, as `flatten` returns it.
    """
    resolve = comparison.document.resolve
    parts = {
        name: part
        for name, part in documented.get("properties", {}).items()
        if resolve(part).get("readOnly") is not True
    }
    required = set(documented.get("required", ())) & parts.keys()
    for name, schema in own["properties"].items():
        if name in parts:
            flat = flatten(comparison.document, parts[name])
            yield from compare_value(schema, flat, f"{key}.{name}", comparison)
            yield from _compare_required(name, own, required, f"{key}.{name}.required")
        elif not is_free_form(documented):
            yield _unknown(name, f"{key}.{name}", documented)
    yield from _missing(parts.keys() - own["properties"].keys(), required, key, comparison.ignored)


def compare_value(own: JSON, documented: JSON, key: str, comparison: Comparison) -> Iterator[Difference]:
    """Yield the differences of the values that a tool accepts and that a document allows."""
    accepted, allowed = own.get("type"), documented.get("type")
    # In a path or a query, every value is a text. An integer is also a number.
    fits = (comparison.is_text and allowed == "string") or (accepted, allowed) == ("integer", "number")
    if accepted and allowed and accepted != allowed and not fits:
        message = f"The document has the type {allowed}, but the tool sends the type {accepted}."
        yield Difference("breaks", f"{key}.type", message)
        return
    yield from compare_constraints(own, documented, key)
    nested = comparison._replace(ignored=frozenset())
    if "properties" in own:
        yield from compare_object(own, documented, key, nested)
    if "items" in own and "items" in documented:
        yield from compare_value(own["items"], flatten(comparison.document, documented["items"]), key, nested)


def _unknown(name: str, key: str, documented: JSON) -> Difference:
    if documented.get("additionalProperties") is False:
        message = f"The document does not have {name} and refuses other names, but the tool sends it."
        return Difference("breaks", key, message)
    return Difference("misleads", key, f"The document does not have {name}, so the API may ignore it.")


def _missing(
    names: AbstractSet[str], required: AbstractSet[str], key: str, ignored: AbstractSet[str]
) -> Iterator[Difference]:
    for name in sorted(names):
        if name in required:
            yield Difference("breaks", f"{key}.{name}", f"The document requires {name}, but the tool does not send it.")
        elif name not in ignored:
            yield Difference("new", f"{key}.{name}", f"The document has {name}, but the tool does not offer it.")


def _compare_required(name: str, own: JSON, required: AbstractSet[str], key: str) -> Iterator[Difference]:
    is_required = name in own.get("required", ())
    if name in required and not is_required and "default" not in own["properties"][name]:
        yield Difference("breaks", key, f"The document requires {name}, but the tool does not.")
    elif is_required and name not in required:
        yield Difference("new", key, f"The tool requires {name}, but the document does not.")
