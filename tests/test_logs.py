from __future__ import annotations

import contextvars
import json
import logging

import pytest

from core13_mcp.logs import LineFormatter, configure_logging
from core13_mcp.redaction import REDACTED, error_location, redact, task_secrets

SECRETS = ("hunter2hunter2", "abc")


def record(message: str, **attributes: object) -> logging.LogRecord:
    log_record = logging.LogRecord("core13_mcp", logging.INFO, "file", 1, message, (), None)
    log_record.__dict__.update(attributes)
    return log_record


def test_secrets_are_removed_from_values_and_names_unless_they_could_be_part_of_a_word():
    value = {"hunter2hunter2": ["x hunter2hunter2 y", 1, None, {"a": "hunter2hunter2"}, "the abc of it"]}
    assert redact(value, SECRETS) == {REDACTED: [f"x {REDACTED} y", 1, None, {"a": REDACTED}, "the abc of it"]}


def test_a_log_line_in_text_format_ends_with_its_fields():
    line = LineFormatter(False, SECRETS).format(
        record("called\nsomething hunter2hunter2", details={"status": 200, "outcome": "ok"})
    )
    assert line.endswith(f"info called something {REDACTED} status=200 outcome=ok")
    assert "\n" not in line


def test_a_log_line_in_json_format_contains_its_fields():
    line = json.loads(
        LineFormatter(True, SECRETS).format(record("called hunter2hunter2", details={"status": 200, "odd": object}))
    )
    assert (line["level"], line["message"], line["status"]) == ("info", f"called {REDACTED}", 200)


@pytest.mark.parametrize("as_json", [False, True])
def test_an_exception_is_logged_by_type_and_location_without_its_message(as_json):
    try:
        raise ValueError("private text")
    except ValueError as error:
        line = LineFormatter(as_json, ()).format(record("failed", exc_info=(ValueError, error, error.__traceback__)))
    assert "ValueError at test_an_exception_is_logged" in line and "private text" not in line


def test_every_exception_of_a_group_is_logged():
    group = ExceptionGroup("many", [OSError("a"), ExceptionGroup("more", [KeyError("b")])])
    assert error_location(group) == "OSError; KeyError"


def test_everything_that_looks_like_a_key_is_removed():
    assert REDACTED in LineFormatter(False, ()).format(record("got phx_abcdefgh0123456789"))


def test_secrets_of_a_task_are_removed_from_its_lines_only():
    def log_in_task() -> str:
        task_secrets.set(("hunter2hunter2",))
        return LineFormatter(False, ()).format(record("got hunter2hunter2"))

    assert REDACTED in contextvars.copy_context().run(log_in_task)
    assert REDACTED not in LineFormatter(False, ()).format(record("got hunter2hunter2"))


def test_other_packages_log_only_warnings_and_errors(capsys: pytest.CaptureFixture[str]):
    configure_logging("debug", "text", SECRETS)
    for name in ("core13_mcp.calls", "httpx2", "mcp", "anything"):
        logging.getLogger(name).debug("from %s", name)
        logging.getLogger(name).info("from %s", name)
    logging.getLogger("httpx2").warning("hunter2hunter2")
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("from core13_mcp.calls") == 2 and output.err.count("from ") == 2 and REDACTED in output.err


@pytest.fixture(autouse=True)
def restored_logging():
    root, own = logging.getLogger(), logging.getLogger("core13_mcp")
    handlers, level = root.handlers[:], own.level
    yield
    root.handlers[:] = handlers
    own.setLevel(level)
