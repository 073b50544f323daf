"""Every test of setup has an empty home."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _home(home: object) -> None:
    """Use the empty home."""
