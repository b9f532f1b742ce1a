"""The life of units that somebody holds. The database refuses what is not here, see `keep_to_moves`."""

from app.inventory.models import ReservationState
from app.kit.state_machine import StateMachine

RESERVATION = StateMachine(
    "a reservation",
    # What an edit adds to an order is promised at once.
    initial=[ReservationState.HELD, ReservationState.COMMITTED],
    moves={
        ReservationState.HELD: [ReservationState.COMMITTED, ReservationState.RELEASED],
        ReservationState.COMMITTED: [ReservationState.SHIPPED, ReservationState.RELEASED],
        ReservationState.SHIPPED: [],
        ReservationState.RELEASED: [],
    },
)
