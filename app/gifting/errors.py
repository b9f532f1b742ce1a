"""What can be wrong with gift options."""

from app.errors import ErrorCode


class GiftingErrorCode(ErrorCode):
    GIFT_WRAP_UNAVAILABLE = "The shop does not wrap gifts, or not what nothing is shipped of."
