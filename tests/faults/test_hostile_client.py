"""A client that means harm, over the pipes of a real process: it is answered, and the server goes on as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from ..transports.stdio.peer import INITIALIZE, Peer, message, peer

pytestmark = pytest.mark.anyio

ENOUGH = 256 * 1024
"""Kilobytes that the server may ever have held, its imports included."""

PASSWORD = "pl4nted-horse-stapler"
DEEP = b'{"a":' * 150 + b"1" + b"}" * 150


def call(number: int, name: str, arguments: Any) -> dict[str, Any]:
    return message("tools/call", number, name=name, arguments=arguments)


def raw(name: bytes, arguments: bytes) -> bytes:
    start = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"'
    return start + name + b'","arguments":' + arguments + b"}}"


HOSTILE: list[bytes | dict[str, Any]] = [
    message("notifications/cancelled", None, requestId=[]),
    message("notifications/cancelled", None, requestId={"a": 1}),
    message("notifications/cancelled", None, requestId=None),
    message("notifications/cancelled", None, requestId=10**30),
    message("notifications/cancelled"),
    message("notifications/progress", None, progressToken=[], progress="x"),
    {"jsonrpc": "2.0", "id": 99, "result": {}},
    {"jsonrpc": "2.0", "id": "x", "error": {"code": "no", "message": 1}},
    message("tools/call", 1),
    message("tools/call", 1, name=PASSWORD, arguments={"password": PASSWORD}),
    message("tools/call", 1, name="users-partial-update", arguments=[PASSWORD]),
    message("tools/call", 1, name=[PASSWORD], arguments={"password": PASSWORD}),
    message("tools/call", 1, name="users-partial-update", arguments={"password": [PASSWORD]}),
    message("tools/call", 1, name="users-partial-update", arguments={"password": PASSWORD, "current_password": 5}),
    message("tools/call", 1, name="users-retrieve", arguments={}, _meta={"progressToken": {"a": PASSWORD}}),
    message("tools/call", 1, name="users-retrieve", arguments={}, requestState=PASSWORD, inputResponses={"confirm": 1}),
    message("initialize", 1, **{**INITIALIZE, "protocolVersion": 5}),
    message("initialize", 1, capabilities=PASSWORD),
    message("no/such/method", 1, a=PASSWORD),
    message("tools/list", 1, cursor=5),
    call(1, "subscriptions-retrieve", {"id": 10**400, "project_id": 1}),
    call(1, "subscriptions-list", {"search": "x" * 1_000_000}),
    call(1, "users-hedgehog-config-partial-update", {"hedgehog_config": "[" * 500_000}),
    call(1, "users-hedgehog-config-partial-update", {"hedgehog_config": '{"a":' * 5000 + "1" + "}" * 5000}),
    call(1, "users-hedgehog-config-partial-update", {"hedgehog_config": '{"\\ud800": 1}'}),
    call(1, "session-recordings-sharing-refresh-create", {"recording_id": "a\u0000/../b", "project_id": 1}),
    raw(b"users-hedgehog-config-partial-update", b'{"hedgehog_config":{"a":NaN,"b":Infinity,"a":1e999}}'),
    raw(b"users-hedgehog-config-partial-update", b'{"hedgehog_config":' + DEEP + b"}"),
    raw(b"subscriptions-retrieve", b'{"project_id":1,"id":' + b"9" * 6000 + b"}"),
    b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","method":"ping"}',
]


async def heard(client: Peer, ping: int, another: bool) -> bool:
    """Whether the ping was answered, and the frame before it where it wants an answer."""
    awaited = {ping, "another"} if another else {ping}
    with anyio.move_on_after(10):
        while awaited:
            said = await client.receive()
            awaited.discard(ping if said.get("id") == ping else "another")
    return not awaited


@pytest.mark.parametrize("form", ["text", "json"])
async def test_whatever_a_client_says_it_is_answered_and_the_server_goes_on_and_logs_no_secret(form: str) -> None:
    flags = ("--sandbox", "--log-level", "debug", "--log-format", form)
    async with peer(*flags) as client:
        await client.initialize()
        for number, hostile in enumerate(HOSTILE, 1000):
            wants_answer = isinstance(hostile, bytes) or hostile.get("id") == 1
            await client.send(hostile, message("ping", number))
            assert await heard(client, number, wants_answer), f"no answer to {hostile!r:.200}"
        await client.close()
        status, log = await client.wait()
        assert status == 0
        assert PASSWORD not in log and "Traceback" not in log and " error " not in log


def most_held(process_id: int) -> int:
    """Kilobytes."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


on_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")


@on_linux
async def test_thousands_of_calls_at_once_are_all_answered_in_bounded_memory() -> None:
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.initialize()
        answers: dict[int, dict[str, Any]] = {}
        calls = [json.dumps(call(number, "users-retrieve", {})).encode() for number in range(1, 2001)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, b"\n".join(calls))
            while len(answers) < 2000:
                said = await client.receive()
                answers[said["id"]] = said
        refused = [said["error"]["code"] for said in answers.values() if "error" in said]
        assert set(refused) <= {-32000} and len(refused) < 2000
        assert most_held(client.process.pid) < ENOUGH
        await client.close()
        assert await client.wait() == (0, "")


@on_linux
async def test_a_client_that_asks_on_and_never_reads_is_read_no_further_and_can_still_be_ended() -> None:
    calls = b"\n".join(json.dumps(call(n, "users-retrieve", {"detail": "full"})).encode() for n in range(50_000))
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.initialize()
        await client.send(call(1, "users-retrieve", {}))
        assert (await client.receive())["id"] == 1
        with anyio.move_on_after(2.0) as waited:
            await client.send(calls)
        assert waited.cancelled_caught, "it took everything"
        assert most_held(client.process.pid) < ENOUGH
        client.process.terminate()
        assert await client.process.wait() == 0
