from __future__ import annotations

import pytest
from opentelemetry import trace

from core13_mcp.tracing import export_spans

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "environ", [{}, {**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}]
)
def test_traces_are_sent_only_where_the_variables_say_so(monkeypatch, environ):
    def set_up(_: object) -> None:
        raise AssertionError("nobody asked for traces")

    monkeypatch.setattr(trace, "set_tracer_provider", set_up)
    with export_spans(environ):
        assert not trace.get_current_span().get_span_context().is_valid
