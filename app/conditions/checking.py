"""Reading a condition when it is saved: everything that could be wrong with it is said then, not when it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.conditions import evaluator
from app.conditions.compiling import Compiler
from app.conditions.context import scope
from app.conditions.errors import ConditionInvalid, ConditionProblem
from app.conditions.parsing import parse
from app.conditions.typed import FactCall, NameUse
from app.conditions.types import Type

MAX_KEPT_CONDITIONS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A condition that can be asked."""

    source: str
    needs: frozenset[str]
    """What it reads; see `names`."""
    names: Mapping[NameUse, Type]
    calls: frozenset[FactCall]
    time_dependent: bool
    """Whether its answer can change by the mere passing of time."""
    program: Any
    """Of the CEL library."""
    functions: frozenset[str]
    """What the program calls."""


def check(
    source: str,
    *,
    event_types: Sequence[str] = (),
    in_run: bool = False,
    trigger_types: Sequence[str] | None = None,
) -> Condition:
    """Check a condition against the names that it can use. The same text in the same place is read once.

    Args:
        event_types: types of the event that it is asked for, whose data `event` has. A name that only one of them has
            is null at the others.
        in_run: whether it is asked in a flow's run, so that there is a `run`.
        trigger_types: types of the events that can start that run; by default `event_types`. An exit rule has
            `event_types=["order.placed"], in_run=True, trigger_types=["checkout.started"]`.

    Raises:
        ConditionInvalid: a DomainError(CONDITION_INVALID) that says what is wrong, where, and what was meant perhaps;
            its `problems` have the positions.
        ValueError: an event type is not in the vocabulary.
    """
    return _check(source, tuple(event_types), in_run, None if trigger_types is None else tuple(trigger_types))


@lru_cache(MAX_KEPT_CONDITIONS)
def _check(source: str, event_types: tuple[str, ...], in_run: bool, trigger_types: tuple[str, ...] | None) -> Condition:
    compiler = Compiler(scope(event_types, in_run=in_run, trigger_types=trigger_types))
    code = compiler.condition(parse(source))
    if compiler.problems:
        raise ConditionInvalid(compiler.problems)
    try:
        program = evaluator.compile_program(code)
    except ValueError:
        raise ConditionInvalid([ConditionProblem("The condition is too deep to be evaluated.", 0)]) from None
    return Condition(
        source=source,
        needs=frozenset(compiler.needs),
        names=compiler.names,
        calls=frozenset(compiler.calls),
        time_dependent=compiler.time_dependent,
        program=program,
        functions=frozenset(program.functions()),
    )
