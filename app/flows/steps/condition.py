"""One way or the other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.conditions.checking import Condition
from app.flows.steps.base import Go, Result, Step, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@step_kind("condition")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionStep(Step):
    condition: Condition | None
    """None only in a definition with mistakes, which is never run."""
    otherwise: str | None

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(
            key=given["key"],
            then=given.get("then"),
            condition=given.condition("if"),
            otherwise=given.get("else"),
        )

    def ways(self) -> list[tuple[str, str | None]]:
        return [("then", self.then), ("else", self.otherwise)]

    def conditions(self) -> list[Condition]:
        return [self.condition] if self.condition else []

    async def run(self, execution: "Execution") -> Result:
        if await execution.holds(self.condition):
            return Go(to=self.then, reason="THEN")
        return Go(to=self.otherwise, reason="ELSE")
