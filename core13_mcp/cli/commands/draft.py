"""`core13-mcp draft`: write a declaration from an OpenAPI document, or find operations in it."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError
from ...jsonio import pretty_json
from ...openapi.document import Document
from ...openapi.draft import draft
from ...settings import Settings
from ...text import escape_invisible
from ..document import read_document
from ..terminal import print_line


async def run(arguments: Namespace, settings: Settings) -> int:
    """Print the operations that contain a word, or write the draft of one operation."""
    if bool(arguments.operation) == bool(arguments.word):
        raise ConfigurationError(
            "draft needs either an operation or --list WORD", "`core13-mcp draft --help` has examples."
        )
    document = await read_document(arguments.spec, settings)
    if arguments.word:
        return _list(document, arguments.word.lower())
    content = draft(document, document.operation(arguments.operation))
    text = escape_invisible(pretty_json(content)) + "\n"
    if arguments.out is None:
        print(escape_invisible(text), end="")
    else:
        _report(_write(Path(arguments.out), content["name"], text), content, arguments.out)
    return 0


def _list(document: Document, word: str) -> int:
    operations = document.operations.values()
    matches = [operation for operation in operations if word in f"{operation.id} {operation.path}".lower()]
    for operation in matches:
        print_line(f"{operation.id:60} {operation.method:6} {operation.path}")
    if not matches:
        raise ConfigurationError(f"no operation of {document.source} contains {word!r}", "Try a shorter word.")
    return 0


def _write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{file} exists already", "Remove it, or name another directory with --out.") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from None
    return file


def _report(file: Path, content: dict[str, Any], folder: str) -> None:
    print_line(f"wrote {file}, with {len(content['review'])} open decisions:", sys.stderr)
    for decision in content["review"]:
        print_line(f"  {decision}", sys.stderr)
    print_line(f"Make each one, empty the list `review`, and run: core13-mcp check {folder}", sys.stderr)
