"""Whoever tries cards on us, one after the other, is stopped: after some declined payments no gateway is asked.

Counted where a gateway is about to be asked, so the same key sent again, by a shopper's patience or a bad connection,
costs nothing and gets its answer. A try that is not decided yet counts a little, so that many at a time pass no gap,
while all who share an address can pay at once. Counted as in `app.point_budget`, at no round trip.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from app.checkout.answers import Answer, Refused
from app.payments.errors import PaymentErrorCode
from app.point_budget import budget
from app.rate_limit import RateLimitedError

PER_CART, PER_CLIENT = 10, 20
WINDOW_SECONDS = 1_800.0
DECLINED_POINTS, OPEN_POINTS = 5, 1
"""So a client has five times as many tries open at once as may be declined."""


class Trial:
    """One payment that a gateway may be asked for."""

    def __init__(self, cart: str, client: str | None) -> None:
        """
        Args:
            cart: that is paid.
            client: where the request comes from; None where clients are not counted.
        """
        self._payers = [(budget("declines-cart", PER_CART * DECLINED_POINTS, WINDOW_SECONDS), cart)]
        if client is not None:
            self._payers.append((budget("declines-client", PER_CLIENT * DECLINED_POINTS, WINDOW_SECONDS), client))
        self._spent = 0

    def begin(self) -> None:
        """Count it. Raises RateLimitedError: too many declines, no gateway is to be asked."""
        if wait := max(each.wait_seconds(subject) for each, subject in self._payers):
            raise RateLimitedError(wait)
        self._count(OPEN_POINTS)

    def decided(self, answer: Answer) -> None:
        if _is_declined(answer):
            self._count(DECLINED_POINTS)

    def _count(self, points: int) -> None:
        """That many in all."""
        for each, subject in self._payers:
            each.spend(subject, points - self._spent)
        self._spent = points

    def end(self) -> None:
        """What is open no more, and was not declined, costs nothing."""
        if self._spent == OPEN_POINTS:
            self._count(0)


@contextmanager
def trial(cart: str, client: str | None) -> Iterator[Trial]:
    one = Trial(cart, client)
    try:
        yield one
    finally:
        one.end()


def _is_declined(answer: Answer) -> bool:
    return isinstance(answer, Refused) and any(
        error.code is PaymentErrorCode.PAYMENT_DECLINED for error in answer.errors
    )
