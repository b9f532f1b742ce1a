"""What a checkout asks before gift cards and store credit pay for it."""

from app.cart.snapshots import CartSnapshot
from app.checkout.errors import AmountDueChanged
from app.checkout.requests import CompletionRequest
from app.errors import DomainError
from app.gift_cards.errors import GiftCardErrorCode
from app.kit.money import Money
from app.pricing.results import PricingResult


def check_owner(cart: CartSnapshot, priced: PricingResult, request: CompletionRequest) -> list[DomainError]:
    """Whoever has a cart's id has the cart, but not the credit of the account that it belongs to."""
    if not priced.store_credit_minor or (cart.customer_id is not None and cart.customer_id == request.customer_id):
        return []
    message = "Store credit is spent by whom it is owed to: sign in, or take it out of the cart."
    return [DomainError(GiftCardErrorCode.STORE_CREDIT_NOT_YOURS, message, ["input", request.source])]


def amount_due_changed(
    priced: PricingResult, request: CompletionRequest, most_due_minor: int | None
) -> list[DomainError]:
    """A card that another checkout has spent in between leaves more to pay, and nobody pays what they did not see.

    Args:
        most_due_minor: what was due a moment ago, where a balance was gone when it was to be taken.
    """
    due = Money(priced.amount_due_minor, priced.currency)
    is_more = most_due_minor is not None and priced.amount_due_minor > most_due_minor
    if not is_more and request.expected_amount_due in (None, due):
        return []
    message = f"{due.decimal} {due.currency} is due; show it to the shopper, and try again with a new key."
    return [AmountDueChanged(due, message, ["input", "expectedAmountDue"])]
