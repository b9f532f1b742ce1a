"""What is due with each shipment and what refunds are worth: pure, under any mix."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kit.state_machine import IllegalMoveError
from app.payments.capturing import ShippedLine, due_so_far
from app.payments.models import PaymentState, RefundState
from app.payments.refund_amounts import Payable, SoldLine, share_out
from app.payments.states import PAYMENT, REFUND

MONEY = st.integers(0, 10**14)
"""Far over 32 bits."""


@st.composite
def parcels(draw: st.DrawFn) -> tuple[list[tuple[int, list[int]]], int, int]:
    """Lines (their price and how many units leave with each parcel), what is the whole order's, and what is due."""
    lines = []
    for _ in range(draw(st.integers(1, 5))):
        leaving = draw(st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any))
        lines.append((draw(MONEY), leaving))
    of_order = draw(MONEY)
    total = of_order + sum(price for price, _ in lines)
    return lines, of_order, draw(st.integers(0, total))


@given(parcels())
@settings(max_examples=100)
def test_what_is_due_grows_with_what_leaves_and_ends_at_what_is_due(
    case: tuple[list[tuple[int, list[int]]], int, int],
) -> None:
    lines, of_order, due = case
    total = of_order + sum(price for price, _ in lines)
    before = 0
    for parcel in range(4):
        shipped = [ShippedLine(sum(leaving), sum(leaving[:parcel]), price) for price, leaving in lines]
        now = due_so_far(shipped, total_minor=total, due_minor=due)
        assert before <= now <= due
        before = now
    assert before == due, "all has left"


def test_shipping_goes_with_the_first_goods_and_stored_value_comes_first() -> None:
    """3 x 10.00 and 5.99 shipping, of which a gift card paid 8.00: 27.99 are due."""
    one, two, all_of_it = (
        due_so_far([ShippedLine(3, left, 3_000)], total_minor=3_599, due_minor=2_799) for left in (1, 2, 3)
    )
    assert (one, two, all_of_it) == (1_000 + 599 - 800, 2_000 + 599 - 800, 2_799)
    assert due_so_far([ShippedLine(3, 0, 3_000)], total_minor=3_599, due_minor=2_799) == 0


@given(st.integers(1, 50), MONEY, st.data())
@settings(max_examples=100)
def test_any_way_to_refund_a_line_adds_up_to_it(quantity: int, gross: int, data: st.DataObject) -> None:
    refunded, given_back = 0, 0
    while refunded < quantity:
        units = data.draw(st.integers(1, quantity - refunded))
        line = SoldLine(id=uuid.uuid4(), quantity=quantity, gross_minor=gross, refunded=refunded)
        value = line.value(units)
        assert value >= 0
        given_back, refunded = given_back + value, refunded + units
    assert given_back == gross


@given(st.lists(MONEY, max_size=5), MONEY, st.data())
@settings(max_examples=100)
def test_parts_of_a_refund_add_up_and_exceed_nothing(rooms: list[int], stored: int, data: st.DataObject) -> None:
    payments = [Payable(uuid.uuid4(), room) for room in rooms]
    most = sum(rooms) + stored
    amount = data.draw(st.integers(0, most))
    parts = share_out(amount, payments, stored_minor=stored)
    assert sum(parts.values()) == amount
    assert all(part > 0 for part in parts.values())
    room_of: dict[uuid.UUID | None, int] = {payment.payment_id: payment.room_minor for payment in payments}
    assert all(part <= room_of.get(payment_id, stored) for payment_id, part in parts.items())
    with pytest.raises(ValueError):
        share_out(most + 1, payments, stored_minor=stored)


def test_illegal_moves_are_refused_by_type() -> None:
    for before, after in (
        (PaymentState.CAPTURED, PaymentState.VOIDED),
        (PaymentState.FAILED, PaymentState.CAPTURED),
        (PaymentState.VOIDED, PaymentState.AUTHORIZED),
        (PaymentState.PARTIALLY_CAPTURED, PaymentState.FAILED),
    ):
        with pytest.raises(IllegalMoveError):
            PAYMENT.check(before, after)
    with pytest.raises(IllegalMoveError):
        REFUND.check(RefundState.FAILED, RefundState.SUCCEEDED)
