"""A port for the metrics of workers and schedulers, which serve nothing else over HTTP."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from app.metrics.guard import may_read
from app.settings import Settings

CLIENT_TIMEOUT_SECONDS = 10.0

log = structlog.get_logger(__name__)


class MetricsPort:
    """Serves `GET /metrics` from a thread until it is closed."""

    def __init__(self, settings: Settings, read: Callable[[], bytes]) -> None:
        """Args: `read` gives the text, in any thread; what it raises becomes a 500."""

        class Handler(BaseHTTPRequestHandler):
            timeout = CLIENT_TIMEOUT_SECONDS
            server_version = "tradewind"
            sys_version = ""

            def do_GET(self) -> None:
                if self.path.partition("?")[0] != "/metrics":
                    self._answer(404, b"Metrics are at /metrics.\n")
                elif not may_read(settings, self.headers.get("Authorization")):
                    self._answer(401, b"Metrics need the bearer token of METRICS_TOKEN.\n")
                else:
                    self._answer_metrics()

            def _answer_metrics(self) -> None:
                try:
                    text = read()
                except Exception as error:  # noqa: BLE001 - a scrape that fails must not end the thread
                    log.warning("metrics cannot be read", error=type(error).__name__)
                    self._answer(500, b"The metrics cannot be read.\n")
                else:
                    self._answer(200, text, CONTENT_TYPE_LATEST)

            def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Scrapes are no news."""

        self._server = ThreadingHTTPServer((settings.metrics_host, settings.metrics_port or 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def number(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def open_port(settings: Settings, read: Callable[[], bytes]) -> MetricsPort | None:
    """None where METRICS_PORT is not set or is taken: the shop goes on without."""
    if settings.metrics_port is None:
        return None
    try:
        return MetricsPort(settings, read)
    except OSError as error:
        log.error("no port for metrics", port=settings.metrics_port, error=error.strerror)
        return None
