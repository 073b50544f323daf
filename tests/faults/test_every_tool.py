"""Every tool, with any arguments, under any sequence of faults: the laws hold, and nothing happens twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration

from .arguments import invalid, valid
from .fault_transport import FAULTS
from .harness import Bench
from .invariants import happened, hold, no_leak, text_of

TOOLS = load()
EXAMPLES = 200
thorough = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module", params=["auto", "legacy"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(request.param, form="json" if request.param == "auto" else "text") as bench:
        yield bench


@pytest.mark.parametrize("name", TOOLS)
def test_whatever_is_asked_and_whatever_happens_the_laws_hold(bench: Bench, name: str) -> None:
    tool = TOOLS[name]
    arguments = valid(tool) | valid(tool) | invalid(tool)
    faults = some.lists(some.sampled_from(FAULTS), max_size=5)

    @settings(thorough, max_examples=EXAMPLES // 2)
    @given(arguments, faults, some.sampled_from([True, True, True, False]))
    def all_of_them(arguments: dict[str, Any], faults: list[str], agrees: bool) -> None:
        bench.agrees = agrees
        check(bench, tool, arguments, faults)

    all_of_them()


@pytest.mark.parametrize("name", TOOLS)
def test_a_cancelled_call_leaves_nothing_open_and_nothing_half_done(bench: Bench, name: str) -> None:
    tool = TOOLS[name]

    @settings(thorough, max_examples=20)
    @given(valid(tool), some.lists(some.sampled_from(FAULTS), max_size=3), some.floats(0.0, 8.0))
    @example({}, ["delay=20"], 1.0)
    def all_of_them(arguments: dict[str, Any], faults: list[str], after: float) -> None:
        bench.agrees = True
        check(bench, tool, arguments, faults, after)

    all_of_them()


def check(
    bench: Bench, tool: Declaration, arguments: dict[str, Any], faults: list[str], cancel_after: float = math.inf
) -> str:
    """Make one call under faults, and hold all laws against what came of it."""
    result, found = bench.call(tool.name, arguments, faults, cancel_after)
    log = bench.logged.getvalue()
    assert bench.wire.open == 0, "a request is left open"
    no_leak(tool, arguments, result, log)
    code = hold(tool, arguments, result, log) if result else "cancelled"
    text = text_of(result) if result else ""
    asked = found
    if code == "ok" or any(found.values()):
        # Only now, because what did nothing and says so is in order whatever was asked.
        _, asked = bench.call(tool.name, arguments, [])
        bench.added = found
    happened("unavailable" if code == "cancelled" else code, text, asked, found)
    return code
