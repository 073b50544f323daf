"""Logs, to stderr, with nothing secret in them."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

WITHHELD = "[withheld]"
_SHORTEST = 6
# Shorter secrets would blank out ordinary words; the API itself takes no password under 8 characters.


_KEY = re.compile(r"\bph[a-z]_[A-Za-z0-9_-]{8,}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_hidden: ContextVar[tuple[str, ...]] = ContextVar("hidden", default=())


def hide(secrets: Iterable[str]) -> None:
    """Keep these out of what is logged from here on in the same task: keys change, and callers bring their own."""
    _hidden.set(tuple(secrets))


def without_keys(text: str) -> str:
    """The text without anything that looks like a PostHog key: nobody may have said that it is one."""
    return _KEY.sub(WITHHELD, text)


def withhold(value: Any, secrets: Iterable[str]) -> Any:
    """Take secrets out of every string of a JSON value, names included."""
    match value:
        case str():
            for secret in secrets:
                if len(secret) >= _SHORTEST:
                    value = value.replace(secret, WITHHELD)
            return value
        case dict():
            return {withhold(name, secrets): withhold(part, secrets) for name, part in value.items()}
        case list():
            return [withhold(part, secrets) for part in value]
        case _:
            return value


class Lines(logging.Formatter):
    """One line a record, as text or JSON; an exception is told by its type and place, never by its words."""

    def __init__(self, as_json: bool, secrets: Iterable[str]) -> None:
        super().__init__()
        self._as_json = as_json
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
            **({"exception": place(record.exc_info[1])} if record.exc_info and record.exc_info[1] else {}),
        }
        secrets = (*self._secrets, *_hidden.get())
        if self._as_json:
            return without_keys(json.dumps(withhold(said, secrets), default=str))
        first = f"{said.pop('time')} {said.pop('level')} {said.pop('message')}"
        line = " ".join([first, *(f"{name}={value}" for name, value in said.items())])
        return without_keys(_UNPRINTABLE.sub(" ", withhold(line, secrets)))


def set_up(level: str, form: str, secrets: Iterable[str]) -> None:
    """Send this package's logs to stderr; other packages' only from warning up, whatever the level.

    httpx2 and the SDK log URLs, headers and bodies when debugged; those must not come out.
    """
    # No line of ours says in which thread, process or source line it was written, so nothing looks for them: as
    # Python's logging HOWTO has it, under "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(form == "json", secrets))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("core13_mcp").setLevel(level.upper())
    for name in ("httpx2", "httpcore2", "mcp", "asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


def place(error: BaseException) -> str:
    """Where it happened and what kind it is, without its words: they may quote anything."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(place, error.exceptions))
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__ + (f" at {frames[-1].name}:{frames[-1].lineno}" if frames else "")
