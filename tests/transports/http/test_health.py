"""Probes, metrics and traces."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core13_mcp.compose.http import HTTPServer
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings
from core13_mcp.tracing import export_spans
from core13_mcp.transports.http.metrics import Metrics

from ...asgi import listening
from ...clients import CLIENT_MODES
from .http_server import Collector, StubAPI, call_user, child, client, fast, headers, message, post, serving

pytestmark = pytest.mark.anyio

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


async def get(url: str, path: str) -> httpx2.Response:
    """GET another route of the server with this MCP endpoint."""
    async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
        return await http.get(path)


async def read_metrics(server: HTTPServer) -> str:
    async with httpx2.AsyncClient() as http:
        return (await http.get(server.metrics_url)).text


def span(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    return next(span for span in spans.get_finished_spans() if span.name == name)


def count(metrics: str, name: str, *labels: str) -> int:
    """Return the count of a histogram for these values of its labels."""
    lines = re.findall(rf"^{name}_seconds_count{{(.*)}} (\S+)$", metrics, re.MULTILINE)
    counts = {frozenset(re.findall(r'="([^"]*)"', values)): int(float(number)) for values, number in lines}
    return counts.get(frozenset(labels), 0)


async def test_the_probes_return_200_and_without_the_setting_there_are_no_metrics(url: str) -> None:
    responses = [await get(url, path) for path in ("/healthz", "/readyz")]
    assert (await get(url, "/metrics")).status_code == 404
    assert [(response.status_code, response.text) for response in responses] == [(200, "ok\n"), (200, "ready\n")]


async def test_metrics_count_operations_and_requests_without_values_from_callers(settings: Settings) -> None:
    async with serving(settings._replace(http_metrics=True)) as server:
        async with client(server.url) as mcp:
            await mcp.call_tool("users-retrieve", {})
            await mcp.call_tool("users-retrieve", {"uuid": "nobody"})
        await post(server.url, "tools/call", name="made-up-by-a-caller")
        await post(server.url, "made/up")
        await get(server.url, "/made-up-path")
        await get(server.url, "/healthz")
        metrics = await read_metrics(server)
    assert count(metrics, "mcp_server_operation_duration", "tools/call", "users-retrieve", "") == 1
    assert count(metrics, "mcp_server_operation_duration", "tools/call", "users-retrieve", "tool_error") == 1
    assert count(metrics, "mcp_server_operation_duration", "tools/call", "other", "-32602") == 1
    assert count(metrics, "http_server_request_duration", "other", "404") == 1
    assert count(metrics, "http_server_request_duration", "/healthz", "200") == 1
    assert "http_server_active_requests 0.0" in metrics
    assert "process_resident_memory_bytes" in metrics
    assert not re.search("made.up|nobody|sandbox", metrics)


async def test_metrics_have_a_port_of_their_own(settings: Settings) -> None:
    async with serving(settings._replace(http_metrics=True)) as server, httpx2.AsyncClient() as http:
        public = [(await get(server.url, path)).status_code for path in ("/metrics", "/healthz")]
        own = [
            (await http.get(server.metrics_url.replace("/metrics", path))).status_code
            for path in ("/metrics", "/healthz", "/mcp", "/")
        ]
        rebound = await http.get(server.metrics_url, headers={"Host": "rebound.example"})
    assert (public, own, rebound.status_code) == ([404, 200], [200, 404, 404, 404], 421)


async def test_the_log_has_the_url_of_the_metrics() -> None:
    variables = {"CORE13_SANDBOX": "1", "CORE13_HTTP_METRICS": "1", "CORE13_HTTP_METRICS_PORT": "[::1]:0"}
    async with child(pattern=r"serving metrics at (\S+)\n", **variables) as (process, url):
        async with httpx2.AsyncClient() as http:
            response = await http.get(url)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    assert url.startswith("http://[::1]:")
    assert "http_server_active_requests 0.0" in response.text


async def test_metrics_count_a_call_whose_client_disconnected() -> None:
    api = StubAPI()
    labels = ("tools/call", "users-retrieve", "CancelledError")
    async with listening(api) as origin:
        fields: dict[str, Any] = {"host": origin, "personal_api_key": SecretStr("phx_key"), "http_metrics": True}
        async with serving(Settings(**fields, log_level="error")) as server:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call_user, server.url)
                await api.reached.wait()
                tasks.cancel_scope.cancel()
            while not count(await read_metrics(server), "mcp_server_operation_duration", *labels):
                pass


async def test_without_the_extra_metrics_name_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[metrics\]'` in the source of core13-mcp"):
        Metrics([])


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25"])
@pytest.mark.parametrize("place", ["header", "meta"])
async def test_the_api_gets_the_trace_of_the_caller_without_its_baggage(version: str, place: str) -> None:
    api = StubAPI(fast)
    sent = {**headers("tools/call", "users-retrieve"), "MCP-Protocol-Version": version, "baggage": "who=anna"}
    body = message("tools/call", name="users-retrieve", arguments={})
    if place == "header":
        sent["traceparent"] = TRACEPARENT
    else:
        body["params"]["_meta"] |= {"traceparent": TRACEPARENT, "baggage": "who=anna"}
    async with listening(api) as origin:
        settings = Settings(host=origin, personal_api_key=SecretStr("phx_key"), log_level="error")
        async with serving(settings) as server, httpx2.AsyncClient() as http:
            await http.post(server.url, json=body, headers=sent)
    [request] = api.requests
    assert request["traceparent"].split("-")[1] == TRACE_ID
    assert "baggage" not in request


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans that an OpenTelemetry SDK would export."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # The global provider can be set only once in a process, so the tracers are replaced.
    for tracer in ("mcp.shared._otel._tracer", "core13_mcp.tracing._tracer"):
        monkeypatch.setattr(tracer, provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_the_span_of_the_api_request_is_a_child_of_the_operation(
    url: str, mode: str, spans: InMemorySpanExporter
) -> None:
    async with client(url, mode) as mcp:
        spans.clear()
        await mcp.call_tool("users-retrieve", {})
        inner, outer = span(spans, "GET"), span(spans, "tools/call users-retrieve")
        spans.clear()
        await mcp.call_tool("subscriptions-retrieve", {"id": 999999})
        failed = span(spans, "GET")
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert inner.kind == trace.SpanKind.CLIENT
    assert dict(inner.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "sandbox.invalid",
        "http.response.status_code": 200,
    }
    assert (outer.attributes or {})["gen_ai.tool.name"] == "users-retrieve"
    assert failed.status.status_code == trace.StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "404"


async def test_traces_are_exported_to_the_endpoint_in_the_otel_variables() -> None:
    collector = Collector()
    async with (
        listening(collector) as origin,
        child(OTEL_EXPORTER_OTLP_ENDPOINT=origin, CORE13_SANDBOX="1") as (process, url),
    ):
        await post(url, "tools/call", name="users-retrieve")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    assert b"tools/call users-retrieve" in collector.got
    assert b"core13-mcp" in collector.got


def test_without_the_extra_traces_name_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with (
        caplog.at_level("WARNING", "core13_mcp"),
        export_spans({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}),
    ):
        pass
    assert "pip install '.[otel]'` in the source of core13-mcp" in caplog.text
