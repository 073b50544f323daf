"""The tokens with which callers authenticate under `CORE13_AUTH=token`."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from ....files import WatchedFile

# Only a token protects the PostHog key of the server, so a token must be too long to guess.
MIN_TOKEN_LENGTH = 32

_LINE = re.compile(r"([\w.@-]{1,64})\s*[:=]\s*(\S+)")


class CallerTokens:
    """Named tokens in a file, one `name: token` on each line.

    The file is reloaded when it changes: to revoke a token, delete its line. A name may have several tokens, which
    allows rotation. Only hashes stay in memory.

    Raises:
        ConfigurationError: The file cannot be read, or a line is not valid.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, "the callers' tokens", _parse)
        self._file.read()

    def name(self, token: str) -> str | None:
        """Return the name of the caller with this token, or None for an unknown token.

        The comparison takes constant time for tokens of equal length.

        Raises:
            ConfigurationError: The file cannot be read, or a line is not valid.
        """
        digest, name = _hash(token), None
        for token_digest, caller in self._file.read():
            if hmac.compare_digest(token_digest, digest):
                name = caller
        return name


def _parse(text: str) -> list[tuple[bytes, str]]:
    """Return the SHA-256 hash and the name of each token. The errors do not quote a line, which has a secret."""
    entries = []
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is not valid; write `name: token`")
        name, token = match.groups()
        if len(token) < MIN_TOKEN_LENGTH:
            raise ValueError(
                f"line {number} has a token with less than {MIN_TOKEN_LENGTH} characters; "
                "create one with `openssl rand -hex 32`"
            )
        entries.append((_hash(token), name))
    if not entries:
        raise ValueError("it contains no token; write `name: token`, one on each line")
    return entries


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
