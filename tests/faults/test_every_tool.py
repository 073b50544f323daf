"""The invariants hold for every tool with any arguments and any faults."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration

from .arguments import invalid_arguments, valid_arguments
from .fault_transport import FAULTS
from .harness import Harness
from .invariants import check_effect, check_result, check_secrets, text_of

TOOLS = load()
SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module", params=["auto", "legacy"])
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    with Harness(request.param, log_format="json" if request.param == "auto" else "text") as harness:
        yield harness


@pytest.mark.parametrize("name", TOOLS)
def test_the_invariants_hold_for_any_arguments_and_faults(harness: Harness, name: str) -> None:
    tool = TOOLS[name]
    arguments = valid_arguments(tool) | valid_arguments(tool) | invalid_arguments(tool)

    @settings(SETTINGS, max_examples=100)
    @given(arguments, some.lists(some.sampled_from(FAULTS), max_size=5), some.sampled_from([True, True, True, False]))
    def check(arguments: dict[str, Any], faults: list[str], accepts: bool) -> None:
        harness.accepts = accepts
        check_call(harness, tool, arguments, faults)

    check()


@pytest.mark.parametrize("name", TOOLS)
def test_a_cancelled_call_leaves_no_request_open_and_has_its_effect_at_most_once(harness: Harness, name: str) -> None:
    tool = TOOLS[name]

    @settings(SETTINGS, max_examples=20)
    @given(valid_arguments(tool), some.lists(some.sampled_from(FAULTS), max_size=3), some.floats(0.0, 8.0))
    @example({}, ["delay=20"], 1.0)
    def check(arguments: dict[str, Any], faults: list[str], cancel_after: float) -> None:
        harness.accepts = True
        check_call(harness, tool, arguments, faults, cancel_after)

    check()


def check_call(
    harness: Harness, tool: Declaration, arguments: dict[str, Any], faults: list[str], cancel_after: float = math.inf
) -> str:
    """Make one call, check all invariants, and return the code of the result.

    Raises:
        InvariantViolation: An invariant does not hold.
    """
    result = harness.call(tool.name, arguments, faults, cancel_after)
    log, added = harness.log.getvalue(), harness.added
    assert harness.transport.open_requests == 0, "a request is still open"
    check_secrets(tool, arguments, result, log)
    code = check_result(tool, arguments, result, log) if result else "cancelled"
    expected = added
    if code == "ok" or any(added.values()):
        # The same call without faults. It is not needed for a call that failed and had no effect.
        harness.call(tool.name, arguments, [])
        expected, harness.added = harness.added, added
    check_effect("unavailable" if code == "cancelled" else code, text_of(result) if result else "", expected, added)
    return code
