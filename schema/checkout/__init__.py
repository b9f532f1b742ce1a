"""Checkouts in the schema."""

from schema.checkout.operations import CheckoutMutations, CheckoutQueries

__all__ = ["CheckoutMutations", "CheckoutQueries"]
