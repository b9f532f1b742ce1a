"""Counting what a simulation comes to."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from app.flows.definitions import Definition
from app.flows.models import FlowRunStatus, StepOutcome
from app.flows.runs import Run, StepLine
from app.flows.steps.sending import Send


@dataclass(slots=True)
class StepTally:
    done: int = 0
    sent: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Tally:
    """JSON in and out, so that a job that was interrupted goes on with it."""

    definition: Definition
    people: int = 0
    enrolled: int = 0
    turned_away: int = 0
    """Did not qualify any more when their trigger had been quiet for long enough."""
    completed: int = 0
    exited: dict[str, int] = field(default_factory=dict)
    active: int = 0
    """Under way at the end of the time that was simulated."""
    steps: dict[str, StepTally] = field(default_factory=dict)

    @classmethod
    def begin(cls, definition: Definition, known: Mapping[str, Any]) -> "Tally":
        known = deepcopy(dict(known))
        made = cls(definition, steps={step.key: StepTally() for step in definition.steps})
        for name in ("people", "enrolled", "turned_away", "completed", "exited", "active"):
            setattr(made, name, known.get(name, getattr(made, name)))
        for key, counts in known.get("steps", {}).items():
            made.steps[key] = StepTally(**counts)
        return made

    def count(self, lines: Sequence[StepLine]) -> None:
        for line in lines:
            step = self.steps[line.step_key]
            if line.outcome == StepOutcome.SKIPPED:
                reason = str(line.reason or "OTHER")
                step.skipped[reason] = step.skipped.get(reason, 0) + 1
            elif line.outcome == StepOutcome.FAILED:
                step.failed += 1
            else:
                step.done += 1
                step.sent += isinstance(self.definition.step(line.step_key), Send)

    def ended(self, run: Run) -> None:
        if run.step_key is None:
            self.turned_away += 1
        elif run.status is FlowRunStatus.COMPLETED:
            self.completed += 1
        else:
            reason = run.exit_reason or "OTHER"
            self.exited[reason] = self.exited.get(reason, 0) + 1

    def still_there(self, run: Run) -> None:
        if run.step_key is not None:
            self.active += 1
            self.steps[run.step_key].waiting += 1

    def as_json(self) -> dict[str, Any]:
        """As it is now: counting on changes nothing of it, since a checkpoint is compared with what was saved."""
        steps = {
            key: {
                "done": step.done,
                "sent": step.sent,
                "skipped": dict(step.skipped),
                "failed": step.failed,
                "waiting": step.waiting,
            }
            for key, step in self.steps.items()
        }
        return {
            "people": self.people,
            "enrolled": self.enrolled,
            "turned_away": self.turned_away,
            "completed": self.completed,
            "exited": dict(self.exited),
            "active": self.active,
            "steps": steps,
        }

    def result(self) -> dict[str, Any]:
        """For people and programs outside."""
        skipped: dict[str, int] = {}
        for step in self.steps.values():
            for reason, times in step.skipped.items():
                skipped[reason] = skipped.get(reason, 0) + times
        kinds = {step.key: step.kind for step in self.definition.steps}
        shown = self.as_json()
        steps = [{"key": key, "kind": kinds[key], **counts} for key, counts in shown.pop("steps").items()]
        return {
            **{name: value for name, value in shown.items() if name != "turned_away"},
            "turnedAway": self.turned_away,
            "sent": sum(step.sent for step in self.steps.values()),
            "skipped": dict(sorted(skipped.items(), key=lambda item: (-item[1], item[0]))),
            "steps": steps,
        }
