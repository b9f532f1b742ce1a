"""A flow's definition: read from JSON, checked as a whole, everything that is wrong reported at once.

    definition = parse(json)     # DomainErrors with one FLOW_DEFINITION_INVALID for each mistake

The form is what `definition.schema.json` says; the rest (names that exist, steps that can be reached) is checked here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, Literal

from app.conditions.checking import Condition
from app.customers.vocabulary import EVENT_TYPES
from app.errors import DomainError, DomainErrors
from app.flows.errors import FlowErrorCode
from app.flows.reading import CUSTOMER_MOMENTS, PROPERTIES, Given
from app.flows.shape import check_shape, step_name
from app.flows.steps import END, Step, kinds
from app.flows.steps.sending import Send
from app.flows.steps.wait_for import WaitFor
from app.flows.ways import check_ways

CUSTOMER = "customer"
"""The key of a trigger that means one run for each person."""
DATE_REACHED = "date.reached"
BACKFILL = "backfill"
INTERNAL_EVENTS = {DATE_REACHED, BACKFILL}
"""Recorded by the engine itself; no trigger names them."""
SEGMENT_EVENTS = {"entered": "segment.entered", "left": "segment.left"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One way in. Exactly one of an event alone, a segment and a date."""

    index: int
    event: str
    """The event type that starts a run: `segment.entered` for segments, `date.reached` for dates."""
    condition: Condition | None = None
    quiet_for: timedelta | None = None
    key: str | None = None
    """Which datum of the event a run is about; None where one run for each person is meant."""
    segment: str | None = None
    date: str | None = None
    """`customer.lapsesAt`, `customer.properties.birthday` …"""
    offset: timedelta = timedelta()
    at: time | None = None
    yearly: bool = False

    def date_names(self) -> set[str]:
        """What `profile.updated` calls the date, and what else moves it; nothing for a trigger without a date."""
        if self.date is None:
            return set()
        camel = self.date.removeprefix("customer.")
        own = {"properties", camel} if self.date.startswith(PROPERTIES) else {camel, CUSTOMER_MOMENTS[self.date]}
        return own | {"history", "timeZone", "time_zone"}


@dataclass(frozen=True, slots=True)
class Reentry:
    policy: Literal["once", "cooldown", "always"] = "always"
    period: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExitRule:
    event: str
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class ExitCondition:
    condition: Condition
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    triggers: tuple[Trigger, ...]
    entry: Condition | None
    reentry: Reentry
    restarts: bool
    """`onRepeat` is `restart`."""
    exit_on: tuple[ExitRule, ...]
    exit_if: tuple[ExitCondition, ...]
    supersedes: tuple[str, ...]
    waits_for: tuple[str, ...]
    priority: int
    holdout: float
    backfill: bool
    steps: tuple[Step, ...]
    positions: Mapping[str, int]

    def step(self, key: str) -> Step:
        return self.steps[self.positions[key]]

    def after(self, step: Step, to: str | None = None) -> str:
        """The key of the step that follows, or END. `to`: the way that was taken; None for the step's own."""
        target = to or step.then
        if target is not None:
            return target
        following = self.positions[step.key] + 1
        return self.steps[following].key if following < len(self.steps) else END

    def waited_events(self) -> set[str]:
        return {step.event for step in self.steps if isinstance(step, WaitFor)}

    def sends(self) -> list[Send]:
        return [step for step in self.steps if isinstance(step, Send)]

    def uses_stock(self) -> bool:
        return any(rule.reason == "OUT_OF_STOCK" for rule in self.exit_if)


class _Problems:
    def __init__(self) -> None:
        self.errors: list[DomainError] = []

    def __call__(self, message: str, path: Sequence[str | int]) -> None:
        field = ["input", "definition", *path]
        self.errors.append(DomainError(FlowErrorCode.FLOW_DEFINITION_INVALID, message, field))


def parse(given: Any) -> Definition:
    """Read and check a definition.

    Raises:
        DomainErrors: FLOW_DEFINITION_INVALID for each thing that is wrong, its field the path within the definition.
    """
    problems = _Problems()
    unreadable = check_shape(given, problems)
    if problems.errors and not _readable(given):
        raise DomainErrors(problems.errors)
    definition = None
    triggers = list(_triggers(given, problems))
    event_types = list(dict.fromkeys(trigger.event for trigger in triggers))
    steps = _steps(given["steps"], unreadable, event_types, problems)
    check_ways(given["steps"], steps, problems)
    if not problems.errors or _well_formed_outside(problems.errors):
        definition = _outer(given, triggers, event_types, steps, problems)
    if problems.errors or definition is None:
        raise DomainErrors(problems.errors)
    return definition


def _readable(given: Any) -> bool:
    """Whether there is enough to look for further mistakes."""
    return (
        isinstance(given, Mapping)
        and isinstance(given.get("steps"), list)
        and len(given["steps"]) > 0
        and ("trigger" in given) != ("triggers" in given)
    )


def _well_formed_outside(errors: Sequence[DomainError]) -> bool:
    """Whether what is wrong is within steps: then the rest can still be read."""
    return all((error.field or [])[2:3] == ["steps"] for error in errors)


def _triggers(given: Mapping[str, Any], problems: _Problems) -> Iterator[Trigger]:
    several = given.get("triggers")
    listed = several if isinstance(several, list) else [given.get("trigger")]
    for index, trigger in enumerate(listed):
        path: tuple[str | int, ...] = ("trigger",) if several is None else ("triggers", index)
        if any((error.field or [])[2 : 2 + len(path)] == [str(part) for part in path] for error in problems.errors):
            continue  # its form is wrong, which was said
        name = "The trigger" if several is None else f"Trigger {index + 1}"
        if parsed := _trigger(index, Given(trigger, path, name, problems, ())):
            yield parsed


def _trigger(index: int, given: Given) -> Trigger | None:
    if "date" in given.json:
        return Trigger(
            index=index,
            event=DATE_REACHED,
            condition=given.condition("if", event_types=[DATE_REACHED], in_run=False),
            date=given["date"],
            offset=given.offset("offset"),
            at=given.time_of_day("at"),
            yearly=given.get("yearly", False),
        )
    if "segment" in given.json:
        event = SEGMENT_EVENTS[given.get("change", "entered")]
        condition = given.condition("if", event_types=[event], in_run=False)
        return Trigger(index=index, event=event, condition=condition, segment=given["segment"])
    event = given.event_type()
    if event in INTERNAL_EVENTS:
        given.problem("no trigger can name this event; use a trigger with `date`, or `backfill`.", "event")
    if event not in EVENT_TYPES:
        return None
    key = given.get("key", EVENT_TYPES[event].key)
    if key not in (None, CUSTOMER) and key not in EVENT_TYPES[event].data:
        choice = ", ".join(["customer", *EVENT_TYPES[event].data])
        given.problem(f"`key` names something that {event} does not have. There are {choice}.", "key")
    return Trigger(
        index=index,
        event=event,
        condition=given.condition("if", event_types=[event], in_run=False),
        quiet_for=given.optional_period("quietFor"),
        key=None if key == CUSTOMER else key,
    )


def _steps(
    given: Sequence[Any], unreadable: set[int], event_types: Sequence[str], problems: _Problems
) -> dict[int, Step]:
    """By position; without those that could not be read."""
    read: dict[int, Step] = {}
    earlier: set[str] = set()
    for position, json in enumerate(given):
        if position in unreadable:
            continue
        name = step_name(json, position)
        aid = Given(json, ("steps", position), name, problems, event_types, frozenset(earlier))
        read[position] = kinds()[json["kind"]].parse(aid)
        earlier.add(json["kind"])
    return read


def _outer(
    given: Mapping[str, Any],
    triggers: Sequence[Trigger],
    event_types: Sequence[str],
    steps: Mapping[int, Step],
    problems: _Problems,
) -> Definition:
    aid = Given(given, (), "The flow", problems, event_types)
    reentry = Reentry()
    if "reentry" in given:
        inner = Given(given["reentry"], ("reentry",), "Re-entry", problems, event_types)
        reentry = Reentry(inner["policy"], inner.optional_period("period"))
    return Definition(
        triggers=tuple(triggers),
        entry=aid.condition("entry", in_run=False),
        reentry=reentry,
        restarts=given.get("onRepeat") == "restart",
        exit_on=tuple(_exit_rules(given, event_types, problems)),
        exit_if=tuple(_exit_conditions(given, event_types, problems)),
        supersedes=tuple(given.get("supersedes", ())),
        waits_for=tuple(given.get("waitsFor", ())),
        priority=given.get("priority", 0),
        holdout=float(given.get("holdout", 0)),
        backfill=given.get("backfill", False),
        steps=tuple(steps[position] for position in sorted(steps)),
        positions={step.key: position for position, step in enumerate(steps[place] for place in sorted(steps))},
    )


def _exit_rules(given: Mapping[str, Any], event_types: Sequence[str], problems: _Problems) -> Iterator[ExitRule]:
    for index, rule in enumerate(given.get("exitOn", ())):
        aid = Given(rule, ("exitOn", index), f"Exit rule {index + 1}", problems, event_types)
        event = aid.event_type()
        yield ExitRule(event, aid.condition("if", event_types=[event]))


def _exit_conditions(
    given: Mapping[str, Any], event_types: Sequence[str], problems: _Problems
) -> Iterator[ExitCondition]:
    for index, rule in enumerate(given.get("exitIf", ())):
        aid = Given(rule, ("exitIf", index), f"Exit condition {index + 1}", problems, event_types)
        condition = aid.condition("if")
        if condition is not None:
            yield ExitCondition(condition, rule["reason"])
