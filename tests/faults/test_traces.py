"""The spans of a server describe its requests and have no secret."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio
import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ..asgi import listening
from ..transports.http.http_server import Collector, child, headers, message
from .test_secrets import CSRF, KEY, SECRETS, SESSION, choose_call, echo_api

pytestmark = pytest.mark.anyio

TOKEN = "planted-token-" + "f" * 32

# Enough for every kind of response of the echo API. Some calls end at their deadline without a request.
CALLS = 60


def request_results(collector: Collector) -> set[str]:
    """Return the HTTP statuses and the error types of the spans."""
    # Concatenated batches of the format are one batch.
    batch = ExportTraceServiceRequest.FromString(collector.got)
    spans = [span for resource in batch.resource_spans for scope in resource.scope_spans for span in scope.spans]
    attributes = [attribute for span in spans for attribute in span.attributes]
    statuses = {str(each.value.int_value) for each in attributes if each.key == "http.response.status_code"}
    return statuses | {each.value.string_value for each in attributes if each.key == "error.type"}


async def test_the_spans_of_a_server_have_no_secret(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"anna: {TOKEN}\n")
    collector = Collector()
    with anyio.fail_after(120):
        async with echo_api(disconnect_every=5) as (api, origin), listening(collector) as collector_origin:
            variables = {
                "POSTHOG_HOST": origin,
                "POSTHOG_PERSONAL_API_KEY": KEY,
                "POSTHOG_SESSION_ID": SESSION,
                "POSTHOG_CSRF_TOKEN": CSRF,
                "CORE13_AUTH": "token",
                "CORE13_CALLER_TOKENS_FILE": str(tmp_path / "tokens"),
                "CORE13_CONFIRM": "never",
                "CORE13_HTTP_RATE": "6000",
                "CORE13_TIMEOUT": "0.2",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector_origin,
            }
            async with child(**variables) as (process, url), httpx2.AsyncClient(timeout=20) as http:
                for number in range(CALLS):
                    name, arguments = choose_call(api, number)
                    sent = {"Authorization": f"Bearer {TOKEN}", "baggage": f"who={TOKEN}", "X-Other": TOKEN}
                    sent |= {"MCP-Protocol-Version": "2025-11-25"} if number % 2 else {}
                    body = message("tools/call", name=name, arguments=arguments)
                    await http.post(url, json=body, headers={**headers("tools/call", name), **sent})
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 130
    assert len(api.request_lines) > CALLS // 2
    assert {"200", "302", "401", "429", "500", "RemoteProtocolError"} <= request_results(collector)
    assert [secret for secret in (*SECRETS, TOKEN) if secret.encode() in collector.got] == []
