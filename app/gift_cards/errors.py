"""What can be wrong with gift cards, store credit, and paying with them."""

from app.errors import ErrorCode


class GiftCardErrorCode(ErrorCode):
    GIFT_CARD_DISABLED = "The shop has switched the gift card off."
    GIFT_CARD_EMPTY = "Nothing is left on the gift card."
    GIFT_CARD_EXPIRED = "The gift card's time is over."
    GIFT_CARD_NOT_FOUND = "There is no gift card with this code."
    GIFT_CARD_OTHER_CURRENCY = "The gift card is in another currency than the cart."
    BALANCE_TOO_LOW = "There is less on the gift card, or in the account, than was to be taken."
    STORE_CREDIT_NOT_YOURS = "Store credit is spent by who is signed in with the account that the cart belongs to."
