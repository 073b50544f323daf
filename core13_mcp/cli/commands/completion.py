"""`core13-mcp completion`: what makes a shell complete these commands."""

from __future__ import annotations

import argparse

from ...declarations.catalog import load
from ...origins import REGIONS
from ...settings import OPTIONS
from ..completion import SHELLS, describe
from ..parser import commands


async def run(arguments: argparse.Namespace, _: object) -> int:
    """Print the script for a shell, to be sourced there."""
    print(SHELLS[arguments.shell](describe(commands(), _values()), load()), end="")
    return 0


def _values() -> dict[str, tuple[str, ...]]:
    """What the flags of settings take, where it is one of a few words."""
    found = {"--host": tuple(REGIONS)}
    for option in OPTIONS:
        if option.choices:
            found[option.flag] = option.choices
    return found
