"""Where a customer stands, from their orders and the time: pure decisions. See docs/decisions/lifecycle.md."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.customers.models import LifecycleStage

LAPSES_AFTER = timedelta(days=60)
"""For who has no usual time of their own yet."""
LAPSE_FACTOR = 1.5
"""Of the customer's own median interval."""
SAME_OCCASION = timedelta(days=1)
"""Orders that follow within it are one occasion to buy: what somebody forgot, or a second parcel."""

_RECENCY_BANDS = ((0.25, 5), (0.5, 4), (1.0, 3), (2.0, 2))
"""Up to which share of the time to the lapse a recency score holds; beyond the last it is 1."""
_BUCKETS_PER_DOUBLING = 4
_MAX_BUCKET = 32_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the orders that were not cancelled. `total_spent_minor` is in minor units of the shop's currency."""

    order_count: int
    total_spent_minor: int
    first_order_at: datetime | None
    last_order_at: datetime | None
    median_interval: timedelta | None


@dataclass(frozen=True, slots=True)
class Standing:
    stage: LifecycleStage
    recency_score: int | None
    next_order_expected_at: datetime | None
    lapses_at: datetime | None
    changes_at: datetime | None
    """When time alone changes any of it; None when nothing but an event will."""


def standing(figures: Figures, now: datetime, *, usual: timedelta | None, reachable: bool, dormant: bool) -> Standing:
    """Where somebody stands at a moment.

    Args:
        usual: the usual time until what they bought last is bought again; counts where they have none of their own.
        reachable: whether there is an address to write to.
        dormant: winning them back was given up, and they have not ordered since.
    """
    last = figures.last_order_at
    if last is None:
        stage = LifecycleStage.LEAD if reachable else LifecycleStage.VISITOR
        return Standing(stage, None, None, None, None)
    period = figures.median_interval * LAPSE_FACTOR if figures.median_interval else LAPSES_AFTER
    expected_after = figures.median_interval or usual
    expected = last + expected_after if expected_after else None
    lapses = last + period
    moments = [last + period * share for share, _ in _RECENCY_BANDS] + ([expected] if expected else [])
    return Standing(
        _stage(figures, now, expected, lapses, dormant=dormant),
        _recency(now - last, period),
        expected,
        lapses,
        _next(moments, now),
    )


def _stage(
    figures: Figures, now: datetime, expected: datetime | None, lapses: datetime, *, dormant: bool
) -> LifecycleStage:
    if now >= lapses:
        return LifecycleStage.DORMANT if dormant else LifecycleStage.LAPSED
    if expected is not None and now >= expected:
        return LifecycleStage.AT_RISK
    return LifecycleStage.FIRST_TIME if figures.order_count == 1 else LifecycleStage.ACTIVE


def _recency(elapsed: timedelta, period: timedelta) -> int:
    share = elapsed / period
    return next((score for limit, score in _RECENCY_BANDS if share < limit), 1)


def _next(moments: Iterable[datetime], now: datetime) -> datetime | None:
    return min((moment for moment in moments if moment > now), default=None)


def monetary_bucket(total_spent_minor: int) -> int:
    """Amounts that differ by less than a fifth may share one."""
    return min(_MAX_BUCKET, round(math.log2(1 + total_spent_minor) * _BUCKETS_PER_DOUBLING))


def frequency_bucket(order_count: int) -> int:
    return min(_MAX_BUCKET, order_count)


def score(below: int, customers: int) -> int:
    """1 to 5: in which fifth of all customers somebody is, by how many of them have less."""
    return 1 if customers <= 0 else min(5, 1 + 5 * below // customers)
