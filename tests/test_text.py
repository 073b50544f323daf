from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.text import get_path, may_have_invisible, render, single_line, strip_invisible

UNSEEN = ["\x00", "\x1b", "\x7f", "\x9f", "\u00ad", "\u200b", "\u200e", "\u202e", "\u2066", "\u2028", "\ufeff", "\u3164",
          "\ufe0f", "\ud800", "\U000e0041", "\U000e01ef"]  # fmt: skip


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_taken_out_of_values_and_names(unseen):
    assert strip_invisible({f"na{unseen}me": [f"a{unseen}b", 1, None]}) == {"name": ["ab", 1, None]}


@pytest.mark.parametrize("text", ["plain", "tab\tand\nlines\r\n", "Zoë", "日本語", "👍", "مرحبا", "a\u0301"])
def test_what_people_write_stays(text):
    assert strip_invisible(text) == text


@given(some.text())
def test_cleaned_text_has_no_control_and_no_direction_marks_and_stays_clean(text):
    cleaned = strip_invisible(text)
    assert strip_invisible(cleaned) == cleaned
    assert not {c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r"}
    assert not {c for c in cleaned if unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI")}


JSON = some.recursive(
    some.text() | some.integers() | some.none(), lambda inner: some.dictionaries(some.text(), inner) | some.lists(inner)
)


@given(JSON, some.booleans())
def test_a_text_said_to_hold_nothing_unseen_has_nothing_to_take_out(value: Any, ascii_only: bool):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert may_have_invisible(text) or strip_invisible(value) == value


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_character_that_shows_nothing_hides_from_that(unseen, ascii_only):
    text = json.dumps(f"a{unseen}b", ensure_ascii=ascii_only)
    encodings = ("utf-8", "utf-16", "utf-16-le", "utf-32-be")
    assert all(may_have_invisible(text.encode(encoding, "surrogatepass")) for encoding in encodings)
    assert not may_have_invisible('{"plain": ["a \\n \\" b", "é", 1, null]}'.encode())


def test_one_line_is_one_line_and_no_longer_than_asked():
    assert single_line(" a\n\n b\tc ") == "a b c"
    assert single_line("x" * 300) == "x" * 300
    assert single_line("x" * 301) == "x" * 299 + "…"
    assert len(single_line("x" * 50, 10)) == 10


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{a.id}", "7"),
        ("{a.inner.name}", "deep"),
        ("{a.mails:count}", "2"),
        ("{a.nothing:count}", "1"),
        ("{a.list}", "x, y"),
        ("{a.no}", "false"),
        ("{a.missing} and {b.c.d} and {e}", "unknown and unknown and unknown"),
        ("{a.braces}", "{a.id}"),
        ("{a.lines}", "one two"),
        ("no template at all", "no template at all"),
    ],
)
def test_a_template_is_filled_from_json(template, said):
    facts = {"id": 7, "inner": {"name": "deep"}, "mails": "x@y, z@y,", "list": ["x", "y"], "no": False}
    facts |= {"braces": "{a.id}", "lines": "one\n\u202etwo"}
    assert render(template, a=facts) == said


def test_a_long_value_is_cut_in_a_sentence():
    assert len(render("{a}", a="x" * 1000)) == 300


def test_at_finds_what_stands_there_and_says_so_where_nothing_does():
    assert get_path({"a": {"b": 0}}, "a.b") == 0
    assert get_path({"a": None}, "a") == get_path("text", "a.b") == get_path({}, "a") == "unknown"
