"""Asking conditions: about one person in a flow, or about many for a segment.

Works inside and outside a unit of work. A condition that cannot be answered for somebody (it divides by zero, say)
counts as false; whoever wants to know why uses `evaluate`.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from app.conditions import facts, subjects
from app.conditions.asking import Asker
from app.conditions.checking import Condition
from app.conditions.errors import ConditionFailed
from app.conditions.facts import ProfileFacts, Wanted
from app.conditions.names import SUBJECTS
from app.conditions.typed import FactCall, NameUse

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition came to for somebody."""

    holds: bool
    changes_at: datetime | None = None
    """Business time at which time alone may change it; None for never."""
    failure: ConditionFailed | None = None


@dataclass(slots=True)
class Known:
    """What conditions that are asked one after the other, at one moment, have looked up."""

    subjects: dict[frozenset[str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    people: dict[Wanted, dict[uuid.UUID, ProfileFacts]] = field(default_factory=dict)


async def evaluate(
    condition: Condition,
    *,
    profile_id: uuid.UUID,
    event: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    known: Known | None = None,
) -> bool:
    """Whether the condition holds for somebody now.

    Args:
        profile_id: of a living profile; for one that is none, every condition is false.
        event: the event's payload; `type` and `occurredAt` beside it where the condition may ask for them.
        run: `key`, `enteredAt` and the payload of what started it.
        known: what was looked up for conditions that were asked just before, for the same person, event and run.

    Raises:
        ConditionFailed: there is no answer; `cause` says why, without a value in it.
    """
    known = known if known is not None else Known()
    names = condition.needs.intersection(SUBJECTS)
    if names not in known.subjects:
        known.subjects[names] = await subjects.load(names, event, run)
    found = known.subjects[names]
    wanted = wanted_facts([condition], {"event": event or {}, "run": run or {}, **found})
    if wanted not in known.people:
        known.people[wanted] = await facts.load(wanted, [profile_id])
    people = known.people[wanted]
    if profile_id not in people:
        return False
    asker = Asker(
        people[profile_id], condition.names, event=event, run=run, subjects=found, functions=condition.functions
    )
    return asker.ask(condition)[0]


async def holds(
    condition: Condition,
    *,
    profile_id: uuid.UUID,
    event: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
) -> bool:
    """As `evaluate`; false, and a line in the log, where there is no answer."""
    try:
        return await evaluate(condition, profile_id=profile_id, event=event, run=run)
    except ConditionFailed as failure:
        log.warning("condition failed", condition=condition.source, profile_id=str(profile_id), cause=failure.cause)
        return False


async def select(condition: Condition, profile_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the profiles for whom a condition without event and run holds, in a handful of statements."""
    answers = await answer_all([condition], profile_ids)
    return {profile_id for profile_id, given in answers.items() if given[0].holds}


async def answer_all(
    conditions: Sequence[Condition], profile_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[Answer]]:
    """Each condition's answer for each living profile, the conditions being without event and run."""
    people = await facts.load(wanted_facts(conditions, {}), profile_ids)
    uses = {use: type_ for condition in conditions for use, type_ in condition.names.items()}
    functions = {name for condition in conditions for name in condition.functions}
    return {
        profile_id: _answers(conditions, Asker(person, uses, functions=functions), profile_id)
        for profile_id, person in people.items()
    }


def _answers(conditions: Sequence[Condition], asker: Asker, profile_id: uuid.UUID) -> list[Answer]:
    answers: list[Answer] = []
    for condition in conditions:
        try:
            answers.append(Answer(*asker.ask(condition)))
        except ConditionFailed as failure:
            log.warning("condition failed", condition=condition.source, profile_id=str(profile_id), cause=failure.cause)
            answers.append(Answer(False, failure=failure))
    return answers


def wanted_facts(conditions: Sequence[Condition], roots: Mapping[str, Mapping[str, Any]]) -> Wanted:
    """What has to be fetched; products that the event or run names are named by now."""
    calls: set[FactCall] = set()
    for condition in conditions:
        for call in condition.calls:
            given = tuple(_value_of(argument, roots) for argument in call.arguments)
            calls.add(FactCall(call.function, given))
    return Wanted(frozenset(need for condition in conditions for need in condition.needs), frozenset(calls))


def _value_of(argument: Any, roots: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(argument, NameUse):
        return argument
    value = roots.get(argument.root, {}).get(argument.name)
    return str(value) if value else None
