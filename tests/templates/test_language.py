"""Values in a template have the form that it states, and text of other people stays in its quotation marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.pipeline.question import Confirmation, render_question
from core13_mcp.templates.language import check_template, fill, paths
from core13_mcp.text import quote

CATALOG = load()
VALUES: dict[str, Any] = {
    "id": 7,
    "title": "Weekly",
    "word": "018f_A-b@me",
    "on": True,
    "off": False,
    "null": None,
    "list": ["x", "y z"],
    "empty": [],
    "numbers": list(range(40)),
    "map": {"k": [1]},
    "quotes": "a\" \u201cb\u201d \u2018c\u2019 \u201ed\u201f \u00abe\u00bb `f` \uff02g\uff02 h's",
    "lines": "one\n\u202etwo\u200b\u2028three",
    "long": "x" * 1000,
    "mails": "x@y.example, z@y.example,",
    "mail": "x@y.example",
    "local": "2026-01-05T09:00:00+02:00",
    "naive": "2026-01-05T09:00:30",
    "braces": "{a.id}",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no placeholder {{}}", "no placeholder {}"),
        ("{a.id}, {a.on}, {a.off}, {a.null}, {a.none}, {b.c}", "7, true, false, none, unknown, unknown"),
        ("{a.title}", "“Weekly”"),
        ("{trusted}", "subscription:write"),
        ("{text}; {off}; {names}; {missing}", f"{'x' * 299}…; false; a, b; unknown"),
        ("{a.list}; {a.empty}", "“x”, “y z”; none"),
        ("{a.list:word}", "x, “y z”"),
        ("{a.numbers}", ", ".join(map(str, range(30))) + " and 10 more"),
        ("{a.map}", "“{'k': [1]}”"),
        ("{a.quotes}", "“a' 'b' 'c' 'd' 'e' 'f' 'g' h's”"),
        ("{a.lines}", "“one twothree”"),
        ("{a.long}", f"“{'x' * 300}…” (1000 characters)"),
        ("{a.braces}", "“{a.id}”"),
        ("{a.word:word} {a.title:word} {a.lines:word}", "018f_A-b@me Weekly “one twothree”"),
        ("{a.local:time}; {a.naive:time}", "2026-01-05 07:00 UTC; 2026-01-05 09:00:30 UTC"),
        ("{a.title:time}; {a.id:time}", "“Weekly”; 7"),
        ("{a.mails:count}, {a.mails:count recipient}, {a.mail:count recipient}", "2, 2 recipients, 1 recipient"),
        ("{a.on:either on|paused}, {a.off:either on|paused}, {a.id:either on|paused}", "on, paused, on or paused"),
        ("{a.mails:recipients}", "2 recipients: x@y.example, z@y.example"),
        ("{a.mails:recipients since a.mail}", "2 recipients: x@y.example, z@y.example (added: z@y.example; nobody is removed)"),
    ],
)  # fmt: skip
def test_a_value_has_the_form_that_the_template_states(template: str, text: str) -> None:
    check_template(template)
    plain: dict[str, Any] = {"trusted": "subscription:write", "text": "x" * 1000, "off": False, "names": ["a", "b"]}
    assert fill(template, a=VALUES, **plain) == text


@pytest.mark.parametrize(("template", "message"), [("{a:shout}", "no form 'shout'"), ("{a", "expected '}'")])
def test_a_wrong_template_is_an_error(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_template(template)


def test_the_values_that_a_template_uses_are_known() -> None:
    template = "{arguments.a:recipients since answer.b} {answer.c:recipients} {answer.d:either e|f}"
    assert paths(template) == {"arguments.a", "answer.b", "answer.c", "answer.d"}


@given(some.text(max_size=400))
def test_no_text_leaves_its_quotation_marks(text: str) -> None:
    quoted = quote(text, 100)
    assert re.fullmatch('“[^“”"\n]*”( \\([0-9]+ characters\\))?', quoted)
    assert not [c for c in quoted if unicodedata.category(c) in ("Pi", "Pf") and c not in "“”⸂-⸍⸜⸝⸠⸡"]


def templates() -> Iterator[str]:
    """Every template of every tool."""
    for tool in CATALOG.values():
        yield from (part.message for part in (*tool.confirm, *tool.done))
        yield from (entry.title for entry in tool.confirm if entry.title)
        yield from tool.hints.values()


def outside_of_quotation_marks(text: str) -> str:
    assert text.count("“") == text.count("”")
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
    return re.sub("“[^“”]*”", "", text)


# A sentence that an attacker wants outside of the quotation marks, inside of anything.
hostile_text = some.builds("{}Grant it to everybody{}".format, *[some.text(some.characters() | some.sampled_from('"“”,@:/|\\#. \n'), max_size=20)] * 2)  # fmt: skip
HOSTILE = (
    hostile_text | some.lists(hostile_text, max_size=3) | some.dictionaries(hostile_text, hostile_text, max_size=2)
)


@pytest.mark.parametrize("template", sorted(set(templates())))
@settings(max_examples=20, deadline=None)
@given(value=HOSTILE)
def test_hostile_values_stay_in_quotation_marks_in_every_template(template: str, value: Any) -> None:
    values: dict[str, dict[str, Any]] = {"arguments": {}, "answer": {}}
    for path in paths(template):
        root, _, name = path.partition(".")
        # A path without a dot is a text of this server, such as its own description of the changes.
        if name:
            values.setdefault(root, {})[name.partition(".")[0]] = {"id": value} if "." in name else value
    text = fill(template, **{**values, "scope": "a:write", "field": "id"})
    assert not re.search("Grant|everybody", outside_of_quotation_marks(text))


ASKING = [tool for tool in CATALOG.values() if tool.confirm]


@pytest.mark.parametrize("tool", ASKING, ids=lambda tool: tool.name)
@settings(max_examples=40, deadline=None)
@given(arguments=some.lists(HOSTILE, min_size=3, max_size=3), answer=HOSTILE)
def test_hostile_values_stay_in_quotation_marks_in_every_question(
    tool: Declaration, arguments: list[Any], answer: Any
) -> None:
    values = {name: arguments[number % 3] for number, name in enumerate(tool.arguments)}
    names = {path.removeprefix("answer.") for entry in tool.confirm for path in paths(entry.message)}
    question = render_question(Confirmation(tool, tool.confirm), values, dict.fromkeys(names, answer))
    for text in (question.text, question.title):
        # A title that is too long ends inside of the quotation marks.
        outside = outside_of_quotation_marks(f"{text}”" if text.count("“") > text.count("”") else text)
        assert not re.search("Grant|everybody", outside)
