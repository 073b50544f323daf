"""What those who run the server see of it."""

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

from core13_mcp.errors import ConfigurationError
from core13_mcp.settings import Settings
from core13_mcp.tracing import export_spans
from core13_mcp.transports.http.metrics import Metrics

from ...asgi import listening
from .http_server import ERAS, Collector, Stub, child, client, headers, message, post, serving

pytestmark = pytest.mark.anyio

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


async def test_the_probes_answer(url: str) -> None:
    with anyio.fail_after(20):
        async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
            answers = [await http.get(path) for path in ("/healthz", "/readyz")]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "ok\n"), (200, "ready\n")]


async def test_metrics_are_not_there_unless_asked_for(url: str) -> None:
    with anyio.fail_after(20):
        async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
            answer = await http.get("/metrics")
    assert answer.status_code == 404


async def test_metrics_count_operations_and_requests_without_saying_who(settings: Settings) -> None:
    with anyio.fail_after(20):
        async with serving(settings.model_copy(update={"http_metrics": True})) as served:
            async with client(served.url) as mcp:
                await mcp.call_tool("users-retrieve", {})
                await mcp.call_tool("users-retrieve", {"uuid": "nobody"})
            await post(served.url, "tools/call", name="made-up-by-a-caller")
            await post(served.url, "made/up")
            base = served.url.removesuffix("/mcp")
            async with httpx2.AsyncClient(base_url=base) as http:
                await http.get("/made-up-path")
                told = (await http.get("/metrics")).text
    assert _count(told, "mcp_server_operation_duration", "tools/call", "users-retrieve", "") == 1
    assert _count(told, "mcp_server_operation_duration", "tools/call", "users-retrieve", "tool_error") == 1
    assert _count(told, "mcp_server_operation_duration", "tools/call", "other", "-32602") == 1
    assert _count(told, "http_server_request_duration", "other", "404") == 1
    assert "http_server_active_requests 1.0" in told
    assert "process_resident_memory_bytes" in told
    assert not re.search("made.up|nobody|sandbox", told)


async def test_a_call_whose_client_went_away_is_counted_as_such() -> None:
    stub = Stub()

    async def call(url: str) -> None:
        await post(url, "tools/call", name="users-retrieve", arguments={})

    with anyio.fail_after(20):
        async with listening(stub) as origin:
            said: dict[str, Any] = {"host": origin, "personal_api_key": "phx_key", "http_metrics": True}
            async with serving(Settings(**said, log_level="error")) as served, httpx2.AsyncClient() as http:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call, served.url)
                    await stub.reached.wait()
                    tasks.cancel_scope.cancel()
                at, labels = (
                    served.url.removesuffix("/mcp") + "/metrics",
                    ("tools/call", "users-retrieve", "CancelledError"),
                )
                while not _count((await http.get(at)).text, "mcp_server_operation_duration", *labels):
                    pass


async def test_without_the_extra_metrics_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'core13-mcp\[metrics\]'"):
        Metrics([])


@pytest.mark.parametrize("era", ["2026-07-28", "2025-11-25"])
@pytest.mark.parametrize("how", ["header", "meta"])
async def test_the_trace_that_a_caller_is_in_goes_upstream_and_nothing_else_does(era: str, how: str) -> None:
    stub = Stub()
    stub.slow = lambda _: False
    said = {**headers("tools/call", "users-retrieve"), "MCP-Protocol-Version": era, "baggage": "who=anna"}
    body = message("tools/call", name="users-retrieve", arguments={})
    if how == "header":
        said["traceparent"] = TRACEPARENT
    else:
        body["params"]["_meta"] |= {"traceparent": TRACEPARENT, "baggage": "who=anna"}
    with anyio.fail_after(20):
        async with listening(stub) as origin:
            settings = Settings(host=origin, personal_api_key="phx_key", log_level="error")  # type: ignore[arg-type] # coerced
            async with serving(settings) as served, httpx2.AsyncClient() as http:
                await http.post(served.url, json=body, headers=said)
    (heard,) = stub.heard
    assert heard["traceparent"].split("-")[1] == TRACE
    assert "baggage" not in heard


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What an OpenTelemetry SDK would send."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for place in ("mcp.shared._otel._tracer", "core13_mcp.tracing._tracer"):
        monkeypatch.setattr(place, provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_is_one_trace_from_the_operation_to_the_api(
    url: str, era: str, spans: InMemorySpanExporter
) -> None:
    with anyio.fail_after(20):
        async with client(url, era) as mcp:
            spans.clear()
            await mcp.call_tool("users-retrieve", {})
    inner, outer = (_named(spans, name) for name in ("GET", "tools/call users-retrieve"))
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


async def test_a_refusal_of_the_api_is_an_error_in_the_trace(url: str, spans: InMemorySpanExporter) -> None:
    with anyio.fail_after(20):
        async with client(url) as mcp:
            await mcp.call_tool("subscriptions-retrieve", {"id": 999999})
    inner = _named(spans, "GET")
    assert inner.status.status_code == trace.StatusCode.ERROR
    assert (inner.attributes or {})["error.type"] == "404"


async def test_traces_go_where_opentelemetrys_own_variables_say() -> None:
    collector = Collector()
    with anyio.fail_after(60):
        async with listening(collector) as origin:
            said = {"OTEL_EXPORTER_OTLP_ENDPOINT": origin, "CORE13_SANDBOX": "1"}
            async with child(**said) as (process, url):
                await post(url, "tools/call", name="users-retrieve")
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 0
    assert b"tools/call users-retrieve" in collector.got
    assert b"core13-mcp" in collector.got


def test_without_the_extra_traces_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with (
        caplog.at_level("WARNING", "core13_mcp"),
        export_spans({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}),
    ):
        pass
    assert "pip install 'core13-mcp[otel]'" in caplog.text


def _named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    return next(span for span in spans.get_finished_spans() if span.name == name)


def _count(told: str, name: str, *labels: str) -> int:
    """How often a histogram saw these labels' values."""
    lines = re.findall(rf"^{name}_seconds_count{{(.*)}} (\S+)$", told, re.MULTILINE)
    counts = {frozenset(re.findall(r'="([^"]*)"', said)): int(float(count)) for said, count in lines}
    return counts.get(frozenset(labels), 0)
