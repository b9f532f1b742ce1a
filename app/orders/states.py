"""The lives of an order: what may become what. The database refuses what is not here, see `keep_to_moves`."""

from app.kit.state_machine import StateMachine
from app.orders.models import FulfillmentStatus, OrderStatus, PaymentStatus

_P = PaymentStatus

ORDER = StateMachine(
    "an order",
    initial=[OrderStatus.OPEN, OrderStatus.COMPLETED],
    moves={
        OrderStatus.OPEN: [OrderStatus.COMPLETED, OrderStatus.CANCELLED],
        OrderStatus.COMPLETED: [],
        OrderStatus.CANCELLED: [],
    },
)
FULFILLMENT = StateMachine(
    "a fulfilment status",
    initial=[FulfillmentStatus.UNFULFILLED, FulfillmentStatus.NOT_REQUIRED],
    moves={
        # NOT_REQUIRED and back by an edit, after which nothing ships any more, or something does.
        FulfillmentStatus.UNFULFILLED: [
            FulfillmentStatus.PARTIALLY_FULFILLED,
            FulfillmentStatus.FULFILLED,
            FulfillmentStatus.NOT_REQUIRED,
        ],
        FulfillmentStatus.NOT_REQUIRED: [FulfillmentStatus.UNFULFILLED],
        FulfillmentStatus.PARTIALLY_FULFILLED: [FulfillmentStatus.FULFILLED],
        FulfillmentStatus.FULFILLED: [],
    },
)
PAYMENT_STATUS = StateMachine(
    "a payment status",
    # What an order says of its payments follows from their sums (`app.payments.standing`), so that money decides. What
    # no money can bring about is left out: nothing that was taken is merely set aside again, for one.
    # PARTIALLY_PAID: placed with a deposit.
    initial=[_P.PENDING, _P.AUTHORIZED, _P.PARTIALLY_PAID, _P.PAID],
    moves={
        _P.PENDING: [_P.AUTHORIZED, _P.PARTIALLY_PAID, _P.PAID, _P.PARTIALLY_REFUNDED, _P.REFUNDED, _P.VOIDED],
        # PENDING: what was set aside has lapsed.
        _P.AUTHORIZED: [
            _P.PENDING, _P.PARTIALLY_PAID, _P.PAID, _P.PARTIALLY_REFUNDED, _P.REFUNDED, _P.VOIDED,
        ],
        _P.PARTIALLY_PAID: [_P.PAID, _P.PARTIALLY_REFUNDED, _P.REFUNDED],
        # It owes more since it was edited: something has been taken of that, or nothing where nothing had been due.
        _P.PAID: [_P.PENDING, _P.AUTHORIZED, _P.PARTIALLY_PAID, _P.PARTIALLY_REFUNDED, _P.REFUNDED],
        # Banks send refunds back weeks later. PENDING, AUTHORIZED, PARTIALLY_PAID: it owes more since it was edited.
        _P.PARTIALLY_REFUNDED: [_P.PENDING, _P.AUTHORIZED, _P.PARTIALLY_PAID, _P.PAID, _P.REFUNDED],
        _P.REFUNDED: [_P.PENDING, _P.AUTHORIZED, _P.PARTIALLY_PAID, _P.PAID, _P.PARTIALLY_REFUNDED],
        # Money that turns up although it was called off.
        _P.VOIDED: [_P.PENDING, _P.PARTIALLY_PAID, _P.PAID, _P.PARTIALLY_REFUNDED, _P.REFUNDED],
    },
)  # fmt: skip
