"""The life of an attempt to check out. The database refuses what is not here, see `keep_to_moves`."""

from app.checkout.models import AttemptState
from app.kit.state_machine import StateMachine

ATTEMPT = StateMachine(
    "an attempt to check out",
    initial=[AttemptState.PROCESSING],
    moves={
        AttemptState.PROCESSING: [AttemptState.REQUIRES_ACTION, AttemptState.SUCCEEDED, AttemptState.REFUSED],
        # Back when the shopper has acted and the gateway has not decided yet.
        AttemptState.REQUIRES_ACTION: [AttemptState.PROCESSING, AttemptState.SUCCEEDED, AttemptState.REFUSED],
        AttemptState.SUCCEEDED: [],
        AttemptState.REFUSED: [],
    },
)
