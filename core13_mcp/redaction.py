"""Removal of secrets from text and JSON values."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from .keys import KEY
from .secret_forms import json_forms, secret_forms

REDACTED = "[withheld]"

# An authorization code, and the verifier that belongs to it.
_OAUTH_PARAMETER = re.compile(r"\b(code|code_verifier)=[\w.~%+-]{20,}")

# The secrets that the log of the current task must not contain, in addition to those of the settings.
task_secrets: ContextVar[tuple[str, ...]] = ContextVar("task_secrets", default=())


def redact_keys(text: str) -> str:
    """Replace everything that looks like a PostHog key, or like the secrets of a sign-in in a URL or a form."""
    return _OAUTH_PARAMETER.sub(rf"\1={REDACTED}", KEY.sub(REDACTED, text))


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Replace secrets, in all their forms, in every string of a JSON value, including property names."""
    return _replace(value, secret_forms(tuple(secrets)))


def has_secret(json_text: str, secrets: tuple[str, ...]) -> bool:
    """Whether a JSON text has a secret in one of its forms. Much faster than `redact`."""
    return any(form in json_text for form in json_forms(secrets))


def _replace(value: Any, forms: tuple[str, ...]) -> Any:
    match value:
        case str():
            for form in forms:
                value = value.replace(form, REDACTED)
            return value
        case dict():
            return {_replace(name, forms): _replace(part, forms) for name, part in value.items()}
        case list():
            return [_replace(part, forms) for part in value]
        case _:
            return value


def error_location(error: BaseException) -> str:
    """Return the type of an exception and the line that raised it, without its message, which may contain secrets."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(error_location, error.exceptions))
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + (f" at {frames[-1].name}:{frames[-1].lineno}" if frames else "")
