"""Which warehouse gives how much."""

import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from app.inventory.allocation import Allocation, Demand, Level, Share, allocate

PEN, INK, CAP = (uuid.UUID(int=n) for n in (1, 2, 3))


def level(number: int, variant_id: uuid.UUID, available: int, owed: int = 0) -> Level:
    return Level(uuid.UUID(int=number), variant_id, available, owed)


EAST, WEST = level(11, PEN, 2), level(12, PEN, 5)


def test_the_first_warehouse_gives_first() -> None:
    assert allocate([Demand(PEN, 3, False)], [EAST, WEST]).shares == [
        Share(EAST.id, PEN, 2, 0),
        Share(WEST.id, PEN, 1, 0),
    ]
    assert allocate([Demand(PEN, 3, False)], [WEST, EAST]).shares == [Share(WEST.id, PEN, 3, 0)]


def test_an_empty_warehouse_has_no_share() -> None:
    assert allocate([Demand(PEN, 5, False)], [level(10, PEN, 0), WEST]).shares == [Share(WEST.id, PEN, 5, 0)]


def test_everything_or_nothing() -> None:
    demands = [Demand(INK, 1, False), Demand(PEN, 8, False), Demand(CAP, 1, True)]
    assert allocate(demands, [EAST, WEST, level(13, INK, 9)]) == Allocation([], {PEN: 7, CAP: 0})


def test_the_first_warehouse_owes_what_goes_beyond_all_of_them() -> None:
    assert allocate([Demand(PEN, 9, True)], [EAST, WEST]).shares == [
        Share(EAST.id, PEN, 2, 2),
        Share(WEST.id, PEN, 5, 0),
    ]
    assert allocate([Demand(PEN, 4, True)], [level(10, PEN, 0)]).shares == [
        Share(uuid.UUID(int=10), PEN, 0, 4),
    ]


def test_what_is_owed_to_others_is_not_for_sale() -> None:
    arrived = level(14, PEN, 5, owed=3)
    assert allocate([Demand(PEN, 3, False)], [arrived]) == Allocation([], {PEN: 2})
    assert allocate([Demand(PEN, 2, False)], [arrived]).shares == [Share(arrived.id, PEN, 2, 0)]
    assert allocate([Demand(PEN, 4, True)], [arrived]).shares == [Share(arrived.id, PEN, 2, 2)]
    # Nor where it is owed at another warehouse than the one that it arrived at.
    empty = level(10, PEN, 0, owed=4)
    assert allocate([Demand(PEN, 2, False)], [empty, WEST]) == Allocation([], {PEN: 1})
    assert allocate([Demand(PEN, 1, False)], [empty, WEST]).shares == [Share(WEST.id, PEN, 1, 0)]
    assert allocate([Demand(PEN, 6, False)], [empty, WEST]) == Allocation([], {PEN: 1})


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([PEN, INK, CAP]),
        st.tuples(st.integers(1, 20), st.booleans(), st.lists(st.integers(0, 10), max_size=4)),
        min_size=1,
    )
)
def test_shares_are_what_was_wanted_and_no_more_than_there_is(
    wanted: dict[uuid.UUID, tuple[int, bool, list[int]]],
) -> None:
    demands = [Demand(variant, quantity, beyond) for variant, (quantity, beyond, _) in wanted.items()]
    levels = [
        level(1000 * variant.int + place, variant, available)
        for variant, (_, _, stock) in wanted.items()
        for place, available in enumerate(stock)
    ]
    found = allocate(demands, levels)
    short = {
        variant: sum(stock)
        for variant, (quantity, beyond, stock) in wanted.items()
        if sum(stock) < quantity and not (beyond and stock)
    }
    assert found.missing == short
    if short:
        assert found.shares == []
        return
    left = {one.id: one.available for one in levels}
    for demand in demands:
        shares = [share for share in found.shares if share.variant_id == demand.variant_id]
        assert sum(share.quantity + share.backordered for share in shares) == demand.quantity
        # Nothing is owed while there is something left to give.
        given_here = sum(share.quantity for share in shares)
        assert given_here == min(demand.quantity, sum(wanted[demand.variant_id][2]))
    assert len({share.level_id for share in found.shares}) == len(found.shares)
    assert all(0 <= share.quantity <= left[share.level_id] for share in found.shares)
    assert all(share.quantity + share.backordered > 0 for share in found.shares)
