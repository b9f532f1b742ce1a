"""Who wants to hear of which event."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    id: uuid.UUID
    type: str
    subject_id: uuid.UUID | None
    payload: dict[str, Any]
    occurred_at: datetime
    """Business time."""
    attempt: int
    """1 for the first try."""


@dataclass(frozen=True, slots=True)
class Handler:
    name: str
    """Stable: it is the key of the receipts, so a renamed handler would run again."""
    call: Callable[[Event], Awaitable[None]]
    transactional: bool
    only_if: Callable[[Event], Awaitable[bool]] | None = None
    """Asked before a transaction is opened for it."""
    gave_up: Callable[[Event], Awaitable[None]] | None = None
    """Called in the transaction that writes the dead letter."""


_handlers: dict[str, list[Handler]] = {}


def on(
    event_type: str,
    *,
    name: str,
    transactional: bool = True,
    only_if: Callable[[Event], Awaitable[bool]] | None = None,
    gave_up: Callable[[Event], Awaitable[None]] | None = None,
) -> Callable[[Callable[[Event], Awaitable[None]]], Callable[[Event], Awaitable[None]]]:
    """Subscribe a coroutine function to an event type.

    Args:
        name: unique for this event type, and stable over releases.
        transactional: the handler runs in a unit of work together with its receipt, so its effects come about exactly
            once. False is for work that talks to the outside: it runs without a transaction, at least once, and has
            to be idempotent by a state of its own.
        only_if: where most events of the type mean nothing to the handler: false saves its transaction and its receipt.
        gave_up: what becomes true when the attempts have run out, in the transaction that writes the dead letter.
            Attempts that ended their process count, so the handler itself may never have seen a failure.
    """

    def register(call: Callable[[Event], Awaitable[None]]) -> Callable[[Event], Awaitable[None]]:
        handlers = _handlers.setdefault(event_type, [])
        if any(handler.name == name for handler in handlers):
            raise ValueError(f"{name} already listens to {event_type}")
        handlers.append(Handler(name, call, transactional, only_if, gave_up))
        return call

    return register


def subscribed(event_type: str) -> list[Handler]:
    return list(_handlers.get(event_type, ()))
