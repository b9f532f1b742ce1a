"""Splitting an amount so that the parts add up to it, to the last minor unit."""

from collections.abc import Sequence


def allocate(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights by the largest-remainder method.

    Each part is its exact share rounded down or up, so none exceeds its weight while the amount does not exceed
    their sum. Units left over go to the largest remainders, the first of equals first: the same input always
    gives the same parts.

    Args:
        amount_minor: what to split, not negative.
        weights: not negative, and not all zero unless the amount is.

    Raises:
        ValueError: for negative numbers, or an amount that has nowhere to go.
    """
    if amount_minor < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amounts and weights cannot be negative")
    if len(weights) == 1 and weights[0]:
        return [amount_minor]
    total_weight = sum(weights)
    if total_weight == 0:
        if amount_minor:
            raise ValueError("there is nothing to allocate the amount to")
        return [0] * len(weights)
    parts = [amount_minor * weight // total_weight for weight in weights]
    if over := amount_minor - sum(parts):
        remainders = [amount_minor * weight % total_weight for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
        for place in by_remainder[:over]:
            parts[place] += 1
    return parts


def half_up(numerator: int, denominator: int) -> int:
    """A fraction to whole minor units, halves up; for fractions of zero or more."""
    return (2 * numerator + denominator) // (2 * denominator)
