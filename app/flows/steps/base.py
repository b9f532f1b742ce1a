"""What a kind of step is: how it is read from a definition, and what it does when a run comes to it.

A kind is a module beside this one with a class under `@step_kind("…")`. Nothing else knows its name.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from app.conditions.checking import Condition

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

END = "end"
"""The target that ends a run."""


@dataclass(frozen=True, slots=True)
class Go:
    """The step is done with; the run goes on at `to`, or at the step's own successor."""

    to: str | None = None
    outcome: str = "DONE"
    """A StepOutcome: DONE, SKIPPED or FAILED."""
    reason: str | None = None
    message_id: uuid.UUID | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    """The planned moment from which later waiting counts; None for the one at which the step was planned."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The run rests at this step until a moment, or until an event of this type."""

    until: datetime
    event: str | None = None
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    """What the step wants to find again when the run goes on."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The run ends here, as an exit for this reason."""

    reason: str


Result = Go | Wait | Exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a definition, read and checked."""

    kind: ClassVar[str]
    key: str
    then: str | None = None
    """The key of a later step or END; None for the next one."""

    @classmethod
    def parse(cls, given: "Given") -> "Step":
        """Read a step whose form follows the schema. Problems go to `given.report`."""
        raise NotImplementedError

    async def run(self, execution: "Execution") -> Result:
        """Do what the step is for, in the transaction that moves the run."""
        raise NotImplementedError

    def ways(self) -> list[tuple[str, str | None]]:
        """Where it leads: labels for people (empty for the only way), and targets (None: the next step)."""
        return [("", self.then)]

    def conditions(self) -> list[Condition]:
        return []


S = TypeVar("S", bound=type[Step])
_kinds: dict[str, type[Step]] = {}


def step_kind(kind: str) -> Callable[[S], S]:
    """Register a class under a kind's name."""

    def register(cls: S) -> S:
        if kind in _kinds:
            raise ValueError(f"the kind {kind} is registered twice")
        cls.kind = kind
        _kinds[kind] = cls
        return cls

    return register


def kinds() -> Mapping[str, type[Step]]:
    return _kinds
