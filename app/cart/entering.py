"""What shoppers enter into a cart to pay less, or otherwise: codes of discounts, gift cards, store credit."""

from collections.abc import Sequence
from dataclasses import replace

from app.accounts.identity import CustomerIdentity
from app.cart.costs import discounts_of
from app.cart.rules import Variants
from app.cart.service import CartKey, Changed, change
from app.cart.snapshots import CartSnapshot
from app.errors import DomainError
from app.gift_cards import entering as gift_card_codes
from app.gift_cards import queries as gift_card_queries
from app.gift_cards.errors import GiftCardErrorCode
from app.gift_cards.models import ValueKind
from app.promotions.entering import checked_codes, forgive, try_codes


async def change_codes(key: CartKey, codes: Sequence[str], client: str) -> Changed:
    """Enter codes of discounts in the place of those that the cart has. One that takes nothing off stays and says why.

    Args:
        client: who asks, for the limit on guessing.

    Raises:
        DomainErrors: see `checked_codes`.
        DomainError: RATE_LIMITED; and see `change`.
    """
    entered = checked_codes(codes, "codes")
    await try_codes(client, entered)
    changed = await change(key, lambda cart, _: Changed(replace(cart, discount_codes=entered), []), codes=entered)
    await forgive_known(client, changed.cart)
    return changed


async def change_gift_cards(key: CartKey, codes: Sequence[str], client: str) -> Changed:
    """Enter codes of gift cards in the place of those that the cart has.

    Args:
        client: who asks, for the limit on guessing.

    Raises:
        DomainErrors: see `gift_cards.entering.cards_of`; and GIFT_CARD_OTHER_CURRENCY, at `codes` and the place.
        DomainError: RATE_LIMITED; and see `change`.
    """
    cards = await gift_card_codes.cards_of(codes, client)

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        gift_card_codes.check_currency(cards, cart.currency_code)
        others = [value for value in cart.stored_value if value.kind is not ValueKind.GIFT_CARD]
        ids = [str(card.id) for card in cards]
        return Changed(replace(cart, gift_card_ids=ids, stored_value=[*cards, *others]), [])

    return await change(key, decide)


async def change_store_credit(key: CartKey, customer: CustomerIdentity, *, use: bool) -> Changed:
    """Spend the credit of the account that the cart belongs to, or stop to.

    Raises:
        DomainError: STORE_CREDIT_NOT_YOURS; and see `change`.
    """
    credit = await gift_card_queries.credit_terms(customer.id) if use else []

    def decide(cart: CartSnapshot, _: Variants) -> Changed:
        if use and cart.customer_id != customer.id:
            message = "Store credit is for carts of one's own account: sign in with this cart's id first."
            raise DomainError(GiftCardErrorCode.STORE_CREDIT_NOT_YOURS, message, ["cartId"])
        cards = [value for value in cart.stored_value if value.kind is ValueKind.GIFT_CARD]
        return Changed(replace(cart, use_store_credit=use, stored_value=[*cards, *credit]), [])

    return await change(key, decide)


async def forgive_known(client: str, cart: CartSnapshot) -> None:
    """Codes of the cart that exist were no guesses."""
    if cart.discount_codes:
        await forgive(client, discounts_of(cart).codes)
