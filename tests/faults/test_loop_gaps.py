"""No request within the limits blocks the event loop for longer than a fixed piece of work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest

from core13_mcp.api.client import MAX_RESPONSE_BYTES
from core13_mcp.declarations.catalog import load
from core13_mcp.jsonio import MAX_REQUEST_TOKENS, MAX_TOKENS
from core13_mcp.server.handlers import build_server
from core13_mcp.transports.stdio.framing import MAX_MESSAGE_BYTES, JSONRPCStream

from ..fake_api import FakeAPI, call_context, reply
from .arguments import EFFECTIVE, SEEDED
from .loop_gaps import Server, http_server, longest_gap, unit, untraced

pytestmark = pytest.mark.anyio

TOOLS = load()
KEY = "phx_known0000000000000000"
MODERN = "2026-07-28"

# 50 ms on the machine on which the unit of work takes 20 ms.
MAX_UNITS = 2.5

# Another measurement decides, because a cold cache or a busy machine can only make one longer.
ATTEMPTS = 8


@pytest.fixture(autouse=True)
def measured() -> Iterator[None]:
    with untraced():
        yield


async def assert_short_gaps(work: Callable[[], Awaitable[Any]], name: str) -> None:
    """Check that some work never blocks the event loop for longer than the limit."""
    units = []
    for _ in range(ATTEMPTS):
        units.append(await longest_gap(work()) / unit())
        if units[-1] <= MAX_UNITS:
            return
    raise AssertionError(f"{name}: the loop is blocked for {units} units of work")


def repeated(part: str, size: int, tokens: int) -> str:
    """Return a JSON list that repeats a part as often as the limits of its bytes and tokens allow."""
    count = 1 + sum(map(part.count, "[{,"))
    return "[" + f"{part}," * min(size // (len(part) + 1), tokens // count) + "0]"


def text(character: str, size: int) -> str:
    """Return a JSON string that repeats a character."""
    return '"' + character * (size // len(character.encode())) + '"'


def named(name: str, size: int, tokens: int) -> str:
    """Return the properties of a JSON object with different names."""
    return ",".join(f'"{name}{number}":1' for number in range(min(size // (len(name) + 10), tokens)))


def values(size: int, tokens: int) -> dict[str, str]:
    """Return JSON values that take long to handle, at the limits of a text."""
    depth = min(size // 2, tokens)
    return {
        "wrong words": repeated('"monda"', size, tokens),
        "wrong numbers": repeated("-1", size, tokens),
        "numbers": repeated("1.5e3", size, tokens),
        "objects": repeated("{}", size, tokens),
        "one long string": text("x", size),
        "invisible characters": text("\u200b", size),
        "joiners": text("\u200d", size),
        "escapes": text("\\u200b", size),
        "many names": "{" + named("", size, tokens) + "}",
        "long names": "{" + named("y" * 90, size, tokens) + "}",
        "many digits": repeated("9" * 4000, size, tokens),
        "JSON as text": json.dumps(repeated("1", size, tokens)),
        "deep": "[" * depth + "]" * depth,
    }


def call_body(name: str, arguments: str, version: str = "") -> bytes:
    meta = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}}
    envelope = f'"_meta":{json.dumps(meta)},' if version else ""
    params = f'{{{envelope}"name":"{name}","arguments":{arguments}}}'
    return f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'.encode()


async def post(server: Server, name: str, body: bytes, version: str = "2025-11-25") -> bytes:
    modern = {"mcp_method": "tools/call", "mcp_name": name} if version == MODERN else {}
    status, response = await server.post(body, version, x_posthog_api_key=KEY, **modern)
    assert status in (200, 400, 413), (status, response[:200])
    return response


@pytest.mark.parametrize(
    ("name", "version"), [*((name, "2025-11-25") for name in TOOLS), ("subscriptions-create", MODERN)]
)
async def test_no_arguments_block_the_event_loop(name: str, version: str) -> None:
    tool = TOOLS[name]
    names = [*tool.arguments, "unknown"]
    async with http_server() as server:
        await post(server, name, call_body(name, "{}", version if version == MODERN else ""), version)
        size, tokens = 1_000_000 // len(names), (MAX_REQUEST_TOKENS - 200) // len(names)
        texts = {kind: ",".join(f'"{name}":{value}' for name in names) for kind, value in values(size, tokens).items()}
        texts["unknown names"] = named("k", 1_000_000, MAX_REQUEST_TOKENS - 200)
        for kind, value in texts.items():
            body = call_body(name, f"{{{value}}}", version if version == MODERN else "")
            assert len(body) <= 1024 * 1024, kind
            await assert_short_gaps(partial(post, server, name, body, version), kind)


@pytest.mark.parametrize(
    "name", ["subscriptions-list", "subscriptions-create", "users-retrieve", "users-hedgehog-config-retrieve"]
)
async def test_no_response_of_the_api_blocks_the_event_loop(name: str) -> None:
    tool = TOOLS[name]
    required = {*tool.input_schema.get("required", ()), *({"project_id", "id"} & tool.arguments.keys())}
    arguments = {argument: SEEDED[argument][0] for argument in required if argument in SEEDED}
    effective = EFFECTIVE.get(name, [{}])[0]
    arguments |= effective | ({"hedgehog_config": {}} if "hedgehog_config" in required else {})
    async with http_server() as server:
        body = call_body(name, json.dumps(arguments))
        assert b"invalid_arguments" not in await post(server, name, body)
        size, tokens = MAX_RESPONSE_BYTES - 100, MAX_TOKENS - 100
        row = json.dumps(
            {"id": 1, "title": "\u200bWeekly", "target_value": "a@b.example," * 3, "created_by": {"id": 1}}
        )
        texts = {"rows": f'{{"count":9,"results":{repeated(row, size, tokens)[:-3]}]}}'}
        for kind in ("objects", "escapes", "joiners", "long names"):
            texts[kind] = f'{{"id":1,"a":{values(size, tokens)[kind]}}}'
        texts["many names"] = values(size, tokens)["many names"]
        for status in (200, 400):
            for kind, value in texts.items():
                server.api.status, server.api.body = status, value.encode()
                assert len(server.api.body) <= MAX_RESPONSE_BYTES
                await assert_short_gaps(partial(post, server, name, body), f"{kind}, {status}")
            # An error is read in the same way for all kinds.
            texts = {"joiners": f'{{"detail":{values(size, tokens)["joiners"]}}}'}


async def test_no_line_over_stdio_blocks_the_event_loop() -> None:
    name = "users-hedgehog-config-partial-update"
    api = FakeAPI(reply(200, {}))
    server = build_server(TOOLS, lambda _: call_context(api, confirm="never"), "")
    reader, written = asyncio.StreamReader(), anyio.Event()

    async def write_line(_: bytes) -> None:
        written.set()

    async def handle(line: bytes) -> None:
        nonlocal written
        written = anyio.Event()
        for start in range(0, len(line), 65536):
            reader.feed_data(line[start : start + 65536])
        await written.wait()

    stream = JSONRPCStream(reader, write_line)
    client_info = {"name": "test", "version": "1"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client_info}
    first = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, stream, stream, server.create_initialization_options())
            await handle(first.encode() + b'\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            for tokens in (MAX_REQUEST_TOKENS - 100, MAX_MESSAGE_BYTES):
                for kind, value in values(MAX_MESSAGE_BYTES - 200, tokens).items():
                    line = call_body(name, f'{{"hedgehog_config":{value}}}') + b"\n"
                    await assert_short_gaps(partial(handle, line), f"{kind}, {len(line)} bytes")
            tasks.cancel_scope.cancel()


def recipients(prefix: str, length: int) -> str:
    return ",".join(f"{prefix}{number}@b{number}.example" for number in range(length // 16))[:length].rpartition(",")[0]


async def test_no_question_blocks_the_event_loop() -> None:
    name = "subscriptions-partial-update"
    new = recipients("\u0430", 20_000)
    body = call_body(name, json.dumps({"id": 1, "project_id": 1, "target_value": new, "enabled": True}))
    size = MAX_RESPONSE_BYTES - 1000
    async with http_server(confirm="auto") as server:
        for title, old in (("x" * size, "a@b.example"), ("x", recipients("a", size // 3)), ("x", "a" * size)):
            current = {"id": 1, "title": title, "target_type": "email", "target_value": old, "enabled": False}
            server.api.body = json.dumps(current).encode()
            assert b"confirmation_required" in await post(server, name, body)
            await assert_short_gaps(partial(post, server, name, body), f"{len(title)}, {len(old)}")
