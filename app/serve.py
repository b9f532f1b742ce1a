"""The API under uvicorn, and the workers under Dramatiq."""

import contextlib
import multiprocessing
import os
import sys

from starlette.types import ASGIApp

from app.kit.heap import loading
from app.kit.parent import die_with_parent
from app.logging import configure_logging
from app.metrics.exposing import shared_by_processes
from app.settings import get_settings

# Dramatiq's threads look at the queue this often; its own default makes an idle worker take a second to notice.
_WORKER_POLL_MS = 100


def application() -> ASGIApp:
    """The ASGI app of one server process."""
    if multiprocessing.parent_process() is not None:
        die_with_parent(os.getppid())
    configure_logging(get_settings())
    with loading():
        from app.main import create_app

        return create_app()


def serve_api(host: str, port: int, workers: int, shutdown_seconds: int) -> None:
    """Serves until SIGTERM or SIGINT; then open requests have `shutdown_seconds` to end."""
    import uvicorn

    settings = get_settings()
    configure_logging(settings)
    with shared_by_processes() if workers > 1 else contextlib.nullcontext():
        uvicorn.run(
            "app.serve:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            loop="uvloop",
            http="app.web.http_protocol:BoundedProtocol",
            # The app reads the proxies' headers itself: it knows how many of them to trust.
            proxy_headers=False,
            # Of a message on a WebSocket, before it is in memory.
            ws_max_size=settings.max_body_bytes,
            # Memory is bounded by what is held open; a load balancer tries the next process on 503.
            limit_concurrency=settings.max_connections,
            server_header=False,
            # Requests are logged by the app, without personal data.
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=shutdown_seconds,
        )


def run_workers(processes: int, threads: int, shutdown_seconds: int) -> int:
    """Runs Dramatiq's master until SIGTERM or SIGINT; then jobs have `shutdown_seconds` to end.

    Returns:
        Its exit code. It ends as soon as one of its processes dies, for whatever started it to start it again.
    """
    os.environ.setdefault("dramatiq_worker_timeout", str(_WORKER_POLL_MS))
    from dramatiq import cli as dramatiq

    from workers import boot

    configure_logging(get_settings())
    options = ["--processes", str(processes), "--threads", str(threads)]
    options += ["--worker-shutdown-timeout", str(shutdown_seconds * 1000), "--skip-logging"]
    # An empty --path: Dramatiq would put the current folder before the installed packages.
    arguments = dramatiq.make_argument_parser().parse_args(  # type: ignore[no-untyped-call]
        ["workers.boot:set_up", *options, "--path"]
    )
    with shared_by_processes():
        if sys.platform == "linux":  # elsewhere processes that have loaded much do not outlive a fork for sure
            with loading():
                boot.load()
        return int(dramatiq.main(arguments))  # type: ignore[no-untyped-call]
