"""When consent has to be confirmed, and how often a confirmation may be asked for. Pure decisions."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.customers.models import ConsentAction, ConsentSource

CONFIRMATION_PAUSE = timedelta(days=1)
MAX_CONFIRMATIONS = 3
"""Whoever ignored so many does not want it, or never asked for it."""

PROVEN_SOURCES = frozenset(
    {
        ConsentSource.CONFIRMATION,
        ConsentSource.PREFERENCES,
        ConsentSource.SMS_REPLY,
        ConsentSource.STAFF,
        ConsentSource.ACCOUNT,
    }
)
"""Where the receiver acted with what only they have, or staff vouches for them. An account vouches for its verified
address alone: for anything else it asks for a confirmation itself."""


def needs_confirmation(source: ConsentSource, *, double_opt_in: bool, last_elsewhere: ConsentAction | None) -> bool:
    """Whether a grant counts only once its receiver has confirmed it.

    Args:
        double_opt_in: the shop's setting for this channel and source.
        last_elsewhere: the latest decision about the address that was not made in the same cart. Whoever has
            unsubscribed is not subscribed again by anybody who types the address: only a confirmation does that.
    """
    if source in PROVEN_SOURCES:
        return False
    return double_opt_in or last_elsewhere is ConsentAction.REVOKED


def may_ask(requests: Sequence[datetime], now: datetime) -> bool:
    """Whether another confirmation may be sent: somebody else's address gets one a day, and three in all.

    Args:
        requests: when confirmations were asked for since the last confirmed one.
    """
    if len(requests) >= MAX_CONFIRMATIONS:
        return False
    return all(now - asked >= CONFIRMATION_PAUSE for asked in requests)
