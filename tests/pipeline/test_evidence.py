"""A result reports success only if the response shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.errors import OutcomeUnknown, ToolError
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import prepare
from core13_mcp.pipeline.execution import Execution
from core13_mcp.pipeline.projection import CallResult

from ..fake_api import KEY, FakeAPI, Reply, call_context, reply
from .test_every_tool import CALLS

pytestmark = pytest.mark.anyio

CATALOG = load()
WRITES = [tool.name for tool in CATALOG.values() if not tool.read_only]
ARGUMENTS = {name: arguments for name, arguments, _ in CALLS} | {"users-destroy": {}}
SESSION = Credentials(SecretStr(KEY), SecretStr("s" * 32), SecretStr("c" * 32))


async def result(name: str, *replies: Reply, **arguments: Any) -> CallResult:
    context = call_context(FakeAPI(*replies), credentials=SESSION, confirm="never", project_id=1)
    tool = CATALOG[name]
    return await Execution(prepare(tool, {**ARGUMENTS[name], **arguments}, context)).run()


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (202, {"error": "queue full"}),
        (200, {"detail": "Maintenance, try later"}),
        (206, {"detail": "A part."}),
        (200, []),
        (200, "done"),
        (204, {"detail": "A body."}),
    ],
    ids=["empty object", "202 with an error", "maintenance", "206", "list", "text", "204 with a body"],
)
async def test_a_write_whose_response_shows_no_effect_has_an_unknown_outcome(name: str, status: int, body: Any) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await result(name, reply(status, json.dumps(body).encode()))
    message = str(caught.value)
    assert f"status {status}" in message and "does not show that it was done" in message
    step = "Calling again is safe." if CATALOG[name].repeatable else "Check before you call it again."
    assert message.endswith(step)


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_with_an_empty_body_succeeds_only_with_the_declared_status(name: str) -> None:
    evidence = CATALOG[name].evidence
    assert evidence is not None
    for status in (200, 201, 202, 204):
        shown = status in evidence.status and (status == 204 or not (evidence.field or evidence.echo))
        try:
            text = (await result(name, reply(status))).text
        except ToolError as error:
            assert not shown and "no body" in str(error)
        else:
            assert shown and '"done"' in text


async def test_a_deletion_reports_what_happened() -> None:
    soft = await result("subscriptions-destroy", reply(405), reply(200, {"id": 1, "deleted": True}), id=1)
    assert "To undo it" in soft.value["done"]
    unclear = await result("subscriptions-destroy", reply(405), reply(200, {"id": 1, "deleted": False}), id=1)
    assert "does not show subscription 1 as deleted" in unclear.value["done"]
    real = await result("subscriptions-destroy", reply(204), id=1)
    assert "for good" in real.value["done"] and "undo" not in real.value["done"]


async def test_a_configuration_is_stored_if_the_response_has_its_properties() -> None:
    name, config = "users-hedgehog-config-partial-update", {"color": "red"}
    stored = await result(name, reply(200, {**config, "version": 2}), hedgehog_config=config)
    assert stored.value["version"] == 2
    with pytest.raises(OutcomeUnknown):
        await result(name, reply(200, {"version": 2}), hedgehog_config=config)
