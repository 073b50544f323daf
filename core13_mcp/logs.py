"""Logging to stderr, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable

from .redaction import error_location, redact, redact_keys, task_secrets
from .text import to_line


class LineFormatter(logging.Formatter):
    """Formats a record as one line of text or JSON.

    An exception appears as its type and location, because its message may contain secrets. `details` of the record, a
    mapping, becomes `name=value` pairs or JSON fields.
    """

    def __init__(self, as_json: bool, secrets: Iterable[str]) -> None:
        super().__init__()
        self._as_json = as_json
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "details", {}),
            **({"exception": error_location(error)} if error else {}),
        }
        secrets = (*self._secrets, *task_secrets.get())
        if self._as_json:
            return redact_keys(json.dumps(redact(fields, secrets), default=str))
        start = f"{fields.pop('time')} {fields.pop('level')} {fields.pop('message')}"
        line = " ".join([start, *(f"{name}={value}" for name, value in fields.items())])
        return redact_keys(to_line(redact(line, secrets)))


def configure_logging(level: str, form: str, secrets: Iterable[str]) -> None:
    """Send logs to stderr: this package's from `level`, those of other packages from `warning`.

    At lower levels httpx2 and the MCP SDK log URLs, headers and bodies, which contain secrets.

    Args:
        form: `text` or `json`.
        secrets: Strings that no line may contain.
    """
    # No line contains the thread, process or source line, so logging need not look for them
    # (the logging HOWTO of Python, under "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(form == "json", secrets))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("core13_mcp").setLevel(level.upper())
