"""The files in packages/ as they are after the first release."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from core13_mcp import identity

ROOT = Path(__file__).parents[2]


def release_files() -> dict[str, str]:
    """Return the texts by path, generated as for a published package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "PUBLISHED", True)
        patch.syspath_prepend(str(ROOT / "scripts"))
        files: dict[str, str] = runpy.run_path(str(ROOT / "scripts" / "packages.py"))["files"]()
    return files
