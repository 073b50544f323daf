"""Spans say what was called and how it went, and no secret, whatever the API does and says. Only HTTP sends any."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio
import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ..asgi import listening
from ..transports.http.http_server import Collector, child, headers, message
from .test_secrets import CALLS, CSRF, KEY, PASSWORD, SECRETS, SESSION, Echo, echo

pytestmark = pytest.mark.anyio

TOKEN = "planted-token-" + "f" * 32
OFTEN = 60
"""Calls: enough for every kind of answer to come more than once."""


def variables(origin: str, collector: str) -> dict[str, str]:
    """A server with secrets of every kind, whose spans go to the collector."""
    return {
        "POSTHOG_HOST": origin,
        "POSTHOG_PERSONAL_API_KEY": KEY,
        "POSTHOG_SESSION_ID": SESSION,
        "POSTHOG_CSRF_TOKEN": CSRF,
        "CORE13_CONFIRM": "never",
        "CORE13_TIMEOUT": "0.2",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
    }


def clear(collector: Collector) -> None:
    """In no span there is a secret, or a piece of one."""
    assert [secret for secret in (*SECRETS, TOKEN) if secret.encode() in collector.got] == []


def ends(collector: Collector) -> set[str]:
    """What is told of how requests upstream ended: their statuses, or the errors in place of an answer."""
    # Batches one after the other are one batch: that is how the format has it.
    sent = ExportTraceServiceRequest.FromString(collector.got)
    spans = [span for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans]
    said = [attribute for span in spans for attribute in span.attributes]
    statuses = {str(one.value.int_value) for one in said if one.key == "http.response.status_code"}
    return statuses | {one.value.string_value for one in said if one.key == "error.type"}


def chosen(api: Echo, number: int) -> tuple[str, dict[str, object]]:
    """One call, whose password the API will quote where it has one."""
    name, arguments = CALLS[number % len(CALLS)]
    api.told = PASSWORD if PASSWORD in arguments.values() else ""
    return name, arguments


async def test_no_span_of_a_server_carries_a_secret(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"anna: {TOKEN}\n")
    more = {"CORE13_AUTH": "token", "CORE13_CALLER_TOKENS_FILE": str(tmp_path / "tokens"), "CORE13_HTTP_RATE": "6000"}
    collector = Collector()
    with anyio.fail_after(120):
        async with (
            echo(hangs_up=5) as (api, origin),
            listening(collector) as at,
            child(**variables(origin, at), **more) as (process, url),
            httpx2.AsyncClient(timeout=20) as http,
        ):
            for number in range(OFTEN):
                name, arguments = chosen(api, number)
                sent = {"Authorization": f"Bearer {TOKEN}", "baggage": f"who={TOKEN}", "X-Other": TOKEN}
                sent |= {"MCP-Protocol-Version": "2025-11-25"} if number % 2 else {}
                body = message("tools/call", name=name, arguments=arguments)
                await http.post(url, json=body, headers={**headers("tools/call", name), **sent})
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
    assert api.count >= OFTEN
    assert {"200", "302", "401", "429", "500", "RemoteProtocolError"} <= ends(collector)
    clear(collector)
