"""Handing event ids to the broker right after a commit, without the shopper waiting for the queue.

A thread does it, as Dramatiq's brokers block. What it cannot deliver it drops: the scheduler finds those events in
PostgreSQL within seconds.
"""

import queue
import threading
import uuid

import dramatiq
import structlog

from workers.actors import event_message
from workers.broker import QUEUE

MAX_PENDING = 10_000
FLUSH_TIMEOUT_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Relay:
    def __init__(self, broker: dramatiq.Broker) -> None:
        self._broker = broker
        self._pending: queue.Queue[uuid.UUID | None] = queue.Queue(MAX_PENDING)
        self._thread = threading.Thread(target=self._work, name="relay", daemon=True)
        self._broker.declare_queue(QUEUE)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send what is pending, for two seconds at the most."""
        try:
            self._pending.put(None, timeout=FLUSH_TIMEOUT_SECONDS)
        except queue.Full:
            return
        self._thread.join(FLUSH_TIMEOUT_SECONDS)

    def publish(self, ids: list[uuid.UUID]) -> None:
        """Never blocks, never raises."""
        for event_id in ids:
            try:
                self._pending.put_nowait(event_id)
            except queue.Full:
                return

    def publish_now(self, ids: list[uuid.UUID]) -> list[uuid.UUID]:
        """For the scheduler, in a thread: blocks, and returns the ids that the broker did not take."""
        for position, event_id in enumerate(ids):
            try:
                self._broker.enqueue(event_message(event_id))
            except Exception as error:  # noqa: BLE001 - whatever a broker raises means: not taken
                log.warning("broker unavailable", error=type(error).__name__)
                return ids[position:]
        return []

    def _work(self) -> None:
        while (event_id := self._pending.get()) is not None:
            self.publish_now([event_id])
