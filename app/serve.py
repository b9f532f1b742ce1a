"""The API under uvicorn."""

import multiprocessing
import os

import uvicorn
from starlette.types import ASGIApp

from app.kit.parent import die_with_parent


def application() -> ASGIApp:
    """The ASGI app of one server process."""
    if multiprocessing.parent_process() is not None:
        die_with_parent(os.getppid())
    from app.main import create_app

    return create_app()


def serve(host: str, port: int, workers: int, shutdown_seconds: int) -> None:
    """Serves until SIGTERM or SIGINT; then open requests have `shutdown_seconds` to end."""
    uvicorn.run(
        "app.serve:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        # The app reads the proxies' headers itself: it knows how many of them to trust.
        proxy_headers=False,
        server_header=False,
        # Requests are logged by the app, without personal data.
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=shutdown_seconds,
    )
