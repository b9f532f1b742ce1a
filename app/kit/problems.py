"""Collects everything that is wrong with an input, so that its sender sees it all at once."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from app.errors import CommonErrorCode, DomainError, DomainErrors, ErrorCode
from app.kit.text import check_text

MAX_LINE_CHARS = 255
MAX_INT = 2**31 - 1


class Problems:
    """The checks return what is to be stored, or note an error below `input` and return something harmless."""

    def __init__(self) -> None:
        self._errors: list[DomainError] = []

    def __len__(self) -> int:
        return len(self._errors)

    def add(self, code: ErrorCode, message: str, *path: str | int) -> None:
        self.note(DomainError(code, message, ["input", *path]))

    def note(self, error: DomainError) -> None:
        self._errors.append(error)

    def raise_if_any(self) -> None:
        """Raises DomainErrors."""
        if self._errors:
            raise DomainErrors(self._errors)

    def text(self, value: str | None, max_chars: int, *path: str | int) -> str | None:
        """Trimmed; blank is None."""
        trimmed = (value or "").strip()
        if error := check_text(trimmed, max_chars, ["input", *path]):
            self.note(error)
            return None
        return trimmed or None

    def line(self, value: str | None, *path: str | int, max_chars: int = MAX_LINE_CHARS) -> str | None:
        """As `text`, with line ends turned into spaces."""
        return self.text(" ".join((value or "").split()), max_chars, *path)

    def required_line(self, value: str | None, what: str, *path: str | int, max_chars: int = MAX_LINE_CHARS) -> str:
        """`what` begins the sentence “… is needed.”"""
        checked = self.line(value, *path, max_chars=max_chars)
        if checked is None and not (value or "").strip():
            self.add(CommonErrorCode.REQUIRED, f"{what} is needed.", *path)
        return checked or ""

    def count(self, value: int, *path: str | int) -> int:
        """Zero or more, in 32 bits."""
        if not 0 <= value <= MAX_INT:
            self.add(CommonErrorCode.OUT_OF_RANGE, "The number cannot be below zero.", *path)
            return 0
        return value


def errors_of_model(
    problem: ValidationError, at: Sequence[str | int] = (), names: Mapping[str, str] | None = None
) -> list[DomainError]:
    """A typed model's refusals, with the paths of the GraphQL input.

    Args:
        at: where the model is in the input.
        names: of fields that are called otherwise outside than in camel case.
    """
    problems = problem.errors(include_url=False, include_context=False)
    inner = {error["loc"][:depth] for error in problems for depth in range(len(error["loc"]))}
    errors = []
    for error in problems:
        if error["loc"] in inner:
            continue  # Only says that something below it is wrong, which has its own error.
        # A tagged union puts its tag into the path; clients do not send it as a level of its own.
        parts = [part for part in error["loc"] if part != str(part).upper()]
        path = [part if isinstance(part, int) else (names or {}).get(part, to_camel(part)) for part in parts]
        errors.append(DomainError(CommonErrorCode.INVALID, error["msg"].removeprefix("Value error, "), [*at, *path]))
    return errors
