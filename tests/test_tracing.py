from __future__ import annotations

import pytest
from opentelemetry import trace

from core13_mcp.tracing import export_spans

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "environ", [{}, {**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}]
)
def test_spans_are_not_exported_without_an_endpoint(monkeypatch, environ):
    def fail(_: object) -> None:
        raise AssertionError("spans would be exported")

    monkeypatch.setattr(trace, "set_tracer_provider", fail)
    with export_spans(environ):
        assert not trace.get_current_span().get_span_context().is_valid
