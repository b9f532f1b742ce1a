"""Sending spans to an OpenTelemetry collector over OTLP/HTTP. Imported only where one is configured.

OpenTelemetry's own variables apply too, such as OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER and
OTEL_SERVICE_NAME (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import tracing

CLOSE_SECONDS = 3.0
"""For a collector that does not answer: a deploy does not wait for its traces."""

_PROPAGATOR = TraceContextTextMapPropagator()


def exporting_to(endpoint: str) -> SpanProcessor:
    """Args: `endpoint` is the collector's, as OTEL_EXPORTER_OTLP_ENDPOINT has it, without `/v1/traces`."""
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))


class OpenTelemetry:
    """Implements `app.tracing.Tracing`."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(
            # `create` adds what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say over this.
            resource=Resource.create({"service.name": "tradewind"}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("tradewind")

    @contextmanager
    def span(self, name: str, traceparent: str | None, attributes: dict[str, str | int]) -> Iterator[None]:
        parent = None
        if traceparent is not None:
            parent = _PROPAGATOR.extract({"traceparent": traceparent}, otel_context.Context())
        with self._tracer.start_as_current_span(
            name, parent, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as current:
            try:
                yield
            except BaseException as error:
                current.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def describe(self, name: str | None, attributes: dict[str, str | int]) -> None:
        current = trace.get_current_span()
        if name is not None:
            current.update_name(name)
        for key, value in attributes.items():
            current.set_attribute(key, value)

    def close(self) -> None:
        """Send what is left, for three seconds at the most."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def turn_on(endpoint: str) -> None:
    tracing.turn_on(OpenTelemetry(exporting_to(endpoint)))
