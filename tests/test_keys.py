"""A key that was copied with too much, or never filled in, is an error that says what to remove."""

from __future__ import annotations

import pytest

from core13_mcp.keys import key_problem
from core13_mcp.settings import Settings

from .processes import run_cli

KEY = "phx_0123456789abcdefghijklmnop"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (f'"{KEY}"', "it is in quotation marks; remove them"),
        (f"'{KEY}'", "it is in quotation marks; remove them"),
        (f"\u201c{KEY}\u201d", "it is in quotation marks; remove them"),
        (f"{KEY}'", "it is in quotation marks; remove them"),
        ('"phc_public0000"', "it is in quotation marks; remove them"),
        (f"POSTHOG_PERSONAL_API_KEY={KEY}", "the value starts with POSTHOG_PERSONAL_API_KEY=; remove this"),
        (f"export KEY = '{KEY}'", "the value starts with KEY=; remove this"),
        (f"Bearer {KEY}", "it starts with Bearer; remove this word"),
        (f"# my key\n{KEY}", "it has more than one line; keep only the line with the key"),
        (f"{KEY}\r\n{KEY}", "it has more than one line; keep only the line with the key"),
        (f"\ufeff{KEY}", "it starts with a byte order mark, which is invisible; remove it"),
        (f"{KEY} {KEY}", "the key contains characters that no key has"),
    ],
)
def test_a_key_with_something_around_it_says_what_to_remove_and_is_not_shown(value, message):
    problem = key_problem(value)
    assert problem and message in problem and KEY not in problem


@pytest.mark.parametrize("value", ["$KEY", "${KEY}", "${env:KEY}", "%POSTHOG_KEY%", "{{KEY}}", "{{ secrets.key }}"])
def test_a_reference_that_was_not_replaced_is_named(value):
    assert key_problem(value) == (
        f"{value} was not replaced by its value; set that variable in the environment of the MCP client"
    )


@pytest.mark.parametrize(
    "value",
    ["<YOUR_KEY>", "<your key>", "phx_...", "phx_\u2026", "phx_***", "phx_xxxxxx", "phx_your_key", "YOUR_API_KEY",
     "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"],
)  # fmt: skip
def test_a_placeholder_is_named(value):
    assert (key_problem(value) or "").startswith(f"{value} is a placeholder and not a key; create a personal API key")


@pytest.mark.parametrize("value", [KEY, "pha_0123456789", "0123456789abcdef_-ABCDEFGHIJKLMNOPQRSTUVWXYZ"])
def test_a_key_of_a_usable_kind_has_no_problem(value):
    assert key_problem(value) is None
    assert Settings.read({"POSTHOG_PERSONAL_API_KEY": value}).personal_api_key is not None


def test_a_command_refuses_such_a_key_before_any_request():
    run = run_cli("call", "users-retrieve", POSTHOG_HOST="http://127.0.0.1:9", POSTHOG_PERSONAL_API_KEY=f'"{KEY}"')
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "core13-mcp: POSTHOG_PERSONAL_API_KEY: the value is not only a key: it is in quotation marks; remove them\n"
    )
