"""What can be wrong with discounts and their codes."""

from app.errors import ErrorCode


class PromotionErrorCode(ErrorCode):
    DISCOUNT_DISABLED = "The discount was switched off, so no codes of it are given out."
