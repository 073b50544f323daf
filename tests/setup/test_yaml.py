"""Edits of a YAML file change one entry; every other byte stays the same."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core13_mcp.setup import yaml
from core13_mcp.setup.paths import ParseError

ENTRY = {"cmd": "/usr/bin/core13-mcp", "args": ["serve"], "envs": {"A": "yes"}, "enabled": True, "description": "a: #b"}
PATH = ("servers", "ours")
NAMES = st.from_regex(r"[a-z]{1,6}", fullmatch=True).filter(lambda name: name not in ("ours", "servers"))
VALUES = ["1", "two", "'a: b'", "[1, {b: 2}]", "{}", "|\n    # text\n    more", "yes", "&anchor {a: 1}", "~ # none"]
LINES = st.one_of(
    st.builds("{}: {}".format, NAMES, st.sampled_from(VALUES)), st.sampled_from(["", "# a comment", "    # ours:"])
)


def load(text: str) -> Any:
    with warnings.catch_warnings(action="ignore"):
        return YAML(typ="safe", pure=True).load(text)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file with the servers in any place, indented by any number of spaces."""
    indent = " " * draw(st.integers(1, 4))
    servers = [indent + line.replace("\n", "\n" + indent) for line in draw(st.lists(LINES, max_size=4))]
    empty = not any(line.strip()[:1] not in ("", "#") for line in servers)
    title = "servers: {} # mine" if empty else draw(st.sampled_from(["servers:", "servers: # mine"]))
    lines = [*draw(st.lists(LINES, max_size=2)), title, *servers, *draw(st.lists(LINES, max_size=2))]
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join("\n".join(lines).split("\n")) + draw(st.sampled_from(["", newline]))


@given(files())
def test_removing_an_added_entry_restores_the_file(text: str) -> None:
    try:
        before = load(text)
    except YAMLError:
        # Two members with the same name.
        assume(False)

    added = yaml.set_value(text, PATH, {"cmd": "another"})
    changed = yaml.set_value(added, PATH, ENTRY)

    assert load(changed) == {**before, "servers": {**(before["servers"] or {}), "ours": ENTRY}}
    assert yaml.set_value(changed, PATH, ENTRY) == changed
    assert yaml.remove(changed, PATH) == yaml.remove(added, PATH)
    assert yaml.remove(changed, PATH).rstrip() == text.rstrip()


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("", "servers: {}\n"),
        ("a: 1", "a: 1\nservers: {}\n"),
        ("# mine\n", "# mine\nservers: {}\n"),
        ("servers: # mine\nb: 1", "servers: {} # mine\nb: 1"),
        ("servers:\n", "servers: {}\n"),
        ("a: 1\r\nservers: null\r\n", "a: 1\r\nservers: {}\r\n"),
        ("---\nservers:\n  a: 1\n...\n", "---\nservers:\n  a: 1\n...\n"),
        ("\ufeffservers: {}\n", "\ufeffservers: {}\n"),
    ],
)
def test_a_missing_or_empty_object_is_filled(text: str, removed: str) -> None:
    added = yaml.set_value(text, PATH, ENTRY)

    assert load(added)["servers"]["ours"] == ENTRY
    assert yaml.remove(added, PATH) == removed


def test_comments_below_a_removed_entry_are_kept() -> None:
    text = "servers:\n  ours:\n    cmd: a # old\n\n  # next\n  b:\n    cmd: b\n"
    assert yaml.remove(text, PATH) == "servers:\n\n  # next\n  b:\n    cmd: b\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: : 1", "line 1, column 4: mapping values are not allowed here"),
        ("a: 1\n---\nb: 1\n", "line 2, column 1: but found another document"),
        ("a: \x07", "unacceptable character #x0007: special characters are not allowed"),
        ("[" * 1_000, "line 1, column 1: the file is nested too deeply"),
        ("[1]", "line 1, column 1: expected an object"),
        ("servers: [1]", '"servers" is not an object'),
        (
            "{a: 1}",
            "this entry has a form that cannot be edited automatically; edit it by hand, as `install --print` shows",
        ),
        (
            "servers: {a: {b: 1}}",
            "this entry has a form that cannot be edited automatically; edit it by hand, as `install --print` shows",
        ),
        (
            "servers: &all\n  a: 1\nb: *all\n",
            "this entry has a form that cannot be edited automatically; edit it by hand, as `install --print` shows",
        ),
    ],
)
def test_a_file_that_cannot_be_edited_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParseError) as refused:
        yaml.set_value(text, PATH, ENTRY)
    assert str(refused.value) == message
