"""Codes of the developer's clock."""

from app.errors import ErrorCode


class ClockErrorCode(ErrorCode):
    CLOCK_NOT_SETTLED = "Business time stopped on the way: the work that became due did not come to an end."
