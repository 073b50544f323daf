"""Reads a directory of declarations, which may be faulty or hostile. Standard library only.

A file must be a regular file in the directory, and of limited size, also after its references are replaced.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, DeclarationError
from ..text import did_you_mean

# Bytes of one file. The longest file in tools/ has 8 KiB.
MAX_BYTES = 256 * 1024

# Values of one declaration after its references are replaced, and their levels. In tools/ there are 700 and 12.
MAX_VALUES = 10_000
MAX_DEPTH = 64


@cache
def builtin_dir() -> Path:
    """Return the tools/ directory: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).parents[1] / "tools"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "tools"


def read_folder(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the name without suffix and the content of each JSON file, with its references replaced.

    Raises:
        ConfigurationError: The folder cannot be read.
        DeclarationError: A file cannot be read, or one of its references cannot be replaced.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".json")
    except OSError as error:
        raise ConfigurationError(
            f"CORE13_TOOLS_DIR: {folder} cannot be read: {error.strerror}", "Name a directory of declarations."
        ) from None
    for file in files:
        yield file.stem, read_declaration(file, folder)


def read_declaration(file: Path, folder: Path) -> Any:
    """Return the content of a file with its references replaced, and without `$schema`, which is for editors.

    Raises:
        DeclarationError: The file cannot be read, or one of its references cannot be replaced.
    """
    try:
        content = replace_references(read_json(file, folder), folder)
    except ValueError as error:
        raise DeclarationError(display_path(file.stem, folder), str(error)) from None
    if isinstance(content, dict):
        content.pop("$schema", None)
    return content


def display_path(name: str, extra_dir: Path | None) -> str:
    """Return the path of a declaration for error messages."""
    file = extra_dir / f"{name}.json" if extra_dir else None
    return str(file) if file and extra_dir != builtin_dir() and os.path.lexists(file) else f"tools/{name}.json"


def read_json(file: Path, folder: Path) -> Any:
    """Return the content of a JSON file in a folder.

    Raises:
        ValueError: The file is not a regular file in the folder, is too large, or is not JSON.
    """
    try:
        path = os.path.realpath(file, strict=True)
        if not Path(path).is_relative_to(os.path.realpath(folder)):
            raise ValueError("it is a link to a file outside the directory; copy that file into the directory")
        # Opening a named pipe would wait for its writer.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is not a regular file")
        with open(path, "rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def replace_references(content: Any, folder: Path) -> Any:
    """Return a declaration with its references replaced by the fields of a directory, or else by the built-in ones.

    Raises:
        ValueError: A reference cannot be replaced, or the result is too large.
    """
    return inline(content, lambda reference: _resolve(folder, reference))


def inline(node: Any, resolve: Callable[[str], Any]) -> Any:
    """Replace every `$ref` by the value that it names; keys beside the `$ref` override keys of that value.

    MCP clients and model providers reject references, so a declaration must not contain any.

    Raises:
        ValueError: A reference cannot be replaced, or the result is too large.
    """
    return _Expansion(resolve).expand(node)


class _Expansion:
    """Replaces the references of one declaration, and counts the values of the result."""

    def __init__(self, resolve: Callable[[str], Any]) -> None:
        self._resolve = resolve
        self._values = 0
        # The references that are being expanded, from the outside to the inside.
        self._open: list[str] = []

    def expand(self, node: Any, path: tuple[str, ...] = (), depth: int = 0) -> Any:
        """Return a value with its references replaced. `path` has the keys that lead to it, for error messages."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES} values after every $ref is replaced")
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels after every $ref is replaced")
        match node:
            case {"$ref": str(reference), **siblings}:
                return self._replace(reference, siblings, path, depth)
            case dict():
                return {key: self.expand(value, (*path, key), depth + 1) for key, value in node.items()}
            case list():
                return [self.expand(value, (*path, str(index)), depth + 1) for index, value in enumerate(node)]
            case _:
                return node

    def _replace(self, reference: str, siblings: dict[Any, Any], path: tuple[str, ...], depth: int) -> Any:
        problem = f"{'.'.join(path) or '$ref'}: the $ref {reference!r}"
        if reference in self._open:
            raise ValueError(f"{problem} contains itself: {' -> '.join([*self._open, reference])}")
        try:
            target = self._resolve(reference)
        except ValueError as error:
            raise ValueError(f"{problem} {error}") from None
        self._open.append(reference)
        target = self.expand(target, path, depth + 1)
        self._open.pop()
        if not siblings:
            return target
        match target:
            case dict():
                return {**target, **self.expand(siblings, path, depth + 1)}
            case _:
                raise ValueError(f"{problem} has keys beside it, but it does not name an object")


def _resolve(folder: Path, reference: str) -> Any:
    """Return a shared field, from a file in the directory itself or else in the built-in one.

    Raises:
        ValueError: There is no such field. The message continues a sentence about the reference.
    """
    path, _, name = reference.partition("#/")
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("leads outside the directory. The correct form is fields/FILE.json#/NAME")
    base = next((base for base in (folder, builtin_dir()) if os.path.lexists(base / path)), None)
    if base is None:
        names = sorted({f"fields/{file.name}" for base in (builtin_dir(), folder) for file in _field_files(base)})
        raise ValueError(f"names a file that does not exist. The files are {', '.join(names)}")
    try:
        fields = _read_fields(base / path, base)
    except ValueError as error:
        raise ValueError(f"cannot be used: {path}: {error}") from None
    if name not in fields:
        suggestion = did_you_mean(name, fields)
        raise ValueError(f"names a field that does not exist. {suggestion} {path} has {', '.join(fields)}")
    return fields[name]


def _field_files(folder: Path) -> list[Path]:
    return [file for file in (folder / "fields").glob("*.json") if file.is_file()]


@cache
def _read_fields(file: Path, folder: Path) -> dict[str, Any]:
    match read_json(file, folder):
        case dict() as fields:
            return fields
        case _:
            raise ValueError("it is not a JSON object")
