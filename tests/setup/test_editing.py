"""Editing other people's files: what is not ours stays as it is, byte for byte."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core13_mcp.setup import jsonc, toml
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import Server, edits
from core13_mcp.setup.merge import cleared, merged
from core13_mcp.setup.paths import Unparsable

ENTRY = {"command": "/usr/bin/core13-mcp", "args": ["serve"], "env": {"POSTHOG_HOST": "eu"}}
NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "ours")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NAME,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=8,
)
SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\t", "\r\n    "])
NOTE = st.sampled_from(["", "", "/* a, {note} */", "// to the end: ,}\n"])


@st.composite
def commented(draw: st.DrawFn, value: Any) -> str:
    """A value as some person may have written it: any white space, comments, trailing commas."""

    def gap() -> str:
        return draw(SPACE) + draw(NOTE) + draw(SPACE)

    if not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    named = value.items() if isinstance(value, dict) else [("", part) for part in value]
    parts = [
        gap()
        + (json.dumps(name) + gap() + ":" + gap() if isinstance(value, dict) else "")
        + draw(commented(part))
        + gap()
        for name, part in named
    ]
    trailing = draw(st.booleans())
    inside = ",".join(parts) + ("," + gap() if parts and trailing else "") or draw(SPACE)
    return f"{{{inside}}}" if isinstance(value, dict) else f"[{inside}]"


SERVERS = st.dictionaries(NAME, VALUES, min_size=1, max_size=3)
FILES = st.tuples(st.dictionaries(NAME, VALUES, max_size=3), SERVERS).flatmap(
    lambda both: commented({**both[0], "servers": both[1]})
)


@given(FILES)
def test_what_was_put_into_json_and_dropped_again_leaves_every_byte_as_it_was(text):
    put = jsonc.put(text, ("servers", "ours"), ENTRY)

    assert jsonc.read(put) == {
        **jsonc.read(text),
        "servers": {**jsonc.read(text)["servers"], "ours": ENTRY},
    }
    assert jsonc.drop(put, ("servers", "ours")) == text


@given(VALUES.filter(lambda value: isinstance(value, dict)).flatmap(commented))
def test_where_nothing_was_the_containers_are_made_and_nothing_else_changes(text):
    before = jsonc.read(text)
    assume("servers" not in before and "inputs" not in before)

    put = jsonc.put(jsonc.put(text, ("inputs", ("id", "ours")), {"id": "ours"}), ("servers", "ours"), ENTRY)
    left = jsonc.drop(jsonc.drop(put, ("servers", "ours")), ("inputs", ("id", "ours")))

    assert jsonc.read(put) == {**before, "inputs": [{"id": "ours"}], "servers": {"ours": ENTRY}}
    assert jsonc.read(left) == {**before, "inputs": [], "servers": {}}


@given(FILES, VALUES)
def test_what_is_there_is_replaced_where_it_stands(text, value):
    put = jsonc.put(jsonc.put(text, ("servers", "ours"), value), ("servers", "ours"), ENTRY)

    assert list(jsonc.read(put)["servers"])[-1] == "ours"
    assert jsonc.put(put, ("servers", "ours"), ENTRY) == put
    assert jsonc.drop(put, ("servers", "ours")) == text


@given(VALUES)
def test_strict_json_reads_as_the_standard_library_reads_it(value):
    assert jsonc.read(json.dumps(value, indent=1), comments=False) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "why"),
    [
        ('{"a": 1\n "b": 2}', 2, 2, "a comma or } is expected here"),
        ('{\n  "a" 1}', 2, 7, "a colon is expected here"),
        ("{\n  a: 1}", 2, 3, 'a name in "quotes" is expected here'),
        ('{"a": nope}', 1, 7, "a value is expected here"),
        ('{"a": "never ends', 1, 7, "Unterminated string starting at"),
        ('{"a": 1} {', 1, 10, "something follows the end of the value"),
        ("{", 1, 2, 'a name in "quotes" is expected here'),
        ("[" * 100_000, 1, 1, "it is nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_and_the_place_is_told(text, line, column, why):
    with pytest.raises(Unparsable) as refused:
        jsonc.put(text, ("servers", "ours"), ENTRY)

    assert str(refused.value) == f"line {line}, column {column}: {why}"


@pytest.mark.parametrize(("text", "why"), [("{} // no", "comments are"), ('{"a": 1,}', "a comma before }")])
def test_a_client_that_takes_plain_json_only_is_given_plain_json_only(text, why):
    with pytest.raises(Unparsable, match=why):
        jsonc.read(text, comments=False)


def test_something_else_in_the_place_of_the_servers_is_not_written_over():
    with pytest.raises(Unparsable, match="line 1, column 13: an object is expected here"):
        jsonc.put('{"servers": []}', ("servers", "ours"), ENTRY)


@given(
    VALUES.filter(lambda value: isinstance(value, dict)).flatmap(commented),
    st.sampled_from(["cursor", "vscode", "zed"]),
)
def test_install_and_uninstall_give_back_every_byte_however_odd(text, name):
    client = CLIENTS[name]
    assume(isinstance(jsonc.read(text).get(client.key, {}), dict))
    assume(isinstance(jsonc.read(text).get("inputs", []), list))

    put = merged(client, text, edits(client, (client.key,), Server(command=["x"], variables={})))

    assert put != text
    assert cleared(client, put, (client.key,), before=text) == text


TOML_NAME = st.from_regex(r"[a-z]{1,6}", fullmatch=True).filter(lambda name: name != "ours")
LINE = st.one_of(
    st.builds("{} = {}".format, TOML_NAME, st.sampled_from(["1", '"two"', "[1, 2]", "{ a = 1 }", "'''\n[x]\n'''"])),
    st.sampled_from(["", "# a note", "  # [servers.ours]"]),
)
TABLE = st.builds(
    lambda header, lines: "\n".join([header, *lines]),
    st.builds("[{}]".format, st.one_of(TOML_NAME, TOML_NAME.map(lambda name: f"servers.{name}"))),
    st.lists(LINE, max_size=3),
)


@given(st.lists(LINE, max_size=2), st.lists(TABLE, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_what_was_put_into_toml_and_dropped_again_leaves_every_byte_as_it_was(top, tables, newline):
    text = newline.join([*"\n".join(top).split("\n"), *"\n".join(tables).split("\n"), ""])
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)

    put = toml.put(text, ("servers", "ours"), ENTRY)

    assert tomllib.loads(put)["servers"]["ours"] == ENTRY
    assert put.startswith(text)
    assert toml.put(put, ("servers", "ours"), ENTRY) == put
    assert toml.drop(put, ("servers", "ours")) == text
    assert tomllib.loads(text) == before


def test_a_table_is_replaced_where_it_stands_with_the_tables_under_it():
    text = '[servers.ours]\ncommand = "old"\n[servers.ours.env]\nA = "1"\n\n# next\n[other]\nx = 1\n'

    put = toml.put(text, ("servers", "ours"), ENTRY)

    assert put == (
        '[servers.ours]\ncommand = "/usr/bin/core13-mcp"\nargs = ["serve"]\nenv = { POSTHOG_HOST = "eu" }\n'
        "\n# next\n[other]\nx = 1\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        'servers = { ours = { command = "x" } }\n',
        'servers.ours.command = "x"\n',
        'servers = { a = { command = "x" } }\n',
    ],
)
def test_toml_that_cannot_be_edited_safely_is_left_to_a_person(text):
    with pytest.raises(Unparsable, match="only a person can edit safely"):
        toml.put(text, ("servers", "ours"), ENTRY)


def test_what_is_not_toml_is_refused_and_the_place_is_told():
    with pytest.raises(Unparsable, match=r"line 2, column 5: "):
        toml.read("a = 1\nb = what\n")


@pytest.mark.parametrize("text", ["a = ", "a = 1\nb"])
def test_toml_that_ends_too_early_is_refused_at_its_end(text):
    with pytest.raises(Unparsable) as refused:
        toml.read(text)
    assert (refused.value.line, refused.value.column) == (text.count("\n") + 1, len(text.splitlines()[-1]) + 1)


def test_taking_out_what_is_not_there_leaves_the_text_as_it_is():
    assert jsonc.drop('{"a": 1}', ("servers", "ours")) == '{"a": 1}'
    assert toml.drop("a = 1\n", ("servers", "ours")) == "a = 1\n"


def test_a_table_that_stands_first_is_taken_out_without_what_follows_it():
    put = toml.put("", ("servers", "ours"), ENTRY)

    assert toml.drop(put, ("servers", "ours")) == ""
    assert toml.drop(f"{put}[tui]\n", ("servers", "ours")) == "[tui]\n"


@pytest.mark.parametrize(
    "text",
    [
        '{ "servers": { // mine\n  "ours": {} } }',
        '{ "servers": { "a": 1, // one\n  "ours": {} } }',
        '{ "servers": { // mine\n  "ours": {}, "b": 2 } }',
    ],
)
def test_what_follows_an_entry_does_not_end_up_in_a_comment(text: str) -> None:
    wanted = jsonc.read(text)
    del wanted["servers"]["ours"]
    assert jsonc.read(jsonc.drop(text, ("servers", "ours"))) == wanted


def test_an_address_is_no_comment() -> None:
    text = '{"servers": {"a": {"url": "https://a.example"}}}'
    put = jsonc.put(text, ("servers", "ours"), ENTRY)
    assert jsonc.drop(put, ("servers", "ours")) == text


def test_a_comment_in_an_empty_object_stays() -> None:
    text = '{\n  "servers": {\n    // "files": {"command": "npx"}\n  }\n}'
    put = jsonc.put(text, ("servers", "ours"), ENTRY)
    assert '// "files"' in put and jsonc.read(put) == {"servers": {"ours": ENTRY}}
