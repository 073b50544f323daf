"""Removal of secrets from text and JSON values."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from .keys import KEY

REDACTED = "[withheld]"

# Shorter secrets are part of ordinary words. PostHog accepts no password of fewer than 8 characters.
_MIN_SECRET_LENGTH = 6

# The secrets that the log of the current task must not contain, in addition to those of the settings.
task_secrets: ContextVar[tuple[str, ...]] = ContextVar("task_secrets", default=())


def redact_keys(text: str) -> str:
    """Replace everything that looks like a PostHog key."""
    return KEY.sub(REDACTED, text)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Replace secrets in every string of a JSON value, including property names."""
    match value:
        case str():
            for secret in secrets:
                if len(secret) >= _MIN_SECRET_LENGTH:
                    value = value.replace(secret, REDACTED)
            return value
        case dict():
            return {redact(name, secrets): redact(part, secrets) for name, part in value.items()}
        case list():
            return [redact(part, secrets) for part in value]
        case _:
            return value


def error_location(error: BaseException) -> str:
    """Return the type of an exception and the line that raised it, without its message, which may contain secrets."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(error_location, error.exceptions))
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + (f" at {frames[-1].name}:{frames[-1].lineno}" if frames else "")
