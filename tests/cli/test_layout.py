"""Tables and values of the command line: narrow terminals, tools without arguments, and lifetimes."""

from __future__ import annotations

import argparse

import pytest

from core13_mcp.cli.layout import columns
from core13_mcp.cli.tool_table import describe_tool
from core13_mcp.cli.values import seconds


def test_on_a_narrow_terminal_the_last_column_is_below_the_others():
    rows = [("argument", "description"), ("a-long-argument-name", "One of several words")]
    assert list(columns(rows, 30)) == [
        "argument",
        "    description",
        "a-long-argument-name",
        "    One of several words",
    ]


def test_a_tool_without_arguments_says_so():
    tool = {
        "annotations": {"readOnlyHint": True},
        "name": "things-list",
        "title": "List",
        "description": "All.",
        "inputSchema": {"type": "object", "properties": {}},
    }
    assert "It has no arguments." in list(describe_tool(tool, 80))


def test_a_lifetime_is_a_number_of_seconds_up_to_a_week():
    assert seconds("604800") == 604_800
    for text in ("0", "604801", "1.5", "a", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a lifetime"):
            seconds(text)
