"""Which units come for less when so many are bought."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsOnLine:
    """Units that cost the same; they count as bought, can be got, or both.

    `key` decides among equal prices: the same for lines of one variant, so that splitting a line changes nothing.
    """

    id: str
    key: str
    quantity: int
    unit_price_minor: int
    buys: bool
    gets: bool


def units_off(
    lines: Sequence[UnitsOnLine], *, buy_quantity: int, get_quantity: int, uses_per_order: int | None
) -> dict[str, int]:
    """How many units of each line come for less.

    As many as can be had, and of those the cheapest. A unit is either bought or got: "buy two, get one" takes three of
    the same. The last use may fill `get_quantity` in part. What costs nothing anyway is not given away.
    """
    bought = sum(line.quantity for line in lines if line.buys)
    getting = sorted(
        (line for line in lines if line.gets and line.unit_price_minor),
        key=lambda line: (line.unit_price_minor, line.buys, line.key, line.id),
    )
    most = sum(line.quantity for line in getting)
    if uses_per_order is not None:
        most = min(most, uses_per_order * get_quantity)

    def given(count: int) -> dict[str, int] | None:
        uses = -(-count // get_quantity)
        return _cheapest(getting, count, bought - uses * buy_quantity)

    # Each unit more leaves fewer that can count as bought: what can be had is had up to some number, and never beyond.
    fewest = 0
    while fewest < most:
        middle = (fewest + most + 1) // 2
        if given(middle) is None:
            most = middle - 1
        else:
            fewest = middle
    return given(fewest) or {}


def _cheapest(getting: Sequence[UnitsOnLine], count: int, spare: int) -> dict[str, int] | None:
    """The `count` cheapest units, `spare` of them at most from lines that count as bought; None if there are fewer."""
    if spare < 0:
        return None
    taken: dict[str, int] = {}
    for line in getting:
        units = min(line.quantity, count, spare) if line.buys else min(line.quantity, count)
        if units:
            taken[line.id] = units
            count -= units
            spare -= units if line.buys else 0
    return taken if count == 0 else None
