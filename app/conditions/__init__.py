"""Conditions in CEL: a typed context, checked when they are saved."""
