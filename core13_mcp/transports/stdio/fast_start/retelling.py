"""What a command printed before, printed again as long as nothing that it depends on has changed."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import Any, TextIO, cast

from ....settings import flag_values
from .record import Record


def retold(arguments: Namespace, environ: Mapping[str, str], tell: Callable[[Namespace], int]) -> int:
    """Print what was printed for this command line before, and return 0; or let `tell` print it, and keep that."""
    styles = (sys.stdout.isatty(), environ.get("NO_COLOR"), environ.get("TERM"))
    words = sorted((name, repr(value)) for name, value in vars(arguments).items())
    record = Record.of(environ, flag_values(arguments), (words, styles))
    said = _said(record, arguments.command) if record is not None else None
    if said is not None:
        sys.stdout.write(said.decode("utf-8", "surrogatepass"))
        return 0
    heard = _Heard(sys.stdout)
    with redirect_stdout(cast(TextIO, heard)):
        status = tell(arguments)
    if record is not None and status == 0:
        record.write({f"{arguments.command} ": "".join(heard.pieces).encode("utf-8", "surrogatepass")})
    return status


def _said(record: Record, command: str) -> bytes | None:
    with record.result(command, "") as said:
        return said.read() if said else None


class _Heard:
    """A stream that keeps what passes through it."""

    def __init__(self, stream: TextIO) -> None:
        self.pieces: list[str] = []
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass the text on."""
        self.pieces.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
