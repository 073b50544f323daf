from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.text import escape_invisible, may_have_invisible, single_line, strip_invisible, to_line

INVISIBLE = ["\x00", "\x1b", "\x7f", "\x9f", "\u00ad", "\u200b", "\u200e", "\u202e", "\u2066", "\u2028", "\ufeff", "\u3164",
          "\ufe0f", "\u200c", "\u200d", "\u2800", "\ufff0", "\U0001d159", "\U00016fe4", "\ud800", "\U000e0041", "\U000e01ef"]  # fmt: skip


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
def test_invisible_characters_are_removed_from_values_and_names(character):
    assert strip_invisible({f"na{character}me": [f"a{character}b", 1, None]}) == {"name": ["ab", 1, None]}


@pytest.mark.parametrize("text", ["plain", "tab\tand\nlines\r\n", "Zoë", "日本語", "👍", "مرحبا", "a\u0301"])
def test_ordinary_text_is_not_changed(text):
    assert strip_invisible(text) == text


SPELLED = [
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
    "\u2764\ufe0f\u200d\U0001f525",  # a heart on fire
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
    "\u0915\u094d\u200d\u0937",  # Hindi
]


@pytest.mark.parametrize("text", SPELLED, ids=ascii)
def test_joiners_that_are_a_part_of_the_spelling_are_kept(text):
    assert strip_invisible(text) == text
    assert strip_invisible("\u200b".join(text)) == text.translate(dict.fromkeys(map(ord, "\u200c\u200d\ufe0f")))


@pytest.mark.parametrize(
    "text", ["\u2764\u200d\u200d\U0001f525", "\u0645\u200c\u200d\u062e", "a\u200c\u062e", "\u2764\u200da"]
)
def test_joiners_elsewhere_or_in_a_row_are_removed(text):
    assert strip_invisible(text) == text[0] + text[-1]


@pytest.mark.parametrize("length", [65534, 65535, 65536])
def test_long_text_is_stripped_like_short_text(length):
    for part in (*SPELLED, "a\u200db", "\u200b" * 9, "\u200d" * 9):
        assert strip_invisible("x" * length + part + "y") == "x" * length + strip_invisible(f"x{part}y")[1:]


@given(some.text())
def test_stripped_text_has_no_control_and_no_direction_characters(text):
    cleaned = strip_invisible(text)
    assert strip_invisible(cleaned) == cleaned
    assert not {c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r"}
    assert not {c for c in cleaned if unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI")}


JSON = some.recursive(
    some.text() | some.integers() | some.none(), lambda inner: some.dictionaries(some.text(), inner) | some.lists(inner)
)


@given(JSON, some.booleans())
def test_json_that_needs_no_stripping_is_not_changed_by_it(value: Any, ascii_only: bool):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert may_have_invisible(text) or strip_invisible(value) == value


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_with_an_invisible_character_is_recognized_in_every_encoding(character, ascii_only):
    text = json.dumps(f"a{character}b", ensure_ascii=ascii_only)
    encodings = ("utf-8", "utf-16", "utf-16-le", "utf-32-be")
    assert all(may_have_invisible(text.encode(encoding, "surrogatepass")) for encoding in encodings)
    assert not may_have_invisible('{"plain": ["a \\n \\" b", "é", 1, null]}'.encode())


@given(some.text())
def test_text_on_one_line_is_printable_and_stays_the_same(text):
    line = to_line(text)
    assert to_line(line) == line and len(line.splitlines()) <= 1
    assert not {c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}


@given(JSON)
def test_escaped_json_has_the_same_value_and_no_invisible_characters(value: Any):
    text = escape_invisible(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == json.loads(json.dumps(value))
    assert strip_invisible(text) == text


def test_a_single_line_has_no_line_ends_and_a_maximum_length():
    assert single_line(" a\n\n b\tc ") == "a b c"
    assert single_line("x" * 300) == "x" * 300
    assert single_line("x" * 301) == "x" * 299 + "…"
    assert single_line("a " * 1_000_000, 5) == "a a …"
    assert single_line("\u200b" * 10_000 + "hidden") == "…"
