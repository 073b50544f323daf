"""One client's file, with this server in it and without it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from ..identity import NAME
from .client import Client
from .entries import Edit, inputs
from .paths import Step


def merged(client: Client, text: str, edits: Sequence[Edit]) -> str:
    """The file with the edits made; everything else in it as it was.

    Raises:
        Unparsable: It is not of the client's format.
    """
    return reduce(lambda told, edit: client.editor.put(told, *edit), edits, text)


def cleared(client: Client, text: str, at: tuple[Step, ...], before: str | None) -> str | None:
    """The file without this server; None where there would be no file.

    Where the file is still what an install made of what was there `before`, it is that again, with the brackets and
    line ends that an edit alone would not give back.

    Args:
        before: The copy that the last install kept; None where there is none, because there was no file.

    Raises:
        Unparsable: It is not of the client's format.
    """
    places: list[tuple[Step, ...]] = [(*at, NAME)]
    if client.prompts:
        places.insert(0, inputs())
    edits = [(place, held(client, text, place)) for place in places]
    edits = [(place, value) for place, value in edits if value is not None]
    fresh = held(client, before or "", places[-1]) is None
    if edits and fresh and merged(client, before or "", edits) == text:
        return before
    return reduce(lambda told, edit: client.editor.drop(told, edit[0]), edits, text)


def held(client: Client, text: str, place: tuple[Step, ...]) -> Any:
    """What stands at a place; None where nothing does.

    Raises:
        Unparsable: The file is not of the client's format.
    """
    value = client.editor.read(text) if text.strip("\ufeff \t\r\n") else {}
    for step in place:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            elements = value if isinstance(value, list) else []
            value = next((one for one in elements if isinstance(one, dict) and one.get(step[0]) == step[1]), None)
    return value
