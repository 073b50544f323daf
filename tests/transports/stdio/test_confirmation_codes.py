"""A code of one stdio process confirms a call in another one if both have the same `CORE13_SEAL_KEYS`."""

from __future__ import annotations

import re
from typing import Any

import anyio
import pytest
from mcp import Client

from ...clients import result_meta, result_text
from ...processes import stdio_parameters

pytestmark = pytest.mark.anyio

SEND = "subscriptions-test-delivery-create"


@pytest.mark.parametrize(("keys", "code"), [({"CORE13_SEAL_KEYS": "k" * 32}, None), ({}, "confirmation_invalid")])
async def test_a_code_is_valid_in_another_process_with_the_same_keys(keys: dict[str, str], code: str | None) -> None:
    async def send(**more: str) -> Any:
        async with Client(stdio_parameters("--sandbox", env=keys)) as client:
            return await client.call_tool(SEND, {"project_id": 1, "id": 1, **more})

    with anyio.fail_after(60):
        [confirmation] = re.findall(r"confirmation=(\S+)\.", result_text(await send()))
        second = await send(confirmation=confirmation)
    assert (result_meta(second)["code"] if second.is_error else None) == code
