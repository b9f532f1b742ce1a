"""Stages, scores and moments, from orders and the time alone."""

from datetime import UTC, datetime, timedelta

import pytest

from app.customers.lifecycle_rules import Figures, Standing, frequency_bucket, monetary_bucket, score, standing
from app.customers.models import LifecycleStage

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def at(
    day: float,
    *,
    orders: int = 1,
    median: timedelta | None = None,
    usual: timedelta | None = None,
    dormant: bool = False,
    reachable: bool = True,
) -> Standing:
    last = FIRST if orders else None
    figures = Figures(orders, 1000 * orders, last, last, median)
    return standing(figures, FIRST + days(day), usual=usual, reachable=reachable, dormant=dormant)


def test_without_an_order_it_is_a_matter_of_being_reachable() -> None:
    assert at(0, orders=0).stage is LifecycleStage.LEAD
    assert at(0, orders=0, reachable=False).stage is LifecycleStage.VISITOR
    assert at(0, orders=0).changes_at is None


@pytest.mark.parametrize(
    ("day", "stage"),
    [(0, "FIRST_TIME"), (29, "FIRST_TIME"), (30, "AT_RISK"), (59, "AT_RISK"), (60, "LAPSED"), (500, "LAPSED")],
)
def test_a_first_buyer_goes_by_what_the_product_usually_takes(day: float, stage: str) -> None:
    assert at(day, usual=days(30)).stage == stage


@pytest.mark.parametrize(("day", "stage"), [(9, "ACTIVE"), (10, "AT_RISK"), (14.9, "AT_RISK"), (15, "LAPSED")])
def test_a_regular_goes_by_their_own_time(day: float, stage: str) -> None:
    stands = at(day, orders=3, median=days(10), usual=days(90))
    assert stands.stage == stage
    assert (stands.next_order_expected_at, stands.lapses_at) == (FIRST + days(10), FIRST + days(15))


def test_without_any_usual_time_nobody_is_at_risk() -> None:
    assert at(59).stage is LifecycleStage.FIRST_TIME
    assert at(59).next_order_expected_at is None


def test_dormant_is_a_kind_of_lapsed() -> None:
    assert at(61, dormant=True).stage is LifecycleStage.DORMANT
    assert at(1, dormant=True).stage is LifecycleStage.FIRST_TIME


def test_recency_falls_by_shares_of_the_time_to_the_lapse() -> None:
    assert [at(day).recency_score for day in (0, 14, 15, 30, 59, 60, 119, 120, 900)] == [5, 5, 4, 3, 3, 2, 2, 1, 1]


def test_each_change_by_time_is_known_beforehand() -> None:
    moments, stands = [], at(0, usual=days(20))
    while stands.changes_at is not None:
        day = (stands.changes_at - FIRST) / days(1)
        moments.append(day)
        stands = at(day, usual=days(20))
    assert moments == [15, 20, 30, 60, 120]


def test_scores_are_fifths_of_all_customers() -> None:
    assert [score(below, 10) for below in (0, 1, 2, 5, 8, 9)] == [1, 1, 2, 3, 5, 5]
    assert score(0, 1) == 1


def test_buckets_keep_the_order_of_amounts() -> None:
    buckets = [monetary_bucket(amount) for amount in (0, 1, 100, 120, 10_000, 10**15)]
    assert buckets == sorted(buckets)
    assert monetary_bucket(1000) < monetary_bucket(1300)
    assert frequency_bucket(10**9) < 2**15, "it fits its column"
