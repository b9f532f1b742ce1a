"""Lives of things as data."""

from enum import StrEnum

import pytest

from app.kit.state_machine import IllegalMoveError, StateMachine


class Door(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    BRICKED_UP = "BRICKED_UP"


MACHINE = StateMachine(
    "a door",
    initial=[Door.OPEN],
    moves={Door.OPEN: [Door.CLOSED], Door.CLOSED: [Door.OPEN, Door.BRICKED_UP], Door.BRICKED_UP: []},
)


def test_what_leads_where() -> None:
    assert MACHINE.after(Door.CLOSED) == {Door.OPEN, Door.BRICKED_UP}
    assert MACHINE.before(Door.CLOSED) == {Door.OPEN}
    assert MACHINE.values_before(Door.BRICKED_UP) == ["CLOSED"]
    assert MACHINE.moves() == [("CLOSED", "BRICKED_UP"), ("CLOSED", "OPEN"), ("OPEN", "CLOSED")]
    assert [state for state in Door if MACHINE.is_final(state)] == [Door.BRICKED_UP]


def test_an_illegal_move_says_what_it_was() -> None:
    MACHINE.check(Door.OPEN, Door.CLOSED)
    MACHINE.check(Door.BRICKED_UP, Door.BRICKED_UP)
    with pytest.raises(IllegalMoveError, match="a door: OPEN cannot become BRICKED_UP") as refused:
        MACHINE.check(Door.OPEN, Door.BRICKED_UP)
    assert (refused.value.before, refused.value.after) == (Door.OPEN, Door.BRICKED_UP)


def test_a_state_that_nobody_speaks_of_is_found_at_once() -> None:
    with pytest.raises(ValueError, match=r"nothing is said of \['BRICKED_UP'\]"):
        StateMachine("a door", initial=[Door.OPEN], moves={Door.OPEN: [Door.CLOSED], Door.CLOSED: [Door.OPEN]})
    with pytest.raises(ValueError, match=r"nothing leads to \['BRICKED_UP'\]"):
        StateMachine(
            "a door", initial=[Door.OPEN], moves={Door.OPEN: [Door.CLOSED], Door.CLOSED: [], Door.BRICKED_UP: []}
        )
