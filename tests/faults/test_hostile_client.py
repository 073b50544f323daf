"""A hostile client of a server process gets responses, and the server continues to work."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest

from ..transports.stdio.peer import INITIALIZE, Peer, message, peer

pytestmark = pytest.mark.anyio

# Kilobytes of the server's memory, with its imports.
MAX_MEMORY = 256 * 1024

PASSWORD = "pl4nted-horse-stapler"
DEEP = b'{"a":' * 150 + b"1" + b"}" * 150


def call(request_id: int, name: str, arguments: Any) -> dict[str, Any]:
    return message("tools/call", request_id, name=name, arguments=arguments)


def raw_call(name: bytes, arguments: bytes) -> bytes:
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
    raw_call(b"users-hedgehog-config-partial-update", b'{"hedgehog_config":{"a":NaN,"b":Infinity,"a":1e999}}'),
    raw_call(b"users-hedgehog-config-partial-update", b'{"hedgehog_config":' + DEEP + b"}"),
    raw_call(b"subscriptions-retrieve", b'{"project_id":1,"id":' + b"9" * 6000 + b"}"),
    b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","method":"ping"}',
]


async def receive_responses(client: Peer, ping_id: int, *, expect_another: bool) -> bool:
    """Return whether the ping, and the request before it, get a response."""
    missing = {"ping", "another"} if expect_another else {"ping"}
    with anyio.move_on_after(10):
        while missing:
            response = await client.receive()
            missing.discard("ping" if response.get("id") == ping_id else "another")
    return not missing


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_the_server_responds_to_hostile_messages_and_logs_no_secret(log_format: str) -> None:
    async with peer("--sandbox", "--log-level", "debug", "--log-format", log_format) as client:
        await client.initialize()
        for ping_id, hostile in enumerate(HOSTILE, 1000):
            is_request = isinstance(hostile, bytes) or hostile.get("id") == 1
            await client.send(hostile, message("ping", ping_id))
            responded = await receive_responses(client, ping_id, expect_another=is_request)
            assert responded, f"no response to {hostile!r:.200}"
        await client.close()
        status, log = await client.wait()
        assert status == 0
        assert PASSWORD not in log and "Traceback" not in log and " error " not in log


def peak_memory(process_id: int) -> int:
    """Return the peak memory of a process in kilobytes."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


on_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")


@on_linux
async def test_hundreds_of_concurrent_calls_get_responses_in_bounded_memory() -> None:
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.initialize()
        responses: dict[int, dict[str, Any]] = {}
        calls = [json.dumps(call(request_id, "users-retrieve", {})).encode() for request_id in range(1, 801)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, b"\n".join(calls))
            while len(responses) < 800:
                response = await client.receive()
                responses[response["id"]] = response
        codes = [response["error"]["code"] for response in responses.values() if "error" in response]
        assert set(codes) <= {-32000} and len(codes) < 800
        assert peak_memory(client.process.pid) < MAX_MEMORY
        await client.close()
        assert await client.wait() == (0, "")


@on_linux
async def test_the_server_stops_reading_from_a_client_that_does_not_read_and_still_ends() -> None:
    calls = b"\n".join(json.dumps(call(n, "users-retrieve", {"detail": "full"})).encode() for n in range(50_000))
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.initialize()
        await client.send(call(1, "users-retrieve", {}))
        assert (await client.receive())["id"] == 1
        with anyio.move_on_after(2.0) as sending:
            await client.send(calls)
        assert sending.cancelled_caught, "the server read everything"
        assert peak_memory(client.process.pid) < MAX_MEMORY
        client.process.send_signal(signal.SIGINT)
        assert await client.process.wait() == 130
