"""Waiting until a moment, a time of day or a weekday."""

from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING, Self

from app.flows.calendar import next_local
from app.flows.steps.base import Go, Result, Step, Wait, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@step_kind("delay_until")
@dataclass(frozen=True, slots=True, kw_only=True)
class DelayUntil(Step):
    """A moment that has passed already is not waited for, but later waiting counts from it."""

    moment: str | None
    offset: timedelta
    time: time | None
    weekdays: tuple[str, ...]

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(
            key=given["key"],
            then=given.get("then"),
            moment=given.moment("at"),
            offset=given.offset("offset"),
            time=given.time_of_day("time"),
            weekdays=tuple(given.get("weekdays", ())),
        )

    async def run(self, execution: "Execution") -> Result:
        if execution.memory is not None:
            return Go()
        until = execution.planned
        if self.moment is not None:
            moment = await execution.moment(self.moment)
            if moment is None:
                return Go(outcome="SKIPPED", reason="MOMENT_UNKNOWN")
            until = moment + self.offset
        if self.time is not None or self.weekdays:
            until = next_local(until, await execution.time_zone(), self.time, self.weekdays)
        return Wait(until)
