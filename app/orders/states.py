"""The lives of an order: what may become what. The database refuses what is not here, see `keep_to_moves`."""

from app.kit.state_machine import StateMachine
from app.orders.models import FulfillmentStatus, OrderStatus

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
