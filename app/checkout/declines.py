"""Whoever tries cards on us, one after the other, is stopped: after some declined payments no gateway is asked.

Every try counts before it is made, so that many at a time pass no gap, and is given back when it was not declined.
Counted as in `app.point_budget`, at no round trip.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import DomainError, DomainErrors
from app.payments.errors import PaymentErrorCode
from app.point_budget import PointBudget, budget
from app.rate_limit import RateLimitedError

PER_CART, PER_CLIENT = 10, 20
WINDOW_SECONDS = 1_800.0


@contextmanager
def counted(cart: str, client: str | None) -> Iterator[None]:
    """Around the completion of a checkout.

    Args:
        cart: the cart or checkout that is paid.
        client: where it comes from; None where clients are not counted.

    Raises:
        RateLimitedError: too many declines; nothing is to be tried.
    """
    payers = [(budget("declines-cart", PER_CART, WINDOW_SECONDS), cart)]
    if client is not None:
        payers.append((budget("declines-client", PER_CLIENT, WINDOW_SECONDS), client))
    if wait := max(each.wait_seconds(subject) for each, subject in payers):
        raise RateLimitedError(wait)
    _spend(payers, 1)
    declined = False
    try:
        yield
    except (DomainError, DomainErrors) as error:
        declined = any(one.code is PaymentErrorCode.PAYMENT_DECLINED for one in error.errors)
        raise
    finally:
        if not declined:
            _spend(payers, -1)


def _spend(payers: list[tuple[PointBudget, str]], points: int) -> None:
    for each, subject in payers:
        each.spend(subject, points)
