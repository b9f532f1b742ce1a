"""Gift cards and store credit in the schema."""

from schema.gift_cards.credit import StoreCreditMutations
from schema.gift_cards.operations import GiftCardMutations, GiftCardQueries

__all__ = ["GiftCardMutations", "GiftCardQueries", "StoreCreditMutations"]
