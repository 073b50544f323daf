"""The README of the sandbox documents every credential and every fault."""

import re
from pathlib import Path

from core13_mcp.sandbox import app, fixtures
from core13_mcp.sandbox.testing.errors import ERRORS
from core13_mcp.sandbox.testing.faults import OPTIONS

README = (Path(app.__file__).parent / "README.md").read_text("utf-8")


def test_every_credential_is_documented_and_contains_the_word_sandbox() -> None:
    credentials = {name: value for name, value in vars(fixtures).items() if name.isupper()}
    assert [name for name in credentials if f"`{name}`" not in README] == []
    assert [name for name, value in credentials.items() if "sandbox" not in value] == []


def test_every_fault_is_documented() -> None:
    assert [name for name in OPTIONS if not re.search(rf"`{name}(=[^`]*)?`", README)] == []


def test_every_named_error_is_documented() -> None:
    assert [name for name in ERRORS if f"`{name}`" not in README and f"`error={name}`" not in README] == []
