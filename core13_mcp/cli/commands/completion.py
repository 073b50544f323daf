"""`core13-mcp completion`: print a shell completion script."""

from __future__ import annotations

import argparse

from ...declarations.catalog import load
from ..completion import completion_script


async def run(arguments: argparse.Namespace, _: object) -> int:
    """Print the completion script for a shell."""
    print(completion_script(arguments.shell, load()), end="")
    return 0
