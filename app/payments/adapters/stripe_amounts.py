"""Amounts as Stripe counts them, which is not always as ISO 4217 does. Source: https://docs.stripe.com/currencies."""

from app.kit.money import exponent

_WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""Stripe's zero-decimal currencies. MGA is one of them, though ISO 4217 gives it two digits."""
_WHOLE_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
"""Without decimals, and written with two that are always 0, for compatibility with integrations of old."""
_THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Three digits, the last of which is always 0."""


class NotPayableError(Exception):
    """Stripe cannot take this amount of this currency."""


def to_stripe(amount_minor: int, currency: str) -> int:
    """Stripe's number for an amount in minor units of ISO 4217. Nothing is rounded.

    Raises NotPayableError.
    """
    more, less = _factors(currency)
    if amount_minor % less:
        raise NotPayableError(f"{currency} without decimals")
    if currency in _THOUSANDTHS and amount_minor % 10:
        raise NotPayableError(f"{currency} in hundredths")
    return amount_minor * more // less


def from_stripe(number: int, currency: str) -> int:
    """Minor units of ISO 4217 for what Stripe says, in a currency of upper-case letters."""
    more, less = _factors(currency)
    return number * less // more


def _factors(currency: str) -> tuple[int, int]:
    """What ours is multiplied by, and divided by."""
    difference = digits(currency) - exponent(currency)
    return int("1" + "0" * max(0, difference)), int("1" + "0" * max(0, -difference))


def digits(currency: str) -> int:
    """After the point, as Stripe counts them."""
    if currency in _WHOLE:
        return 0
    if currency in _THOUSANDTHS:
        return 3
    return 2 if currency in _WHOLE_IN_HUNDREDTHS else max(2, exponent(currency))
