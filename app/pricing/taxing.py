"""Which tax is due on what: on top of prices, or inside of them.

Everything that bears the same rates is taxed as one: each tax is rounded half up once over the whole order, and its
parts are allocated to what bears it. So a tax is never off by a unit for each line, and splitting a line changes
nothing. Rounding at the level of the invoice is what the EU leaves to its members (CJEU C-484/06, Ahold) and what
California's regulation 1700 or the Streamlined Sales Tax Agreement (section 324) provide for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from app.pricing.allocation import allocate, half_up
from app.pricing.amounts import TaxRate
from app.pricing.results import TaxLine


@dataclass(slots=True)
class Taxed:
    """Something that bears taxes: lines that are alike, shipping, a wrap.

    Attributes:
        bases: the amounts of its parts, such as its lines.
        taxes: for each part, one amount for each rate; filled in by `tax`.
    """

    rates: tuple[TaxRate, ...]
    bases: list[int]
    taxes: list[list[int]] = field(default_factory=list)

    def lines(self, part: int, *, included: bool) -> tuple[TaxLine, ...]:
        return _tax_lines(self.rates, self.bases[part], self.taxes[part], included=included)


def tax(everything: Sequence[Taxed], *, included: bool) -> tuple[TaxLine, ...]:
    """Fill in the taxes of everything, and sum them up by name and rate."""
    groups: dict[tuple[TaxRate, ...], list[Taxed]] = {}
    for one in everything:
        groups.setdefault(one.rates, []).append(one)
    sums: dict[TaxRate, TaxLine] = {}
    for rates, members in groups.items():
        bases = [sum(member.bases) for member in members]
        base = sum(bases)
        amounts = _amounts(rates, base, included=included)
        for member, owed in zip(members, _shared(amounts, bases, included=included), strict=True):
            member.taxes = _shared(owed, member.bases, included=included)
        for rate, line in zip(rates, _tax_lines(rates, base, amounts, included=included), strict=True):
            sums[rate] = line if rate not in sums else _added(sums[rate], line)
    return tuple(sums.values())


def as_goods(amount_minor: int, goods: Sequence[tuple[tuple[TaxRate, ...], int]]) -> list[Taxed]:
    """Something ancillary, such as shipping, in parts that bear the taxes of goods.

    Args:
        goods: rates and weights, which the parts are in proportion to; each of these is a part of the whole even where
            nothing of the amount falls to it.
    """
    weights: dict[tuple[TaxRate, ...], int] = {}
    for rates, weight in goods:
        weights[rates] = weights.get(rates, 0) + weight
    if not weights:
        return [Taxed((), [amount_minor])]
    parts = allocate(amount_minor, list(weights.values()))
    return [Taxed(rates, [part]) for rates, part in zip(weights, parts, strict=True)]


def summed(taxed: Sequence[Taxed], part: int, *, included: bool) -> tuple[TaxLine, ...]:
    """The taxes on one part of each, the same tax added up."""
    if len(taxed) == 1:
        return taxed[0].lines(part, included=included)
    sums: dict[TaxRate, TaxLine] = {}
    for one in taxed:
        for rate, line in zip(one.rates, one.lines(part, included=included), strict=True):
            sums[rate] = line if rate not in sums else _added(sums[rate], line)
    return tuple(sums.values())


def _amounts(rates: tuple[TaxRate, ...], base: int, *, included: bool) -> list[int]:
    left = base
    amounts = []
    for numerator, denominator in _shares(rates, included):
        amount = half_up(base * numerator, denominator)
        if included:
            # Only taxes of more than 100 % together could round to more than there is.
            amount = min(amount, left)
            left -= amount
        amounts.append(amount)
    return amounts


@lru_cache(maxsize=1024)
def _shares(rates: tuple[TaxRate, ...], included: bool) -> tuple[tuple[int, int], ...]:
    """Of the amount that each tax is: a part of the net price, or where it is included, of the gross price."""
    net_shares: list[Fraction] = []
    for rate in rates:
        net_shares.append(Fraction(rate.rate) * (1 + sum(net_shares) if rate.compound else 1))
    whole = 1 + sum(net_shares) if included else 1
    return tuple((share / whole).as_integer_ratio() for share in net_shares)


def _shared(amounts: Sequence[int], bases: Sequence[int], *, included: bool) -> list[list[int]]:
    """Each tax split among those who bear it; for each of these, one amount for each tax."""
    if len(bases) == 1:
        return [list(amounts)]
    left = list(bases)
    shared: list[list[int]] = [[] for _ in bases]
    for amount in amounts:
        parts = allocate(amount, bases if amount else [0] * len(bases))
        if included:
            if any(part > rest for part, rest in zip(parts, left, strict=True)):
                # Roundings of several taxes met on a price of a few units; no price is all tax and more.
                parts = allocate(amount, left)
            left = [rest - part for rest, part in zip(left, parts, strict=True)]
        for one, part in zip(shared, parts, strict=True):
            one.append(part)
    return shared


def _tax_lines(rates: Sequence[TaxRate], base: int, amounts: Sequence[int], *, included: bool) -> tuple[TaxLine, ...]:
    net = base - sum(amounts) if included else base
    return tuple(
        TaxLine(
            name=rate.name,
            rate=rate.rate,
            amount_minor=amount,
            base_minor=net,
            code=rate.code,
            compound=rate.compound,
            reverse_charge=rate.reverse_charge,
        )
        for rate, amount in zip(rates, amounts, strict=True)
    )


def _added(one: TaxLine, other: TaxLine) -> TaxLine:
    return TaxLine(
        one.name,
        one.rate,
        one.amount_minor + other.amount_minor,
        one.base_minor + other.base_minor,
        one.code,
        one.compound,
        one.reverse_charge,
    )
