"""Logs, to stderr, with nothing secret in them."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable

from .redaction import current_secrets, error_location, redact, redact_keys

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class LineFormatter(logging.Formatter):
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
            **({"exception": error_location(record.exc_info[1])} if record.exc_info and record.exc_info[1] else {}),
        }
        secrets = (*self._secrets, *current_secrets())
        if self._as_json:
            return redact_keys(json.dumps(redact(said, secrets), default=str))
        first = f"{said.pop('time')} {said.pop('level')} {said.pop('message')}"
        line = " ".join([first, *(f"{name}={value}" for name, value in said.items())])
        return redact_keys(_UNPRINTABLE.sub(" ", redact(line, secrets)))


def configure_logging(level: str, form: str, secrets: Iterable[str]) -> None:
    """Send this package's logs to stderr; other packages' only from warning up, whatever the level.

    httpx2 and the SDK log URLs, headers and bodies when debugged; those must not come out.
    """
    # No line of ours says in which thread, process or source line it was written, so nothing looks for them: as
    # Python's logging HOWTO has it, under "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(form == "json", secrets))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("core13_mcp").setLevel(level.upper())
    for name in ("httpx2", "httpcore2", "mcp", "asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
