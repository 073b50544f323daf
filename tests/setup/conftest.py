"""All tests of the setup run with an empty home folder."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _home(home: object) -> None:
    """Use the empty home folder."""
