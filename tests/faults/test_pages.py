"""The transcript of a confirmation is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_transcript_of_a_confirmation_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/confirmation.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, "run scripts/confirmation.py"
