"""Draft orders and quotations in the schema."""

from schema.assisted.buying import DraftBuyingMutations, DraftBuyingQueries
from schema.assisted.holds import OrderHoldMutations
from schema.assisted.operations import DraftOrderMutations, DraftOrderQueries

__all__ = [
    "DraftBuyingMutations",
    "DraftBuyingQueries",
    "DraftOrderMutations",
    "DraftOrderQueries",
    "OrderHoldMutations",
]
