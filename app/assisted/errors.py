"""What staff and buyers can hear about draft orders."""

from app.errors import ErrorCode


class DraftOrderErrorCode(ErrorCode):
    DRAFT_ORDER_NOT_OPEN = "The draft order is not in a state that allows this; the message says in which it is."
    DRAFT_ORDER_EXPIRED = "The draft order was good until a time that is over; ask the shop for a new one."
