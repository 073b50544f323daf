"""Malformed messages get the same error response over stdio and HTTP, in all protocol versions."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from mcp_types import JSONRPCRequest

from core13_mcp.declarations.catalog import load
from core13_mcp.settings import Settings
from core13_mcp.transports.jsonrpc import parse_message

from .http.http_server import headers, serving
from .stdio.peer import message, peer

pytestmark = pytest.mark.anyio

SECRET = "pl4nted-horse-stapler"
IDS = ["null", "1.0", "1.5", "true", "false", "{}", "[1]"]
BAD_ID = "Invalid request: the id is not a string or an integer."
NO_MESSAGE = "Invalid request: the message is not a request, a notification or a response of JSON-RPC 2.0."
TOO_MANY = "Invalid request: the message has more than 20000 values."
TOO_LONG = "Invalid request: the message contains a number with too many digits."
NOT_JSON = "Parse error: the message is not JSON in UTF-8."

# The line, and the id, the code and the text of the response.
MALFORMED: list[tuple[bytes, Any, int, str]] = [
    *((b'{"jsonrpc":"2.0","id":%s,"method":"ping"}' % text.encode(), None, -32600, BAD_ID) for text in IDS),
    (b'{"jsonrpc":"2.0","\\u0069d":null,"method":"ping"}', None, -32600, BAD_ID),
    (
        b'[{"jsonrpc":"2.0","id":1,"method":"%s"}]' % SECRET.encode(), None, -32600,
        "Invalid request: a batch is not supported; send each message on its own.",
    ),
    (b'"%s"' % SECRET.encode(), None, -32600, "Invalid request: the message is not a JSON object."),
    (
        b'{"id":2,"method":"tools/call","params":{"arguments":{"password":"%s"}}}' % SECRET.encode(), 2, -32600,
        'Invalid request: the member "jsonrpc" is not "2.0".',
    ),
    (
        b'{"jsonrpc":"2.0","id":"a","method":["%s"]}' % SECRET.encode(), "a", -32600,
        'Invalid request: the member "method" is not a string.',
    ),
    (
        b'{"jsonrpc":"2.0","id":3,"method":"ping","params":["%s"]}' % SECRET.encode(), 3, -32600,
        'Invalid request: the member "params" is not a JSON object.',
    ),
    (b'{"jsonrpc":"2.0","id":4,"%s":1}' % SECRET.encode(), 4, -32600, NO_MESSAGE),
    (b'{"jsonrpc":"2.0","id":5,"error":"%s"}' % SECRET.encode(), 5, -32600, NO_MESSAGE),
    (b'{"jsonrpc":"2.0","id":null,"result":{}}', None, -32600, NO_MESSAGE),
    (b'{"jsonrpc":"2.0","id":"b-8","method":"ping","params":{"a":[%s0]}}' % (b"1," * 20_000), "b-8", -32600, TOO_MANY),
    (b'{"a":{},"id":9,"jsonrpc":"2.0","method":"ping","params":[%s0]}' % (b"1," * 20_000), None, -32600, TOO_MANY),
    (b'{"jsonrpc":"2.0","id":10,"method":"ping","params":{"a":%s}}' % (b"7" * 400), 10, -32600, TOO_LONG),
    (b'{"password":"%s"' % SECRET.encode(), None, -32700, NOT_JSON),
    (b'{"jsonrpc":"2.0","id":6,"method":"ping","params":{"a":"\xff%s"}}' % SECRET.encode(), 6, -32700, NOT_JSON),
    (b'{"jsonrpc":"2.0","id":"\xff","method":"ping"}', None, -32700, NOT_JSON),
    (b'{"jsonrpc":"2.0","id":7,"method":"\\ud800"}', 7, -32700, NOT_JSON),
]  # fmt: skip


def error_of(response: Any) -> tuple[Any, int, str]:
    return response["id"], response["error"]["code"], response["error"]["message"]


async def test_a_malformed_message_over_stdio_gets_an_error_that_quotes_nothing() -> None:
    async with peer("--sandbox") as client:
        for line, *expected in MALFORMED:
            await client.send(line)
            assert error_of(await client.receive()) == tuple(expected), line


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
async def test_a_malformed_message_over_http_gets_the_same_error_with_status_400(url: str, version: str) -> None:
    sent = {**headers(), "MCP-Protocol-Version": version}
    async with httpx2.AsyncClient() as http:
        for line, *expected in MALFORMED:
            response = await http.post(url, content=line, headers=sent)
            assert (response.status_code, *error_of(response.json())) == (400, *expected), line


ARGUMENTS = 'Invalid parameters: "arguments" must be a JSON object, such as {"limit": 10}, not text that contains JSON.'
CURSOR = "Invalid parameters: this cursor is unknown. The list has one page only; send the request without it."
TYPE = "does not have the type that MCP defines"

# The method and the parameters of a request, and the text of its error.
INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("tools/call", {"name": "users-list", "arguments": json.dumps({"password": SECRET})}, ARGUMENTS),
    ("tools/call", {"name": "users-list", "arguments": [SECRET]}, ARGUMENTS),
    ("tools/call", {"name": [SECRET]}, f'Invalid parameters: "name" {TYPE}.'),
    ("tools/call", {"arguments": {"password": SECRET}}, 'Invalid parameters: "name" is missing.'),
    ("tools/list", {"cursor": SECRET}, CURSOR),
    ("prompts/list", {"cursor": SECRET}, CURSOR),
    ("tools/list", {"cursor": [SECRET]}, f'Invalid parameters: "cursor" {TYPE}.'),
]


async def test_invalid_parameters_get_an_error_that_names_the_parameter() -> None:
    async with peer("--sandbox") as client:
        await client.initialize()
        for request_id, (method, params, text) in enumerate(INVALID, 1):
            await client.send(message(method, request_id, **params))
            assert error_of(await client.receive()) == (request_id, -32602, text)
        await client.send({"jsonrpc": "2.0", "id": 90, "method": "tools/call"})
        reply = error_of(await client.receive())
        assert reply == (90, -32602, 'Invalid parameters: "params" is missing, or it is not a JSON object.')
        await client.close()
        assert (await client.wait())[0] == 0


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
async def test_invalid_parameters_over_http_get_the_same_error(url: str, version: str) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    async with httpx2.AsyncClient() as http:
        for method, params, text in INVALID[:2] + INVALID[4:6]:
            sent = {
                **headers(method, params.get("name")),
                "MCP-Protocol-Version": version,
                "Accept": "application/json",
            }
            content = message(method, 1, **params, _meta=meta)
            response = await http.post(url, json=content, headers=sent)
            assert error_of(response.json()) == (1, -32602, text)


async def test_a_list_with_an_empty_cursor_is_the_first_page() -> None:
    async with peer("--sandbox") as client:
        await client.initialize()
        await client.send(message("tools/list", 1, cursor=""), message("tools/list", 2, cursor=None))
        for _ in range(2):
            assert len((await client.receive())["result"]["tools"]) == len(load())


async def test_a_request_before_initialize_gets_an_error_that_says_so() -> None:
    async with peer("--sandbox") as client:
        await client.send(message("tools/list", 1))
        text = 'This connection is not initialized. Send "initialize" and wait for its response first.'
        assert error_of(await client.receive()) == (1, -32602, text)
        await client.close()
        assert (await client.wait())[0] == 0


@pytest.fixture
async def url(settings: Settings) -> Any:
    """The URL of a server over HTTP."""
    async with serving(settings) as server:
        yield server.url


async def test_the_error_for_an_unknown_method_tool_or_prompt_is_short() -> None:
    long = "x-" * 50_000
    async with peer("--sandbox") as client:
        await client.initialize()
        requests = [
            message(long, 1),
            message("tools/call", 2, name=long, arguments={}),
            message("prompts/get", 3, name=long),
            message("prompts/get", 4, name="schedule-delivery", arguments={long: long}),
            message("tools/call", 5, name="users-retrieve", arguments={f"{long}{number}": 1 for number in range(9)}),
        ]
        for request in requests:
            await client.send(request)
            assert len(json.dumps(await client.receive())) < 3000
        await client.close()
        assert (await client.wait())[0] == 0


def test_a_text_of_many_digits_is_not_a_number() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"text": "7" * 400}})
    assert isinstance(parse_message(body.encode()), JSONRPCRequest)
