"""The ways through a definition: keys are unique, every way leads forward, and every step can be come to."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.flows.steps import END, Step


class Report(Protocol):
    def __call__(self, message: str, path: Sequence[str | int]) -> None: ...


def check_ways(given: Sequence[Any], steps: Mapping[int, Step], report: Report) -> None:
    """Report what is wrong.

    Args:
        given: the steps as they were written.
        steps: those that could be read, by position.
    """
    positions = _positions(given, report)
    readable = len(steps) == len(given)
    ways = {position: _ways(step, position, positions, report) for position, step in steps.items()}
    if not readable or any(found is None for found in ways.values()):
        return  # what cannot be reached shows when the rest is right
    reachable = {0}
    for position in range(len(given)):
        if position in reachable:
            reachable.update(ways[position] or ())
        else:
            step = steps[position]
            report(f"Step {step.key}: no way leads to it; lead one there, or take it out.", ("steps", position))


def _positions(given: Sequence[Any], report: Report) -> dict[str, int]:
    positions: dict[str, int] = {}
    for position, json in enumerate(given):
        key = json.get("key") if isinstance(json, Mapping) else None
        if not isinstance(key, str):
            continue
        path = ("steps", position, "key")
        if key == END:
            report(f"Step {key}: `end` is what ends a run and cannot be a key; choose another.", path)
        elif key in positions:
            report(f"Step {key}: step number {positions[key] + 1} has this key too; give each its own.", path)
        positions.setdefault(key, position)
    return positions


def _ways(step: Step, position: int, positions: Mapping[str, int], report: Report) -> list[int] | None:
    """Positions of the steps that can follow; None where a way leads nowhere, which is reported."""
    found = []
    wrong = False
    for label, target in step.ways():
        by = f" ({label})" if label else ""
        if target == END:
            continue
        following = position + 1 if target is None else positions.get(target)
        if following is None:
            wrong = True
            report(f"Step {step.key}: there is no step `{target}` to go to{by}.", ("steps", position))
        elif following <= position:
            wrong = True
            message = (
                f"Step {step.key}: `{target}` lies behind it{by}. A flow goes forward only; to begin again, let a "
                "trigger start a new run."
            )
            report(message, ("steps", position))
        else:
            found.append(following)
    return None if wrong else found
