"""Lives of things as data: which states there are, and which may follow which.

A machine is declared beside its states: an illegal move is an `IllegalMoveError` that names the thing and both states.
Services refuse such a move to clients in their own words before they come here.
Statements move rows by themselves and conditionally (`WHERE state = ANY($n)`), with `before` as the parameter.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)


class IllegalMoveError(Exception):
    """Somebody asked for a move that the machine does not have."""

    def __init__(self, thing: str, before: Enum, after: Enum) -> None:
        super().__init__(f"{thing}: {before.name} cannot become {after.name}")
        self.thing, self.before, self.after = thing, before, after


class StateMachine(Generic[S]):
    """Staying in a state is no move; it is always allowed.

    Args:
        thing: what has the states, for messages.
        initial: in which it can begin.
        moves: what each state can become; every state is named, final ones with nothing.

    Raises:
        ValueError: for a state that is not named, or that nothing leads to.
    """

    def __init__(self, thing: str, *, initial: Iterable[S], moves: Mapping[S, Iterable[S]]) -> None:
        self.thing = thing
        self.initial = frozenset(initial)
        self._after = {state: frozenset(following) for state, following in moves.items()}
        states = set(type(next(iter(self.initial))))
        if unnamed := states - self._after.keys():
            raise ValueError(f"{thing}: nothing is said of {sorted(state.name for state in unnamed)}")
        reached = self.initial.union(*self._after.values())
        if lost := states - reached:
            raise ValueError(f"{thing}: nothing leads to {sorted(state.name for state in lost)}")

    def __repr__(self) -> str:
        return f"<the life of {self.thing}>"

    def after(self, state: S) -> frozenset[S]:
        """What it can become."""
        return self._after[state]

    def before(self, state: S) -> frozenset[S]:
        """What can become this."""
        return frozenset(earlier for earlier, following in self._after.items() if state in following)

    def values_before(self, state: S) -> list[str]:
        """The same as the database has them, for `state = ANY($n)`."""
        return sorted(earlier.value for earlier in self.before(state))

    def is_final(self, state: S) -> bool:
        return not self._after[state]

    def allows(self, before: S, after: S) -> bool:
        return before is after or after in self._after[before]

    def check(self, before: S, after: S) -> None:
        """Raises IllegalMoveError."""
        if not self.allows(before, after):
            raise IllegalMoveError(self.thing, before, after)

    def moves(self) -> list[tuple[str, str]]:
        """All of them as the database has them, sorted."""
        return sorted((before.value, after.value) for before, following in self._after.items() for after in following)
