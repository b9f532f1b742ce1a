"""Which of the discounts that a cart could have it gets.

Two go together when each goes with the other one's class, or, for one that says nothing of classes, when one of them
applies by itself and the other one by a code. Higher priorities are settled first and keep out what they do not go
together with. Among equal priorities the shopper gets what takes most off altogether; of equals, the oldest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from app.pricing.amounts import Discount, LineToPrice
from app.pricing.discounting import discount_goods, discount_shipping, goods_of
from app.promotions.terms import DiscountTerms

MAX_SETS = 4096
"""That are looked at for one priority. Reached only with dozens of discounts that exclude each other crosswise; the
best by themselves come first."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    terms: DiscountTerms
    discount: Discount

    @property
    def priority(self) -> int:
        return self.terms.rule.priority

    @property
    def key(self) -> tuple[bool, str, str]:
        return self.terms.order

    def goes_with(self, other: "Candidate") -> bool:
        mine, theirs = self.terms, other.terms
        return mine.discount_id != theirs.discount_id and _permits(mine, theirs) and _permits(theirs, mine)


def _permits(terms: DiscountTerms, other: DiscountTerms) -> bool:
    combination = terms.rule.combines_with
    if combination is None:
        return terms.automatic != other.automatic
    return combination.has(other.rule.discount_class)


@dataclass(frozen=True, slots=True)
class Sale:
    """What discounts are taken off, to see how much they take."""

    lines: Sequence[LineToPrice]
    shipping_minor: int | None

    def saved(self, candidates: Sequence[Candidate]) -> int:
        """Altogether, in minor units; as pricing does it."""
        discounts = [candidate.discount for candidate in in_order(candidates)]
        taken = discount_goods(goods_of(self.lines, discounts), discounts)
        if self.shipping_minor:
            taken = [*taken, *discount_shipping(self.shipping_minor, discounts)]
        return sum(one.amount_minor for one in taken)


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """In which they apply: higher priorities first, then those that apply by themselves, then the oldest."""
    return sorted(candidates, key=lambda candidate: (-candidate.priority, candidate.key))


def choose(candidates: Sequence[Candidate], sale: Sale) -> list[Candidate]:
    """Those that the cart gets, in their order.

    Args:
        candidates: all that could be had alone.
    """
    candidates = _once_each(candidates)
    if _all_together(candidates):
        return in_order(candidates)
    alone = {candidate: sale.saved([candidate]) for candidate in candidates}
    chosen: list[Candidate] = []
    # What takes nothing off, such as free shipping while no way to ship is chosen, keeps nothing else out.
    saving = sorted((one for one in candidates if alone[one]), key=lambda one: (-one.priority, -alone[one], one.key))
    for _, level in groupby(saving, key=lambda one: one.priority):
        chosen += _best([one for one in level if _fits(one, chosen)], chosen, alone, sale)
    for idle in in_order([one for one in candidates if not alone[one]]):
        if _fits(idle, chosen):
            chosen.append(idle)
    return in_order(chosen)


def _once_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """A discount counts once, however many of its codes were entered."""
    once: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: one.key):
        once.setdefault(candidate.discount.id, candidate)
    return list(once.values())


def _fits(candidate: Candidate, chosen: Sequence[Candidate]) -> bool:
    return all(candidate.goes_with(other) for other in chosen)


def _all_together(candidates: Sequence[Candidate]) -> bool:
    return all(_fits(candidate, candidates[:place]) for place, candidate in enumerate(candidates))


def _best(
    pool: Sequence[Candidate], chosen: Sequence[Candidate], alone: dict[Candidate, int], sale: Sale
) -> list[Candidate]:
    if _all_together(pool):
        return list(pool)
    sets = [sorted(one, key=lambda candidate: candidate.key) for one in islice(_cliques(pool), MAX_SETS)]
    # What several take together is never more than what each takes alone, but for a unit of rounding on a line.
    limits = [(sum(alone[one] for one in some) + len(some) * len(sale.lines), some) for some in sets]
    limits.sort(key=lambda one: (-one[0], [candidate.key for candidate in one[1]]))
    best, best_saved, saved_before = limits[0][1], -1, sale.saved(chosen)
    for limit, some in limits:
        if saved_before + limit < best_saved:
            break
        saved = sale.saved([*chosen, *some])
        if saved > best_saved or (saved == best_saved and _keys(some) < _keys(best)):
            best, best_saved = some, saved
    return best


def _keys(candidates: Sequence[Candidate]) -> list[tuple[bool, str, str]]:
    return [candidate.key for candidate in candidates]


def _cliques(pool: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    """The sets that go together and to which none of the pool could be added.

    Source: C. Bron, J. Kerbosch: Algorithm 457, Communications of the ACM 16 (1973); with a pivot.
    """
    friends = [{b for b, other in enumerate(pool) if b != a and one.goes_with(other)} for a, one in enumerate(pool)]

    def grow(inside: list[int], open_: set[int], closed: set[int]) -> Iterator[list[Candidate]]:
        if not open_ and not closed:
            yield [pool[place] for place in inside]
            return
        pivot = max(sorted(open_ | closed), key=lambda place: len(friends[place] & open_))
        for place in sorted(open_ - friends[pivot]):
            yield from grow([*inside, place], open_ & friends[place], closed & friends[place])
            open_ = open_ - {place}
            closed = closed | {place}

    yield from grow([], set(range(len(pool))), set())
