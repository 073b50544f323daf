"""Where the declarations are."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def builtin_dir() -> Traversable:
    """The tools/ folder: in the package once installed, beside it in a checkout."""
    inside = files("core13_mcp") / "tools"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "tools"
