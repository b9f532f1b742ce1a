"""What is wrong with a condition: when it is saved, and when it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import DomainError, ErrorCode


class ConditionErrorCode(ErrorCode):
    CONDITION_INVALID = "The condition cannot be read, or names something that does not exist; the message says where."


@dataclass(frozen=True, slots=True)
class ConditionProblem:
    """One thing that is wrong with a condition's text."""

    message: str
    position: int
    """Characters before it."""


class ConditionInvalid(DomainError):  # noqa: N818 - after its code
    """A condition that cannot be saved. `problems` has all that was found, in the order of the text."""

    def __init__(self, problems: Sequence[ConditionProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.position)
        told = " ".join(f"{problem.message} (at character {problem.position + 1})" for problem in self.problems)
        super().__init__(ConditionErrorCode.CONDITION_INVALID, told)


class ConditionFailed(Exception):  # noqa: N818 - the name that staff read in a run's timeline
    """A condition that was saved well could not be answered for somebody, such as for a division by zero.

    `cause` is one of a few fixed sentences: it never quotes a value, as values are personal data.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause
