"""The configuration file of a client as a value, and edits of it in the format of the file.

Functions raise ParseError, with the path of the file, if its text cannot be parsed or edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from . import files, jsonc, toml, yaml
from .client import ConfigFile
from .paths import KeyPath, ParseError


def load(file: ConfigFile) -> Any:
    """Return the value of a file; an empty object if the file is empty or does not exist."""
    return parse(file, files.read(file.path) or "")


def parse(file: ConfigFile, text: str) -> Any:
    """Return the value of a text; an empty object if the text is empty or has comments only."""
    _, text = _split(text)
    with _errors_with_path(file):
        return jsonc.read(text, comments=False) if file.client.format == "json" else _editor(file).read(text)


def set_value(file: ConfigFile, text: str, path: KeyPath, value: Any) -> str:
    """Return the text with a value at a path. The rest of the text does not change."""
    mark, text = _split(text)
    with _errors_with_path(file):
        return mark + str(_editor(file).set_value(text, path, value))


def remove(file: ConfigFile, text: str, path: KeyPath) -> str:
    """Return the text without the value at a path."""
    mark, text = _split(text)
    with _errors_with_path(file):
        return mark + str(_editor(file).remove(text, path))


def is_blank(file: ConfigFile, text: str) -> bool:
    """Whether a text contains neither data nor comments; empty objects are not data."""
    if _editor(file) is jsonc:
        return parse(file, text) == {} and not remove(file, text, ()).strip("\ufeff \t\r\n")
    return not significant_lines(file, text)


def significant_lines(file: ConfigFile, text: str) -> list[str]:
    """Return the lines of a text without blank lines and empty objects, which the editors add around an entry."""
    empty = ("", "{}", f"{file.client.servers_key}: {{}}", f"{file.client.servers_key}:")
    return [line.rstrip() for line in text.splitlines() if line.strip("\ufeff \t\r\n") not in empty]


def duplicates(file: ConfigFile, text: str) -> list[str]:
    """Return the names on the path of the entry that occur several times. TOML and YAML do not allow this."""
    return jsonc.duplicates(text, file.entry_path) if _editor(file) is jsonc else []


def _split(text: str) -> tuple[str, str]:
    """Return the byte order mark, which Windows editors write, and the rest of a text."""
    rest = text.removeprefix("\ufeff")
    return text[: len(text) - len(rest)], rest


def _editor(file: ConfigFile) -> ModuleType:
    return {"toml": toml, "yaml": yaml}.get(file.client.format, jsonc)


@contextmanager
def _errors_with_path(file: ConfigFile) -> Iterator[None]:
    try:
        yield
    except ParseError as error:
        raise ParseError(f"{file.path}: {error}; nothing was changed") from None
