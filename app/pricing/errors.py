from app.errors import ErrorCode


class PricingErrorCode(ErrorCode):
    TOTAL_TOO_LARGE = "The amounts add up to more than can be charged at once."
