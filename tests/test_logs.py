from __future__ import annotations

import contextvars
import json
import logging

import pytest

from core13_mcp.logs import LineFormatter, configure_logging
from core13_mcp.redaction import REDACTED, error_location, redact, redact_keys, set_secrets

SECRETS = ("hunter2hunter2", "abc")


def record(message: str, **over: object) -> logging.LogRecord:
    made = logging.LogRecord("core13_mcp", logging.INFO, "file", 1, message, (), None)
    made.__dict__.update(over)
    return made


def test_a_secret_is_withheld_wherever_it_stands():
    value = {"hunter2hunter2": ["x hunter2hunter2 y", 1, None, {"a": "hunter2hunter2"}]}
    assert redact(value, SECRETS) == {REDACTED: [f"x {REDACTED} y", 1, None, {"a": REDACTED}]}


def test_what_is_too_short_to_be_a_secret_would_blank_out_words():
    assert redact("the abc of it", SECRETS) == "the abc of it"


def test_a_line_of_text_is_one_line_with_its_facts():
    line = LineFormatter(False, SECRETS).format(
        record("called\nsomething hunter2hunter2", details={"status": 200, "outcome": "ok"})
    )
    assert line.endswith(f"info called something {REDACTED} status=200 outcome=ok")
    assert "\n" not in line


def test_a_line_of_json_has_the_same_as_fields():
    line = json.loads(
        LineFormatter(True, SECRETS).format(record("called hunter2hunter2", details={"status": 200, "odd": object}))
    )
    assert (line["level"], line["message"], line["status"]) == ("info", f"called {REDACTED}", 200)


@pytest.mark.parametrize("as_json", [False, True])
def test_an_exception_is_told_by_type_and_place_and_never_by_its_words(as_json):
    try:
        raise ValueError("what the person wrote")
    except ValueError as error:
        line = LineFormatter(as_json, ()).format(record("failed", exc_info=(ValueError, error, error.__traceback__)))
    assert "ValueError at test_an_exception_is_told" in line and "what the person wrote" not in line


def test_an_exception_without_a_place_is_told_by_its_type():
    assert "OSError" in LineFormatter(False, ()).format(record("failed", exc_info=(OSError, OSError(), None)))


def test_several_exceptions_at_once_are_told_one_by_one():
    group = ExceptionGroup("many", [OSError("a"), ExceptionGroup("more", [KeyError("b")])])
    assert error_location(group) == "OSError; KeyError"


def test_what_looks_like_a_key_is_withheld_though_nobody_said_that_it_is_one():
    assert REDACTED in LineFormatter(False, ()).format(record("got phx_abcdefgh0123456789"))
    assert "phx_" not in redact_keys("phx_abcdefgh0123456789")


def test_what_is_hidden_for_a_call_is_withheld_from_its_lines():
    def logged() -> str:
        set_secrets(["hunter2hunter2"])
        return LineFormatter(False, ()).format(record("got hunter2hunter2"))

    assert REDACTED in contextvars.copy_context().run(logged)
    assert REDACTED not in LineFormatter(False, ()).format(record("got hunter2hunter2"))


def test_only_this_package_logs_below_warning(capsys: pytest.CaptureFixture[str]):
    configure_logging("debug", "text", SECRETS)
    for name in ("core13_mcp.calls", "httpx2", "mcp", "anything"):
        logging.getLogger(name).debug("from %s", name)
        logging.getLogger(name).info("from %s", name)
    logging.getLogger("httpx2").warning("hunter2hunter2")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("from core13_mcp.calls") == 2 and told.err.count("from ") == 2 and REDACTED in told.err


@pytest.fixture(autouse=True)
def as_before():
    root, levels = (
        logging.getLogger(),
        {name: logging.getLogger(name).level for name in ("core13_mcp", "httpx2", "mcp")},
    )
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
