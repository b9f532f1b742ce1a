"""One of several ways, at random."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.flows.rules import chance, pick
from app.flows.steps.base import Go, Result, Step, step_kind

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@dataclass(frozen=True, slots=True)
class Branch:
    weight: float
    then: str


@step_kind("split")
@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Step):
    branches: tuple[Branch, ...]

    @classmethod
    def parse(cls, given: "Given") -> Self:
        branches = tuple(Branch(float(branch["weight"]), branch["then"]) for branch in given["branches"])
        return cls(key=given["key"], branches=branches)

    def ways(self) -> list[tuple[str, str | None]]:
        total = sum(branch.weight for branch in self.branches)
        return [(f"{branch.weight / total:.0%}", branch.then) for branch in self.branches]

    async def run(self, execution: "Execution") -> Result:
        branch = self.branches[
            pick([branch.weight for branch in self.branches], chance(execution.run.id, f"split:{self.key}"))
        ]
        return Go(to=branch.then, reason="BRANCH", detail={"then": branch.then})
