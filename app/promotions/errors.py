"""What can be wrong with discounts and their codes."""

from app.errors import ErrorCode


class PromotionErrorCode(ErrorCode):
    DISCOUNT_ALREADY_USED = "The buyer has used the discount as often as one customer may."
    DISCOUNT_DISABLED = "The discount was switched off."
    DISCOUNT_EXISTING_CUSTOMER = "The code is for a first order, and the buyer has ordered before."
    DISCOUNT_EXPIRED = "The discount's time, or its code's, is over."
    DISCOUNT_NOT_YOURS = "The code was given to somebody else, whose email the order needs, or to a group of customers."
    DISCOUNT_OTHER_COUNTRY = "The code is for orders to other countries."
    DISCOUNT_SELF_REFERRAL = "The code is the buyer's own: it is for their friends."
    DISCOUNT_USED_UP = "The discount, or its code, has been used as often as it can be."
