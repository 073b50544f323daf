"""Replacements for stdin and stdout of the test process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# The descriptors at which a test writes to stdin and reads from stdout.
StdioPipes = tuple[int, int]


@pytest.fixture
def stdio_pipes() -> Iterator[StdioPipes]:
    """Connect descriptors 0 and 1 of this process to pipes during the test."""
    saved = os.dup(0), os.dup(1)
    stdin, to_stdin = os.pipe()
    from_stdout, stdout = os.pipe()
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.close(stdin)
    os.close(stdout)
    yield to_stdin, from_stdout
    os.dup2(saved[0], 0)
    os.dup2(saved[1], 1)
    for descriptor in (*saved, to_stdin, from_stdout):
        os.close(descriptor)
