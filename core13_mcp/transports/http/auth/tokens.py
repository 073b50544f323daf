"""The secrets by which this server knows its callers."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from ....errors import ConfigurationError

SHORTEST = 32
"""Characters of a token: it is all that stands between anyone and this server's key."""

_LINE = re.compile(r"([\w.@-]{1,64})\s*[:=]\s*(\S+)")


class CallerTokens:
    """Named tokens in a file, read again when it changes, so that one is taken back without a restart.

    A name may have several, for rotation. Only their hashes are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._known: list[tuple[bytes, str]] = []

    def name(self, token: str) -> str | None:
        """Whose token it is; None where it is nobody's. Takes as long for any token of a length.

        Raises:
            ConfigurationError: The file cannot be read, or a line is wrong.
        """
        self.read()
        given, found = _hash(token), None
        for known, name in self._known:
            if hmac.compare_digest(known, given):
                found = name
        return found

    def read(self) -> None:
        """Read the file, if it has changed.

        Raises:
            ConfigurationError: It cannot be read, or a line is wrong.
        """
        try:
            state = self._path.stat()
            stamp = (state.st_mtime_ns, state.st_ino, state.st_size)
            if stamp != self._stamp:
                self._known, self._stamp = self._read(self._path.read_text("utf-8")), stamp
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"the callers' tokens cannot be read ({type(error).__name__}): {self._path}"
            ) from None

    def _read(self, text: str) -> list[tuple[bytes, str]]:
        lines = [line.strip() for line in text.splitlines()]
        told = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
        if not told:
            raise ConfigurationError(f"{self._path} holds no token; write `name: token`, one a line")
        return [self._caller(number, line) for number, line in told]

    def _caller(self, number: int, line: str) -> tuple[bytes, str]:
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise ConfigurationError(f"{self._path}, line {number}: write `name: token`")
        if len(parts[2]) < SHORTEST:
            raise ConfigurationError(
                f"{self._path}, line {number}: the token has under {SHORTEST} characters; `openssl rand -hex 32` makes one"
            )
        return _hash(parts[2]), parts[1]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
