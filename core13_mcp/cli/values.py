"""Types of command-line arguments. Standard library only."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from ..text import did_you_mean


def one_of(values: Sequence[str], flags: Sequence[str] = ()) -> Callable[[str], str]:
    """Return an argument type that accepts some values only. It suggests the most similar value or flag."""

    def parse_value(text: str) -> str:
        if text not in values:
            fix = did_you_mean(text, (*values, *flags)) or f"Use {', '.join(values)}."
            raise argparse.ArgumentTypeError(f"there is no {text!r}. {fix}")
        return text

    return parse_value


def port(text: str) -> int:
    """Parse the number of a port."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a port; use a number from 0 to 65535")
    return int(text)


def seconds(text: str) -> int:
    """Parse a lifetime in seconds."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 604_800):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a lifetime; use a number of seconds from 1 to 604800")
    return int(text)
