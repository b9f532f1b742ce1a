"""Reading the fields of a definition whose form is right already: periods, conditions, moments, event types."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

from app.conditions.checking import Condition, check
from app.customers.vocabulary import EVENT_TYPES, DataType
from app.errors import DomainError
from app.kit.periods import parse_period

MAX_PERIOD = timedelta(days=366)
CUSTOMER_MOMENTS = {
    "customer.lapsesAt": "lapses_at",
    "customer.nextOrderExpectedAt": "next_order_expected_at",
    "customer.lastOrderAt": "last_order_at",
    "customer.firstOrderAt": "first_order_at",
}
"""Columns of profiles, by the names that definitions use."""
PROPERTIES = "customer.properties."

Report = Callable[..., None]


@dataclass(slots=True)
class Given:
    """One object of the definition, with where it stands; what is wrong in it goes to `report`."""

    json: Mapping[str, Any]
    path: tuple[str | int, ...]
    name: str
    """How messages call it: `Step wait-4h`, `The trigger`."""
    report: Report
    event_types: Sequence[str]
    """Of the flow's triggers: what `event` and `run` are in conditions."""
    earlier_kinds: frozenset[str] = field(default_factory=frozenset)
    """Kinds of the steps that can have run before this one."""

    def problem(self, message: str, *below: str | int) -> None:
        self.report(f"{self.name}: {message}", (*self.path, *below))

    def __getitem__(self, name: str) -> Any:
        return self.json[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.json.get(name, default)

    def period(self, name: str) -> timedelta:
        """Above nothing and at most a year."""
        period = parse_period(self.json[name])
        if not timedelta() < period <= MAX_PERIOD:
            self.problem(f"`{name}` has to be longer than nothing and at most a year (P366D).", name)
            return MAX_PERIOD
        return period

    def optional_period(self, name: str) -> timedelta | None:
        return self.period(name) if name in self.json else None

    def offset(self, name: str) -> timedelta:
        """Before or after, at most a year; nothing where it is not given."""
        period = parse_period(self.json.get(name, "PT0S"))
        if abs(period) > MAX_PERIOD:
            self.problem(f"`{name}` can be a year (P366D) at most.", name)
            return timedelta()
        return period

    def time_of_day(self, name: str) -> time | None:
        return time.fromisoformat(self.json[name]) if name in self.json else None

    def condition(
        self, name: str, *, event_types: Sequence[str] | None = None, in_run: bool = True
    ) -> Condition | None:
        """None where it is not given, or is wrong, which is reported."""
        source = self.json.get(name)
        if source is None:
            return None
        try:
            types = self.event_types if event_types is None else event_types
            return check(source, event_types=_known(types), in_run=in_run, trigger_types=_known(self.event_types))
        except DomainError as error:
            self.problem(f"`{name}`: {error.message}", name)
            return None

    def event_type(self, name: str = "event") -> str:
        given: str = self.json[name]
        if given not in EVENT_TYPES:
            close = difflib.get_close_matches(given, EVENT_TYPES, n=1)
            hint = f" Did you mean {close[0]}?" if close else " `flowTriggers` lists those that there are."
            self.problem(f"there is no event {given}.{hint}", name)
        return given

    def moment(self, name: str) -> str | None:
        """The name of a moment that a run can know at this point."""
        given: str | None = self.json.get(name)
        if given is None or given in CUSTOMER_MOMENTS or given == "run.enteredAt":
            return given
        if given.startswith(PROPERTIES):
            return given
        if given == "coupon.endsAt":
            if "issue_coupon" not in self.earlier_kinds:
                self.problem("`coupon.endsAt` is known after an issue_coupon step; put one before this step.", name)
            return given
        known = sorted(self._trigger_moments())
        if given not in known:
            choice = ", ".join(["run.enteredAt", "coupon.endsAt", *known, *CUSTOMER_MOMENTS])
            self.problem(
                f"`{given}` is no moment that this run knows. There are {choice}, and dates of customer.properties.",
                name,
            )
        return given

    def _trigger_moments(self) -> set[str]:
        found = set()
        for event_type in self.event_types:
            if event_type in EVENT_TYPES:
                facts = EVENT_TYPES[event_type].data.items()
                found |= {f"run.{fact}" for fact, kind in facts if kind is DataType.MOMENT}
        return found


def _known(event_types: Sequence[str]) -> list[str]:
    """Without those that do not exist, which was said where they are named."""
    return [event_type for event_type in event_types if event_type in EVENT_TYPES]
