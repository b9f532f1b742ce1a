"""What an order says of its payment: from its sums alone, and never that it is paid while money is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders.models import PaymentStatus
from app.payments.standing import SETTLED, Sums, payment_status

P = PaymentStatus


@pytest.mark.parametrize(
    ("sums", "status"),
    [
        # Paid on the way.
        (Sums(due_minor=0), P.PAID),
        (Sums(due_minor=100), P.PENDING),
        (Sums(due_minor=100, set_aside_minor=100), P.AUTHORIZED),
        (Sums(due_minor=100, set_aside_minor=60, captured_minor=40), P.PARTIALLY_PAID),
        (Sums(due_minor=100, captured_minor=100), P.PAID),
        (Sums(due_minor=80, captured_minor=100), P.PAID),
        (Sums(due_minor=50, stored_minor=50), P.PENDING),
        # Given back, otherwise than by an edit: the buyer is let off as much.
        (Sums(due_minor=100, captured_minor=100, refunded_minor=1), P.PARTIALLY_REFUNDED),
        (Sums(due_minor=100, captured_minor=100, refunded_minor=100), P.REFUNDED),
        (Sums(due_minor=0, stored_minor=50, refunded_minor=50), P.REFUNDED),
        (Sums(due_minor=50, stored_minor=50, captured_minor=50, refunded_minor=50), P.PARTIALLY_REFUNDED),
        # A part is given back of an order of which the rest is still to come.
        (Sums(due_minor=100, captured_minor=30, refunded_minor=10), P.PARTIALLY_PAID),
        (Sums(due_minor=100, captured_minor=30, refunded_minor=30), P.PARTIALLY_PAID),
        (Sums(due_minor=100, captured_minor=30, set_aside_minor=70, refunded_minor=10), P.PARTIALLY_PAID),
        (Sums(due_minor=100, stored_minor=20, refunded_minor=20), P.PENDING),
        # 100 were taken, then it cost 60, and 40 are on their way back, and have come back.
        (Sums(due_minor=60, captured_minor=100, overpaid_minor=40), P.PAID),
        (Sums(due_minor=60, captured_minor=100, overpaid_minor=40, refunded_minor=40), P.PARTIALLY_REFUNDED),
        # It costs 80 then: 20 are missing, and come in.
        (Sums(due_minor=80, captured_minor=100, overpaid_minor=40, refunded_minor=40), P.PARTIALLY_PAID),
        (Sums(due_minor=80, captured_minor=100, overpaid_minor=40), P.PARTIALLY_PAID),
        (Sums(due_minor=80, captured_minor=120, overpaid_minor=40, refunded_minor=40), P.PARTIALLY_REFUNDED),
        # It cost nothing, and costs something then.
        (Sums(due_minor=0, captured_minor=100, overpaid_minor=100, refunded_minor=100), P.REFUNDED),
        (Sums(due_minor=30, captured_minor=100, overpaid_minor=100, refunded_minor=100), P.PENDING),
        (Sums(due_minor=30, captured_minor=100, overpaid_minor=100, set_aside_minor=30), P.AUTHORIZED),
        # Cancelled: nothing is due.
        (Sums(due_minor=100, is_cancelled=True, is_called_off=True), P.VOIDED),
        (Sums(due_minor=100, is_cancelled=True), P.PENDING),
        (Sums(due_minor=100, is_cancelled=True, set_aside_minor=100), P.AUTHORIZED),
        (Sums(due_minor=100, is_cancelled=True, captured_minor=100), P.PAID),
        (Sums(due_minor=100, is_cancelled=True, captured_minor=30), P.PARTIALLY_PAID),
        (Sums(due_minor=100, is_cancelled=True, captured_minor=30, refunded_minor=10), P.PARTIALLY_REFUNDED),
        (Sums(due_minor=100, is_cancelled=True, captured_minor=30, refunded_minor=30), P.REFUNDED),
        (Sums(due_minor=80, is_cancelled=True, stored_minor=20, refunded_minor=20), P.REFUNDED),
    ],
)
def test_what_an_order_says(sums: Sums, status: PaymentStatus) -> None:
    assert payment_status(sums) is status


@st.composite
def standing_orders(draw: st.DrawFn) -> Sums:
    """Of an order that stands, with sums as they can be: nothing goes back that was not taken."""
    money = st.integers(0, 10**14)
    captured, stored = draw(money), draw(money)
    overpaid = draw(st.integers(0, captured))
    return Sums(
        due_minor=draw(st.one_of(money, st.just(captured - overpaid))),
        stored_minor=stored,
        captured_minor=captured,
        set_aside_minor=draw(money),
        overpaid_minor=overpaid,
        refunded_minor=draw(st.integers(0, captured + stored)),
    )


@given(standing_orders())
@settings(max_examples=100)
def test_an_order_is_settled_where_nothing_is_missing(sums: Sums) -> None:
    """What completes an order, lets its gift cards go and rewards who recommended it."""
    assert (payment_status(sums) in SETTLED) is (sums.captured_minor - sums.overpaid_minor >= sums.due_minor)
    assert 0 <= sums.uncovered_minor <= sums.missing_minor <= sums.due_minor + sums.overpaid_minor
    assert payment_status(sums) is not P.VOIDED, "which is of cancelled ones"
