"""W3C trace context from the caller to the API, and spans. Next to free where no OpenTelemetry SDK is installed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .identity import NAME

EXTRA = "core13-mcp[otel]"
_WHERE_TO = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = logging.getLogger("core13_mcp")
_tracer = trace.get_tracer(NAME)
_format = TraceContextTextMapPropagator()
# The trace only: baggage is for whoever trusts each other, and the API is somebody else's.


def is_traced(meta: Mapping[str, Any] | None) -> bool:
    """Whether a span would be of use: the request, of which this is the `_meta`, is in a trace, or somebody records."""
    begun = bool(meta and "traceparent" in meta) or trace.get_current_span().get_span_context().is_valid
    return begun or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def continued_trace(headers: Mapping[str, str]) -> Iterator[None]:
    """Go on, within the block, with the trace that a request came with."""
    token = context.attach(_format.extract(dict(headers)))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def request_span(request: httpx2.Request) -> Iterator[None]:
    """A span around one request upstream, which takes the trace along.

    Its attributes are those of the semantic conventions but for the URL: paths have people's ids in them.
    """
    known = {"http.request.method": request.method, "server.address": request.url.host}
    span = _tracer.start_span(request.method, kind=SpanKind.CLIENT, attributes=known)
    if not span.get_span_context().is_valid:
        # Nobody records and nothing came with the call: there is no trace to go on with.
        yield
        return
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        _format.inject(request.headers)
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def record_status(status: int) -> None:
    """Note in the span what the API answered."""
    span = trace.get_current_span()
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def trace_id() -> str | None:
    """The id of the trace that this is in, if it is in one."""
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else None


@contextmanager
def export_spans(environ: Mapping[str, str]) -> Iterator[None]:
    """Send the spans made within the block where OpenTelemetry's own variables say, if they say so."""
    if not any(environ.get(name) for name in _WHERE_TO) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("traces are not sent: that takes `pip install '%s'`", EXTRA)
        yield
        return
    named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": NAME}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
