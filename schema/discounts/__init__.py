"""Discounts and their codes, for staff."""

from schema.discounts.operations import DiscountMutations, DiscountQueries

__all__ = ["DiscountMutations", "DiscountQueries"]
