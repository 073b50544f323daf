"""The media types that a client accepts, and the encoding of its body."""

from __future__ import annotations

import gzip
import json
from typing import Any

import anyio
import httpx2
import pytest

from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings
from core13_mcp.transports.http.accept import as_json

from ...asgi import listening
from .http_server import StubAPI, headers, message, serving
from .session_client import raw_client

pytestmark = pytest.mark.anyio

VERSIONS = ["2025-11-25", "2026-07-28"]
CALL: dict[str, Any] = {"name": "users-retrieve", "arguments": {}}


async def call(url: str, version: str, accept: list[str]) -> httpx2.Response:
    """Call a tool with these Accept headers."""
    sent = {**headers("tools/call", "users-retrieve"), "MCP-Protocol-Version": version}
    del sent["Accept"]
    async with httpx2.AsyncClient(timeout=20) as http:
        del http.headers["Accept"]
        request = http.build_request("POST", url, json=message("tools/call", **CALL), headers=sent)
        request.headers.pop("Accept", None)
        lines = [*request.headers.raw, *((b"Accept", value.encode()) for value in accept)]
        request.headers = httpx2.Headers(lines)
        return await http.send(request)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "accept", [[], [""], ["application/json"], ["application/*; q=0.5, text/html"], ["text/html", "APPLICATION/JSON"],
               ["application/json, text/event-stream;q=0.0"]],
)  # fmt: skip
async def test_a_client_that_does_not_accept_event_streams_gets_json(url: str, version: str, accept: list[str]) -> None:
    response = await call(url, version, accept)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json()["result"]["structuredContent"]["email"] == "ada@analytical.example"


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/event-stream", "application/json,text/*"])
async def test_a_client_of_2025_that_accepts_an_event_stream_gets_questions_in_it(url: str, accept: str) -> None:
    async with raw_client(url) as client:
        await client.initialize()
        client.headers["Accept"] = accept
        async with client.call("subscriptions-test-delivery-create", {"project_id": 1, "id": 1}) as messages:
            assert (await anext(messages))["method"] == "elicitation/create"


async def test_a_client_of_2025_that_accepts_json_only_is_not_asked_in_a_session(url: str) -> None:
    async with raw_client(url) as client:
        await client.initialize()
        client.headers["Accept"] = "application/json"
        response = await client.request("tools/call", name="users-destroy")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["result"]["_meta"]["core13-mcp/error"]["code"] == "confirmation_required"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("accept", ["text/event-stream", "text/html", "application/json;q=0"])
async def test_a_client_that_does_not_accept_json_gets_406(url: str, version: str, accept: str) -> None:
    response = await call(url, version, [accept])
    assert response.status_code == 406
    assert "Accept: application/json" in response.json()["error"]["message"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_that_accepts_json_only_and_disconnects_cancels_its_request_to_the_api(version: str) -> None:
    api = StubAPI()
    async with listening(api) as origin:
        settings = Settings(host=origin, personal_api_key=SecretStr("phx_key"), log_level="error")
        async with serving(settings) as server:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, server.url, version, ["application/json"])
                await api.reached.wait()
                tasks.cancel_scope.cancel()
            await api.disconnected.wait()


async def test_an_event_stream_becomes_its_last_message_without_the_notifications() -> None:
    assert await collected(b": ping\r\n\r\n", b'data: {"method":"x"}\r\n\r\n', b'event: message\r\ndata: {"id":1}\r\n\r\n') == (
        200,
        {"id": 1},
    )  # fmt: skip


async def test_an_event_stream_without_a_response_becomes_an_error() -> None:
    status, body = await collected(b": ping\r\n\r\n")
    assert status == 503
    assert "its outcome is unknown" in body["error"]["message"]


async def collected(*chunks: bytes) -> tuple[int, Any]:
    """Send an event stream through `as_json`; return the status and the JSON value of the response."""
    sent: list[Any] = []

    async def collect(message: Any) -> None:
        sent.append(message)

    send = as_json(collect)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})
    start, body = sent
    return start["status"], json.loads(body["body"])


@pytest.mark.parametrize("encoding", ["gzip", "deflate, br"])
async def test_a_compressed_body_gets_415_that_names_the_encoding(url: str, encoding: str) -> None:
    content = gzip.compress(json.dumps(message()).encode())
    async with httpx2.AsyncClient() as http:
        compressed = await http.post(url, content=content, headers={**headers(), "Content-Encoding": encoding})
        plain = await http.post(url, json=message(), headers={**headers(), "Content-Encoding": "Identity"})
    assert (compressed.status_code, compressed.headers["Accept-Encoding"]) == (415, "identity")
    assert f"the encoding {encoding}." in compressed.json()["error"]["message"]
    assert plain.status_code == 200
