"""The pages about setting up show what the commands do today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["install", "doctor"])
def test_what_a_page_shows_is_what_the_commands_do(page):
    script = f"scripts/{page}_page.py"
    ran = subprocess.run(
        [sys.executable, script, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert ran.returncode == 0, f"run {script}:\n{ran.stdout}{ran.stderr}"
