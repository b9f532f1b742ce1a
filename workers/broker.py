"""Dramatiq's broker. It carries ids of events and is never the only place where work is known."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Middleware, MiddlewareError

from app.events import queue
from app.metrics import exposing, instruments
from app.metrics.port import MetricsPort, open_port
from app.runtime import running
from app.settings import Settings

HEARTBEAT_TIMEOUT_MS = 10_000
MAINTENANCE_CHANCE_PER_MILLION = 20_000
SOCKET_TIMEOUT_SECONDS = 5.0
QUEUE = queue.NAME


class Runtime(Middleware):
    """Opens the database and Redis in the worker process's event loop, once, before any message."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._running: AbstractAsyncContextManager[None] | None = None
        self._port: MetricsPort | None = None

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self._running = running(self.settings)
        try:
            self._run(self._running.__aenter__())
        except Exception as error:
            if (thread := get_event_loop_thread()) is not None:
                # Or the process waits for it, neither working nor ending.
                thread.stop()  # type: ignore[no-untyped-call]
            # Dramatiq goes on after any other exception, with a worker that could only fail.
            raise MiddlewareError(f"the worker cannot start: {error}") from error
        if exposing.is_elected():
            self._port = open_port(self.settings, exposing.exposition)

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        instruments.job_ended("done" if exception is None else "failed")

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        if self._port is not None:
            self._port.close()
        if self._running is not None:
            context, self._running = self._running, None
            self._run(context.__aexit__(None, None, None))

    @staticmethod
    def _run(coroutine: Any) -> None:
        thread = get_event_loop_thread()
        if thread is None:
            raise MiddlewareError("the AsyncIO middleware has to come first")
        thread.run_coroutine(coroutine)


def build_broker(settings: Settings, *, for_worker: bool = False) -> dramatiq.Broker:
    """RabbitMQ where BROKER_URL says so, else Redis. Publishing processes need no middleware."""
    middleware: list[Middleware] = [AsyncIO(), Runtime(settings)] if for_worker else []
    url = settings.broker_url or settings.redis_url
    if url.startswith(("amqp://", "amqps://")):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=url, middleware=middleware, confirm_delivery=True)
    return RedisBroker(  # type: ignore[no-untyped-call]
        url=url,
        middleware=middleware,
        namespace=settings.broker_namespace,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=MAINTENANCE_CHANCE_PER_MILLION,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
    )
