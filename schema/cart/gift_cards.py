"""Gift cards and store credit, as carts show what they pay."""

import strawberry

from app.cart.snapshots import CartSnapshot
from app.gift_cards.models import ValueKind
from app.gift_cards.rules import GiftCardReason, reason_against
from app.kit import ids
from app.pricing.amounts import StoredValueKind
from app.pricing.results import PricingResult
from schema.enums import describe_enum
from schema.gift_cards.types import GIFT_CARD_PREFIX
from schema.money import Money

describe_enum(
    GiftCardReason,
    "Why a gift card pays nothing of a cart.",
    DISABLED="The shop has switched it off.",
    EXPIRED="Its time is over.",
    EMPTY="Nothing is left on it, or another checkout holds what was.",
    OTHER_CURRENCY="It is in another currency than the cart.",
    CART_HAS_GIFT_CARD="The cart has a gift card in it, which money alone buys; order it by itself.",
)


@strawberry.type(description="A gift card that is to pay for a cart.")
class CartGiftCard:
    id: strawberry.ID = strawberry.field(description="Of the card; it opens nothing.")
    last_characters: str = strawberry.field(description="Of its code, four.")
    balance: Money = strawberry.field(description="What is on it, in its own currency.")
    applied_amount: Money = strawberry.field(
        description="What it pays of the cart as it stands; zero also where those before it pay everything."
    )
    applicable: bool = strawberry.field(description="Whether it can pay for this cart.")
    reason: GiftCardReason | None = strawberry.field(description="Why it cannot; null where it can.")

    @classmethod
    def all_of(cls, cart: CartSnapshot, priced: PricingResult) -> "list[CartGiftCard]":
        """In the order in which they pay."""
        paid = {payment.id: payment.amount_minor for payment in priced.stored_value}
        shown = []
        for card in cart.stored_value:
            if card.kind is ValueKind.GIFT_CARD:
                reason = reason_against(card, cart.currency_code, has_gift_card=cart.has_gift_card)
                shown.append(
                    cls(
                        id=strawberry.ID(ids.encode(GIFT_CARD_PREFIX, card.id)),
                        last_characters=card.last_characters or "",
                        balance=Money.of(card.balance_minor, card.currency_code),
                        applied_amount=Money.of(paid.get(str(card.id), 0), cart.currency_code),
                        applicable=reason is None,
                        reason=reason,
                    )
                )
        return shown


@strawberry.type(description="Whether the credit of the cart's account is to pay for it.")
class CartStoreCredit:
    used: bool = strawberry.field(description="As `cartStoreCreditUpdate` has set it.")
    applied_amount: Money = strawberry.field(description="What it pays of the cart as it stands, after gift cards.")

    @classmethod
    def of(cls, cart: CartSnapshot, priced: PricingResult) -> "CartStoreCredit":
        paid = sum(one.amount_minor for one in priced.stored_value if one.kind is StoredValueKind.STORE_CREDIT)
        return cls(used=cart.use_store_credit, applied_amount=Money.of(paid, cart.currency_code))
