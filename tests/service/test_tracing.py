"""One trace from a shopper's request to the mail that confirms the order, and nothing private in it."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app import db, events, tracing, tracing_export
from app.dev.ports import LOOPBACK
from app.main import create_app
from app.runtime import _trace
from app.settings import Settings
from tests.client import Api
from tests.factories import shop
from tests.faults.shopping import Guest, open_shop

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.turn_on(tracing_export.OpenTelemetry(SimpleSpanProcessor(exporter)))
    try:
        yield exporter
    finally:
        if (was := tracing.turn_off()) is not None:
            was.close()


def trace_of(span: ReadableSpan) -> int:
    return span.context.trace_id if span.context else 0


async def bought(api: Api) -> Guest:
    async def post(document: str, variables: dict[str, object]) -> dict[str, object]:
        return {"data": (await api.query(document, variables)).data}

    guest = Guest(await open_shop(stock=3), post)
    await guest.fill_cart()
    await guest.pay()
    return guest


async def test_a_checkout_is_one_trace_through_its_confirmation(
    api: Api, drain: Callable[[], Awaitable[None]], spans: InMemorySpanExporter
) -> None:
    guest = await bought(api)
    await drain()
    found = spans.get_finished_spans()
    (checkout,) = (span for span in found if span.name == "graphql checkoutComplete")
    trace = [span for span in found if trace_of(span) == trace_of(checkout)]
    names = {span.name for span in trace}
    assert {"transaction", "payment authorise", "event order.placed", "handler messaging.order_confirmation"} <= names
    assert "send email" in names
    # Every span but the first has its parent in the trace: nobody has to guess what set it off.
    ids = {span.context.span_id for span in trace if span.context}
    orphans = [span.name for span in trace if span.parent is not None and span.parent.span_id not in ids]
    assert orphans == []
    assert checkout.attributes is not None
    assert (checkout.attributes["outcome"], checkout.attributes["status"]) == ("ok", 200)
    # The cart was filled by requests of their own.
    assert len({trace_of(span) for span in found if span.name.startswith("graphql")}) == 3
    told = repr([(span.name, dict(span.attributes or {}), span.events, span.status.description) for span in found])
    for private in (
        guest.email,
        "Lovelace",
        "94158",
        "tok_success",
        guest.token or "",
        guest.variables["input"]["cartId"],
    ):
        assert private not in told


async def test_an_exception_is_told_by_its_class_alone(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="canary"), tracing.span("work"):
        raise ValueError("canary@example.com")
    (span,) = spans.get_finished_spans()
    assert (span.status.description, span.events) == ("ValueError", ())


@pytest.mark.parametrize(("proxies", "joined"), [(1, True), (0, False)])
@pytest.mark.usefixtures("clean_database")
async def test_only_a_trusted_caller_goes_on_with_its_own_trace(
    settings: Settings, spans: InMemorySpanExporter, proxies: int, joined: bool
) -> None:
    await shop.shop()
    api = Api(create_app(settings.model_copy(update={"trusted_proxies": proxies})))
    try:
        await api.ok("{ shop { name } }", headers={"traceparent": CALLER})
        await api.ok("{ shop { name } }", headers={"traceparent": "00-not-a-trace-01"})
    finally:
        await api.close()
    first, second = (span for span in spans.get_finished_spans() if span.name == "graphql shop")
    assert (f"{trace_of(first):032x}" == CALLER.split("-")[1]) is joined
    assert trace_of(second) != trace_of(first)
    assert second.parent is None


@pytest.mark.usefixtures("clean_database")
async def test_off_it_is_not_even_imported_and_events_carry_nothing() -> None:
    async with db.unit_of_work():
        event_id = await events.record("test.nobody_listens")
    assert await db.fetchval("SELECT traceparent FROM events WHERE id = $1", event_id) is None
    # redis-py looks for OpenTelemetry by itself, so that it is there says nothing about us.
    code = "import sys, app.main, workers.scheduler, workers.actors; sys.exit('app.tracing_export' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_without_the_extra_the_shop_runs_and_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "app.tracing_export")
    monkeypatch.delattr("app.tracing_export")
    _trace(settings.model_copy(update={"otel_exporter_otlp_endpoint": "http://localhost:1"}))
    assert not tracing.is_on()
    assert "install the extra" in capsys.readouterr().out


async def test_a_collector_gets_the_spans_over_http(api: Api, settings: Settings) -> None:
    received: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            sent = ExportTraceServiceRequest.FromString(body)
            received.extend(
                span.name for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://{LOOPBACK}:{server.server_address[1]}"
        _trace(settings.model_copy(update={"otel_exporter_otlp_endpoint": endpoint}))
        await bought(api)
        turned_off = tracing.turn_off()
        assert turned_off is not None
        turned_off.close()
        server.shutdown()
    assert {"graphql checkoutComplete", "transaction", "payment authorise"} <= set(received)
