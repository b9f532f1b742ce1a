"""The breaker and the rate limit of one process, for as long as Redis is away."""

import time

FAILURES_THAT_OPEN = 5
OPEN_SECONDS = 30.0
BURST_SECONDS = 1.0
"""Of the rate, that may come at once."""


class Breaker:
    """Open for a while after failures in a row; then each try that fails opens it again."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_THAT_OPEN:
            self._open_until = time.monotonic() + OPEN_SECONDS

    def succeeded(self) -> None:
        self._failures = 0
        self._open_until = 0.0

    def closed_for_seconds(self) -> float:
        return max(0.0, self._open_until - time.monotonic())


class Line:
    """Turns in the distance of the rate. One that is denied is not kept: its message asks again."""

    def __init__(self) -> None:
        self._next = 0.0

    def wait_seconds(self, per_second: float) -> float:
        """0 when it is this one's turn."""
        if per_second <= 0:
            return 0.0
        now = time.monotonic()
        turn = max(self._next, now)
        if turn - now > BURST_SECONDS:
            return turn - now - BURST_SECONDS
        self._next = turn + 1 / per_second
        return 0.0


_breakers: dict[str, Breaker] = {}
_lines: dict[tuple[str, bool], Line] = {}


def breaker(name: str) -> Breaker:
    return _breakers.setdefault(name, Breaker())


def line(name: str, urgent: bool) -> Line:
    return _lines.setdefault((name, urgent), Line())
