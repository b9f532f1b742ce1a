"""The check digits of tracking numbers: pure arithmetic over the characters before the last one.

No maintained Python library has them together, so they are written here from the carriers' published label
specifications; the tests hold published numbers for each.
"""

from collections.abc import Iterable

_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_FEDEX_WEIGHTS_FROM_RIGHT = (1, 3, 7)


def mod10(digits: Iterable[int], last_weight: int = 3, other_weight: int = 1) -> int:
    """What brings the weighted sum to the next full ten; the weights alternate from the last digit on.

    3 and 1 as in GS1's SSCC: USPS, DHL Paket, Canada Post, Colissimo, FedEx Ground. 4 and 9: Deutsche Post's
    Identcode. 1 and 2: UPS.
    """
    weights = (last_weight, other_weight)
    return -sum(digit * weights[place % 2] for place, digit in enumerate(reversed(list(digits)))) % 10


def ups(characters: str) -> int:
    """UPS 1Z numbers, without the 1Z: a letter counts as (ASCII code - 63) modulo 10, so A is 2."""
    return mod10((int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in characters), 1, 2)


def mod7(digits: str) -> int:
    """The remainder by seven of the number in front: DHL Express, Yamato, Sagawa, Japan Post."""
    return int(digits) % 7


def fedex_express(digits: str) -> int:
    """FedEx Express: weights 1, 3, 7 from the right, modulo 11; ten counts as zero."""
    total = sum(int(digit) * _FEDEX_WEIGHTS_FROM_RIGHT[place % 3] for place, digit in enumerate(reversed(digits)))
    return total % 11 % 10


def s10(serial: str) -> int:
    """Universal Postal Union standard S10, eight digits: weights 8 6 4 2 3 5 9 7, modulo 11."""
    check = 11 - sum(int(d) * weight for d, weight in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(check, check)
