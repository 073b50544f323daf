"""Edit YAML files. Only the lines of one entry change, and a second parse verifies every edit.

ruamel.yaml only parses here: if it writes a file, it changes indentation and line breaks outside the entry too.

Each function raises ParseError if the text is not YAML, or if the entry has a form that cannot be edited.
"""

from __future__ import annotations

from io import StringIO
from itertools import takewhile
from textwrap import indent
from typing import Any, Literal

from . import paths
from .paths import ParseError, newline


def read(text: str) -> Any:
    """Return the value of a text; an empty object if the text has no value."""
    value = _parse(text, "load")
    if value is not None and not isinstance(value, dict):
        raise ParseError("line 1, column 1: expected an object")
    return value or {}


def set_value(text: str, path: tuple[str, str], value: dict[str, Any]) -> str:
    """Return the text with an object at a path of two names. A new or changed object is the first one in its parent."""
    parent, name = path
    if _members(read(text), parent).get(name) == value:
        return text
    line_end, column = newline(text), 2
    edited = remove(text, path)
    member = _member(edited, parent)
    if member is None:
        edited += "" if edited.endswith("\n") or not edited else line_end
        start = len(edited)
        edited += f"{parent}:{line_end}"
    else:
        key, node = member
        start = key.end_mark.index
        if isinstance(node.value, list) and node.value:
            column = node.value[0][0].start_mark.column
        else:
            # `{}` or `null`. The members of an object stand on the lines below its name.
            edited = edited[: node.start_mark.index].rstrip(" ") + edited[node.end_mark.index :]
    edited += "" if "\n" in edited[start:] else line_end
    start = edited.index("\n", start) + 1
    lines = indent(_dump({name: value}), " " * column).replace("\n", line_end)
    return _verified(text, edited[:start] + lines + edited[start:], path, value)


def remove(text: str, path: tuple[str, str]) -> str:
    """Return the text without the object at a path of two names, or the same text if there is none.

    Comments below the object are kept, because they usually belong to the next one.
    """
    if paths.get(read(text), path) is None:
        return text
    key, node = _member(text, path[0])
    names = [child.value for child, _ in node.value]
    index = names.index(path[1])
    starts = [child.start_mark.index for child, _ in node.value] + [node.end_mark.index]
    start, end = (_line_start(text, offset) for offset in starts[index : index + 2])
    lines = reversed(text[start:end].splitlines(keepends=True))
    comments = "".join(reversed([*takewhile(lambda line: line.strip()[:1] in ("", "#"), lines)]))
    before, colon = text[:start], key.end_mark.index
    if len(names) == 1:
        # Without a value, the parent would be null.
        before = f"{before[:colon]}: {{}}{before[colon + 1 :]}"
    return _verified(text, before + comments + text[end:], path, None)


def _line_start(text: str, offset: int) -> int:
    return offset if offset == len(text) else text.rfind("\n", 0, offset) + 1


def _member(text: str, name: str) -> Any:
    """Return the nodes of the key and of the value of a member of the text's object; None if there is none."""
    document = _parse(text, "compose")
    return next((nodes for nodes in document.value if nodes[0].value == name), None) if document else None


def _parse(text: str, method: Literal["load", "compose"]) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    parser: Any = YAML(typ="safe", pure=True)
    # Two values may have the same anchor; the warning would be printed.
    parser.composer.warn_double_anchors = False
    try:
        return getattr(parser, method)(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ParseError(f"{place}{error.problem or error.context}") from None
    except YAMLError as error:
        # A character that YAML does not allow.
        raise ParseError(str(error).splitlines()[0]) from None
    except RecursionError:
        raise ParseError("line 1, column 1: the file is nested too deeply") from None


def _dump(value: Any) -> str:
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = yaml.sort_base_mapping_type_on_output = False
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def _verified(text: str, edited: str, path: tuple[str, str], value: Any) -> str:
    """Return the edited text if it differs only at the path, so that no edit loses data."""
    try:
        after = read(edited)
        is_correct = paths.get(after, path) == value and _without(after, path) == _without(read(text), path)
    except ParseError:
        is_correct = False
    if not is_correct:
        raise ParseError(
            "this entry has a form that cannot be edited automatically; edit it by hand, as `install --print` shows"
        )
    return edited


def _without(content: dict[str, Any], path: tuple[str, str]) -> dict[str, Any]:
    """Return the value of a file with the parent of a path, but without the value at the path."""
    parent, name = path
    return {**content, parent: {key: item for key, item in _members(content, parent).items() if key != name}}


def _members(content: dict[str, Any], name: str) -> dict[str, Any]:
    members = content.get(name)
    if members is not None and not isinstance(members, dict):
        raise ParseError(f'"{name}" is not an object')
    return members or {}
