"""Waiting for something to happen to the person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from app.conditions.checking import Condition
from app.flows.rules import exit_reason
from app.flows.steps.base import Go, Result, Step, Wait, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

TIMEOUT = "TIMEOUT"


@step_kind("wait_for")
@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFor(Step):
    event: str
    condition: Condition | None
    timeout: timedelta
    otherwise: str | None
    """`else`: where to go on when the time is over."""

    @classmethod
    def parse(cls, given: "Given") -> Self:
        event = given.event_type()
        return cls(
            key=given["key"],
            then=given.get("then"),
            event=event,
            condition=given.condition("if", event_types=[event]),
            timeout=given.period("timeout"),
            otherwise=given.get("else"),
        )

    def ways(self) -> list[tuple[str, str | None]]:
        return [(self.event, self.then), ("else", self.otherwise)]

    def conditions(self) -> list[Condition]:
        return [self.condition] if self.condition else []

    async def run(self, execution: "Execution") -> Result:
        # What happened since the run came here counts, also where the event was handled before the run was.
        since = execution.planned if execution.memory is None else datetime.fromisoformat(execution.memory["since"])
        happened = await execution.find_event(self.event, self.condition, since)
        if happened is not None:
            return Go(reason=exit_reason(self.event), at=happened.occurred_at)
        if execution.memory is not None and execution.is_due:
            return Go(to=self.otherwise, reason=TIMEOUT)
        return Wait(since + self.timeout, event=self.event, memory={"since": since.isoformat()})
