"""Removal of secrets from text and JSON values."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

REDACTED = "[withheld]"


_SHORTEST = 6
# Shorter secrets would blank out ordinary words; the API itself takes no password under 8 characters.


_KEY = re.compile(r"\bph[a-z]_[A-Za-z0-9_-]{8,}")


_hidden: ContextVar[tuple[str, ...]] = ContextVar("hidden", default=())


def set_secrets(secrets: Iterable[str]) -> None:
    """Keep these out of what is logged from here on in the same task: keys change, and callers bring their own."""
    _hidden.set(tuple(secrets))


def current_secrets() -> tuple[str, ...]:
    """The secrets of the running task."""
    return _hidden.get()


def redact_keys(text: str) -> str:
    """The text without anything that looks like a PostHog key: nobody may have said that it is one."""
    return _KEY.sub(REDACTED, text)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Take secrets out of every string of a JSON value, names included."""
    match value:
        case str():
            for secret in secrets:
                if len(secret) >= _SHORTEST:
                    value = value.replace(secret, REDACTED)
            return value
        case dict():
            return {redact(name, secrets): redact(part, secrets) for name, part in value.items()}
        case list():
            return [redact(part, secrets) for part in value]
        case _:
            return value


def error_location(error: BaseException) -> str:
    """Where it happened and what kind it is, without its words: they may quote anything."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(error_location, error.exceptions))
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + (f" at {frames[-1].name}:{frames[-1].lineno}" if frames else "")
