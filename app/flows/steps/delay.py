"""Waiting for a period."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from app.flows.steps.base import Go, Result, Step, Wait, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@step_kind("delay")
@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Step):
    period: timedelta

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(key=given["key"], then=given.get("then"), period=given.period("period"))

    async def run(self, execution: "Execution") -> Result:
        if execution.memory is not None:
            return Go()
        return Wait(execution.planned + self.period)
