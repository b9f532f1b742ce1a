"""What buyers for companies can hear."""

from app.errors import ErrorCode


class CompanyErrorCode(ErrorCode):
    NOT_A_MEMBER = "Sign in as somebody who buys for this company."
    SPENDING_LIMIT_EXCEEDED = "The order comes to more than you may order for your company at once."
