"""The end of a run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.flows.steps.base import END, Go, Result, Step, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@step_kind("end")
@dataclass(frozen=True, slots=True, kw_only=True)
class End(Step):
    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(key=given["key"], then=END)

    async def run(self, execution: "Execution") -> Result:
        return Go(to=END)
