"""A share of runs that get no messages from here on, to compare with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.flows.rules import chance
from app.flows.steps.base import Go, Result, Step, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

HOLDOUT = "HOLDOUT"


@step_kind("holdout")
@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout(Step):
    share: float

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(key=given["key"], then=given.get("then"), share=float(given["share"]))

    async def run(self, execution: "Execution") -> Result:
        if execution.run.in_holdout or chance(execution.run.id, f"holdout:{self.key}") < self.share:
            execution.run.in_holdout = True
            return Go(reason=HOLDOUT)
        return Go()
