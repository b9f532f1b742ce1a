"""Gifts: wrapping with a price, a greeting, a slip without prices."""
