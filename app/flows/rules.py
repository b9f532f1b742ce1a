"""Decisions of the engine that need nothing but their arguments."""

import hashlib
import uuid
from collections.abc import Sequence


def exit_reason(event_type: str) -> str:
    """`order.placed` ends or moves a run as ORDER_PLACED."""
    return event_type.upper().replace(".", "_")


def chance(run_id: uuid.UUID, what: str) -> float:
    """From 0 up to 1, and always the same for the same run and question, on every machine."""
    digest = hashlib.sha256(run_id.bytes + what.encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def pick(weights: Sequence[float], at: float) -> int:
    """Which of the weights a number from 0 up to 1 falls on."""
    limit = at * sum(weights)
    for position, weight in enumerate(weights):
        limit -= weight
        if limit < 0:
            return position
    return len(weights) - 1
