"""The lives of payments, captures and refunds: what may become what."""

from app.kit.state_machine import StateMachine
from app.payments.models import CaptureState, DisputeState, PaymentState, RefundState

_P = PaymentState

PAYMENT = StateMachine(
    "a payment",
    # Whoever pays by hand has paid with the row; an order whose total nobody has to be asked for begins anywhere.
    initial=[_P.PENDING, _P.CAPTURED],
    moves={
        _P.PENDING: [_P.REQUIRES_ACTION, _P.AUTHORIZED, _P.CAPTURING, _P.CAPTURED, _P.FAILED, _P.VOIDING, _P.VOIDED],
        _P.REQUIRES_ACTION: [
            _P.PENDING, _P.AUTHORIZED, _P.CAPTURING, _P.CAPTURED, _P.FAILED, _P.VOIDING, _P.VOIDED,
        ],
        # It lapses, or is captured or called off at the provider's dashboard: VOIDED, CAPTURED, PARTIALLY_CAPTURED.
        _P.AUTHORIZED: [_P.CAPTURING, _P.PARTIALLY_CAPTURED, _P.CAPTURED, _P.VOIDING, _P.VOIDED],
        # Refused by the gateway: back to what is still set aside, or VOIDED where nothing is.
        _P.CAPTURING: [_P.CAPTURED, _P.PARTIALLY_CAPTURED, _P.AUTHORIZED, _P.VOIDED],
        _P.PARTIALLY_CAPTURED: [_P.CAPTURING, _P.CAPTURED, _P.VOIDING],
        _P.CAPTURED: [],
        # Money that turns up although it was declined or called off.
        _P.FAILED: [_P.VOIDING],
        _P.VOIDED: [_P.VOIDING],
        # CAPTURED: it had been taken, in part or (as the gateway does both at once) all of it.
        _P.VOIDING: [_P.VOIDED, _P.CAPTURED],
    },
)  # fmt: skip
CAPTURE = StateMachine(
    "a capture",
    initial=[CaptureState.PENDING],
    moves={
        CaptureState.PENDING: [CaptureState.SUCCEEDED, CaptureState.FAILED],
        CaptureState.SUCCEEDED: [],
        CaptureState.FAILED: [],
    },
)
REFUND = StateMachine(
    "a refund",
    # One that was made at the provider's dashboard is found when it is done.
    initial=[RefundState.PENDING, RefundState.SUCCEEDED],
    moves={
        RefundState.PENDING: [RefundState.SUCCEEDED, RefundState.FAILED],
        # A bank sends it back weeks later: the buyer's account was closed.
        RefundState.SUCCEEDED: [RefundState.FAILED],
        RefundState.FAILED: [],
    },
)
_D = DisputeState
DISPUTE = StateMachine(
    "a dispute",
    # The shop may hear of it at any time of its life.
    initial=list(DisputeState),
    moves={
        _D.INQUIRY: [_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON, _D.LOST],
        # PayPal's go back to the two sides for an agreement.
        _D.NEEDS_RESPONSE: [_D.INQUIRY, _D.UNDER_REVIEW, _D.WON, _D.LOST],
        _D.UNDER_REVIEW: [_D.INQUIRY, _D.NEEDS_RESPONSE, _D.WON, _D.LOST],
        # A bank, an appeal or an arbitration decides anew, months later.
        _D.WON: [_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.LOST],
        _D.LOST: [_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON],
    },
)
