"""What is still to be shipped, and a parcel that never moves backward."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.fulfillments.models import ShipmentStatus as Status
from app.fulfillments.rules import OrderedLine, lines_to_ship, status_after

START = datetime(2026, 5, 1, tzinfo=UTC)
events = st.lists(
    st.tuples(st.sampled_from(list(Status)), st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours))),
    max_size=12,
)
"""Often several at one moment: carriers give whole minutes, or only the day."""


def at(hours: int, status: Status) -> tuple[Status, datetime]:
    return status, START + timedelta(hours=hours)


@given(events, st.randoms())
def test_the_order_in_which_events_arrive_does_not_matter(
    arrived: list[tuple[Status, datetime]], random: object
) -> None:
    shuffled = list(arrived)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert status_after(arrived) is status_after(shuffled)


@given(events)
def test_repeated_events_do_not_matter(arrived: list[tuple[Status, datetime]]) -> None:
    assert status_after(arrived + arrived) is status_after(arrived)


@given(events)
def test_delivered_stays_delivered_until_it_returns(arrived: list[tuple[Status, datetime]]) -> None:
    expected = {Status.RETURNED} if any(status is Status.RETURNED for status, _ in arrived) else {Status.DELIVERED}
    assert status_after([*arrived, at(0, Status.DELIVERED)]) in expected


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        ([], Status.LABEL_CREATED),
        ([at(1, Status.DELAYED), at(1, Status.IN_TRANSIT)], Status.DELAYED),
        ([at(1, Status.IN_TRANSIT), at(2, Status.DELAYED)], Status.DELAYED),
        ([at(1, Status.IN_TRANSIT), at(2, Status.DELAYED), at(3, Status.IN_TRANSIT)], Status.IN_TRANSIT),
        (
            [at(1, Status.OUT_FOR_DELIVERY), at(2, Status.FAILED), at(3, Status.OUT_FOR_DELIVERY)],
            Status.OUT_FOR_DELIVERY,
        ),
        ([at(5, Status.DELIVERED), at(4, Status.OUT_FOR_DELIVERY)], Status.DELIVERED),
        ([at(5, Status.DELIVERED), at(9, Status.IN_TRANSIT)], Status.DELIVERED),
    ],
)
def test_examples(arrived: list[tuple[Status, datetime]], expected: Status) -> None:
    assert status_after(arrived) is expected


def line(quantity: int, fulfilled: int = 0, *, requires_shipping: bool = True) -> OrderedLine:
    return OrderedLine(uuid.uuid4(), uuid.uuid4(), quantity, fulfilled, requires_shipping)


def test_without_lines_all_that_is_left_ships_and_nothing_that_cannot() -> None:
    partly, whole, done, download = line(3, 1), line(2), line(1, 1), line(1, requires_shipping=False)
    assert lines_to_ship([partly, whole, done, download], None) == {partly.id: 2, whole.id: 2}


@pytest.mark.parametrize(
    ("ordered", "wanted", "code", "field"),
    [
        ([(1, 1)], None, "NOTHING_TO_FULFILL", None),
        ([(2, 0)], [(0, 3)], "FULFILLMENT_EXCEEDS_ORDER", ["input", "lines", "0", "quantity"]),
        ([(2, 0)], [(0, 1), (0, 2)], "FULFILLMENT_EXCEEDS_ORDER", ["input", "lines", "1", "quantity"]),
        ([(2, 0)], [(0, 0)], "OUT_OF_RANGE", ["input", "lines", "0", "quantity"]),
        ([(2, 0)], [], "NOTHING_TO_FULFILL", ["input", "lines"]),
    ],
)
def test_refusals(
    ordered: list[tuple[int, int]], wanted: list[tuple[int, int]] | None, code: str, field: list[str] | None
) -> None:
    lines = [line(*numbers) for numbers in ordered]
    named = None if wanted is None else [(lines[index].id, quantity) for index, quantity in wanted]
    with pytest.raises(DomainError) as refused:
        lines_to_ship(lines, named)
    assert (refused.value.code.name, refused.value.field) == (code, field)


def test_a_line_of_another_order_is_not_there() -> None:
    with pytest.raises(DomainError) as refused:
        lines_to_ship([line(1)], [(uuid.uuid4(), 1)])
    assert refused.value.code.name == "NOT_FOUND"
