"""W3C trace context and OpenTelemetry spans. Costs almost nothing if no OpenTelemetry SDK is configured."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .identity import NAME, how_to_install

log = logging.getLogger("core13_mcp")
_tracer = trace.get_tracer(NAME)
# Only the trace context is sent to the API, no baggage: the API belongs to another organization.
_propagator = TraceContextTextMapPropagator()


def is_traced(meta: Mapping[str, Any] | None) -> bool:
    """Return whether a request with this `_meta` belongs to a trace, or spans are exported."""
    in_trace = bool(meta and "traceparent" in meta) or trace.get_current_span().get_span_context().is_valid
    return in_trace or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def continued_trace(headers: Mapping[str, str]) -> Iterator[None]:
    """Continue the trace of an incoming HTTP request in the block."""
    token = context.attach(_propagator.extract(dict(headers)))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def request_span(request: httpx2.Request) -> Iterator[None]:
    """Open a span for a request to the API and add the trace context to its headers.

    The attributes follow the semantic conventions, except that the URL is left out because paths contain user ids.
    """
    attributes = {"http.request.method": request.method, "server.address": request.url.host}
    span = _tracer.start_span(request.method, kind=SpanKind.CLIENT, attributes=attributes)
    if not span.get_span_context().is_valid:
        # Nothing exports spans, and the caller sent no trace context.
        yield
        return
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        _propagator.inject(request.headers)
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def record_status(status: int) -> None:
    """Add an HTTP status to the current span."""
    span = trace.get_current_span()
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def trace_id() -> str | None:
    span_context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span_context.trace_id) if span_context.is_valid else None


@contextmanager
def export_spans(environ: Mapping[str, str]) -> Iterator[None]:
    """Export spans within the block, if the OpenTelemetry variables name an endpoint."""
    endpoint = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not endpoint or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("no traces are exported because OpenTelemetry is not installed; run %s", how_to_install("otel"))
        yield
        return
    attributes = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": NAME}
    provider = TracerProvider(resource=Resource.create(attributes))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
