"""Edits of configuration files change one entry; every other byte stays the same."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core13_mcp.setup import jsonc, toml
from core13_mcp.setup.paths import ParseError

ENTRY = {"command": "/usr/bin/core13-mcp", "args": ["serve"], "env": {"POSTHOG_HOST": "eu"}}
PATH = ("servers", "ours")
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "ours")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("https://a.example/*,}*/") | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\t", "\r\n    "])
COMMENT = st.sampled_from(["", "", "/* a, {comment} */", "// to the end: ,}\n"])


@st.composite
def commented(draw: st.DrawFn, value: Any) -> str:
    """A JSON text of a value, with any white space, comments and trailing commas."""

    def gap() -> str:
        return draw(SPACE) + draw(COMMENT) + draw(SPACE)

    if not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    members = value.items() if isinstance(value, dict) else [("", part) for part in value]
    parts = [
        gap()
        + (json.dumps(name) + gap() + ":" + gap() if isinstance(value, dict) else "")
        + draw(commented(part))
        + gap()
        for name, part in members
    ]
    trailing = draw(st.booleans())
    inside = ",".join(parts) + ("," + gap() if parts and trailing else "") or draw(SPACE)
    return f"{{{inside}}}" if isinstance(value, dict) else f"[{inside}]"


OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)
FILES = st.tuples(OBJECTS, st.dictionaries(NAMES, VALUES, min_size=1, max_size=3)).flatmap(
    lambda both: commented({**both[0], "servers": both[1]})
)


@given(FILES, VALUES)
def test_removing_an_added_json_entry_restores_the_file(text: str, value: Any) -> None:
    added = jsonc.set_value(text, PATH, value)
    changed = jsonc.set_value(added, PATH, ENTRY)

    servers = {**jsonc.read(text)["servers"], "ours": ENTRY}
    assert jsonc.read(changed) == {**jsonc.read(text), "servers": servers}
    assert list(jsonc.read(changed)["servers"])[-1] == "ours"
    assert jsonc.set_value(changed, PATH, ENTRY) == changed
    assert jsonc.remove(added, PATH) == jsonc.remove(changed, PATH) == text


@given(OBJECTS.flatmap(commented))
def test_missing_objects_and_lists_are_created(text: str) -> None:
    before = jsonc.read(text)
    assume("servers" not in before and "inputs" not in before)
    input_path = ("inputs", ("id", "ours"))

    added = jsonc.set_value(jsonc.set_value(text, input_path, {"id": "ours"}), PATH, ENTRY)
    removed = jsonc.remove(jsonc.remove(added, PATH), input_path)

    assert jsonc.read(added) == {**before, "inputs": [{"id": "ours"}], "servers": {"ours": ENTRY}}
    assert jsonc.read(removed) == {**before, "inputs": [], "servers": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1\n "b": 2}', "line 2, column 2: Expecting ',' delimiter"),
        ("{\n  a: 1}", "line 2, column 3: Expecting property name enclosed in double quotes"),
        ('{"a": "no end', "line 1, column 7: Unterminated string starting at"),
        ('{"a": [,]}', "line 1, column 8: Expecting value"),
        ("[" * 100_000, "line 1, column 1: the file is nested too deeply"),
        ('{"servers": []}', 'line 1, column 13: "servers" is an array, and not an object'),
    ],
)
def test_an_invalid_json_file_is_refused_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(ParseError) as refused:
        jsonc.set_value(text, PATH, ENTRY)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ['{"a": 1} // no', '{"a": 1  ,}'])
def test_comments_and_trailing_commas_are_refused_in_a_plain_json_file(text: str) -> None:
    with pytest.raises(ParseError, match="line 1, column 10: comments and trailing commas are not allowed"):
        jsonc.read(text, comments=False)
    assert jsonc.read(text) == jsonc.read('\ufeff{"a": 1}', comments=False) == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        '{ "servers": { // mine\n  "ours": {} } }',
        '{ "servers": { "a": 1, // one\n  "ours": {} } }',
        '{ "servers": { // mine\n  "ours": {}, "b": 2 } }',
    ],
)
def test_text_after_a_removed_entry_does_not_become_part_of_a_comment(text: str) -> None:
    expected = jsonc.read(text)
    del expected["servers"]["ours"]
    assert jsonc.read(jsonc.remove(text, PATH)) == expected


def test_a_comment_in_an_empty_object_stays() -> None:
    added = jsonc.set_value('{\n  "servers": {\n    // "files": {"command": "npx"}\n  }\n}', PATH, ENTRY)
    assert '// "files"' in added and jsonc.read(added) == {"servers": {"ours": ENTRY}}


TOML_NAMES = st.from_regex(r"[a-z]{1,6}", fullmatch=True).filter(lambda name: name != "ours")
LINES = st.one_of(
    st.builds("{} = {}".format, TOML_NAMES, st.sampled_from(["1", '"two"', "[1, 2]", "{ a = 1 }", "'''\n[x]\n'''"])),
    st.sampled_from(["", "# a comment", "  # [servers.ours]"]),
)
TABLES = st.builds(
    lambda header, lines: "\n".join([header, *lines]),
    st.builds("[{}]".format, st.one_of(TOML_NAMES, TOML_NAMES.map(lambda name: f"servers.{name}"))),
    st.lists(LINES, max_size=3),
)


@given(st.lists(LINES, max_size=2), st.lists(TABLES, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_adding_and_removing_a_toml_table_changes_no_other_line(
    top: list[str], tables: list[str], newline: str
) -> None:
    text = newline.join([*"\n".join(top).split("\n"), *"\n".join(tables).split("\n"), ""])
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)

    added = toml.set_value(text, PATH, ENTRY)

    assert tomllib.loads(added)["servers"]["ours"] == ENTRY
    assert added.startswith(text)
    assert toml.set_value(added, PATH, ENTRY) == added
    removed = toml.remove(added, PATH)
    assert removed.rstrip() == text.rstrip() and tomllib.loads(removed) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Comments below the table belong to the next table.
        ("[servers.ours]\nx = 1\n[servers.ours.env]\nA = 1\n\n# next\n[other]\ny = 1\n", "\n# next\n[other]\ny = 1\n"),
        ("[a]\nx = 1\n\n[servers.ours]\nx = 1\n\n# next\n[b]\ny = 1\n", "[a]\nx = 1\n\n# next\n[b]\ny = 1\n"),
        ("a = 1\nservers.ours.x = 1\nb = 2\n", "a = 1\nb = 2\n"),
        ("servers = { a = { x = 1 }, ours = { x = 1 } }\n", "servers = { a = { x = 1 }  }\n"),
        ("[servers.ours]\nx = 1\n[b]\ny = 1\n[servers.ours.env]\nA = 1\n", "[b]\ny = 1\n"),
        ("[servers.ours]\nx = 1\n", ""),
        ("a = 1\n", "a = 1\n"),
    ],
)
def test_a_toml_table_is_removed_in_any_form(text: str, expected: str) -> None:
    assert toml.remove(text, PATH) == expected


def test_a_changed_toml_table_keeps_the_comments_around_it() -> None:
    text = "# mine\n[servers.ours]\nold = 1\n\n# next\n[other]\nx = 1\n"

    assert toml.set_value(text, PATH, ENTRY) == (
        "# mine\n\n# next\n[other]\nx = 1\n\n"
        '[servers.ours]\ncommand = "/usr/bin/core13-mcp"\nargs = ["serve"]\n\n[servers.ours.env]\nPOSTHOG_HOST = "eu"\n'
    )


def test_an_entry_is_added_to_an_inline_table() -> None:
    added = toml.set_value("servers = { a = { x = 1 } } # mine\n", PATH, ENTRY)

    assert tomllib.loads(added) == {"servers": {"a": {"x": 1}, "ours": ENTRY}}
    assert added.startswith("servers = { a = { x = 1 }") and added.endswith("} # mine\n")


@pytest.mark.parametrize("text", ["servers = 1\n", "[[servers]]\na = 1\n"])
def test_a_toml_file_is_refused_if_the_table_cannot_be_added(text: str) -> None:
    with pytest.raises(ParseError, match="cannot be edited automatically; edit it by hand"):
        toml.set_value(text, PATH, ENTRY)
