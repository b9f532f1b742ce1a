"""Errors that a client caused and can understand.

A domain raises `DomainError` with a code of its own; the GraphQL layer turns it into `userErrors` in one place.
Everything else that is raised is a fault of ours and is masked.
"""

from collections.abc import Sequence
from enum import Enum


class ErrorCode(Enum):
    """Base of every domain's codes: a member's name is the code, its value the description in the schema."""


class CommonErrorCode(ErrorCode):
    NOT_FOUND = "There is no such object, or it is not yours to see."
    INVALID = "The value is not acceptable; the message says why."
    INVALID_ID = "The id is malformed, or belongs to another kind of object."
    REQUIRED = "A value that is needed was not given."
    TOO_LONG = "The text is longer than is kept."
    TOO_MANY = "More items than one request may carry."
    OUT_OF_RANGE = "The number is smaller or larger than is allowed."
    CONFLICT = "The object changed meanwhile, or another one has this value already."
    RATE_LIMITED = "Too many attempts; try again later."
    FORBIDDEN = "You are signed in, but lack the permission."
    UNAUTHENTICATED = "Sign in first: the token is missing, wrong or expired."


class DomainError(Exception):
    """One thing that is wrong with a request.

    Args:
        code: which kind of error, stable for programs.
        message: one sentence for people, with no internals.
        field: path of the offending argument in the GraphQL request, such as `["lines", "0", "quantity"]`.
    """

    def __init__(self, code: ErrorCode, message: str, field: Sequence[str | int] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = None if field is None else [str(part) for part in field]

    @property
    def errors(self) -> "list[DomainError]":
        return [self]

    def under(self, *prefix: str | int) -> "DomainError":
        """The same error, its field path set below `prefix`: for checks shared by several inputs."""
        self.field = [*(str(part) for part in prefix), *(self.field or [])]
        return self


class DomainErrors(Exception):  # noqa: N818 - the plural is the point
    """Several things that are wrong with one request, reported together."""

    def __init__(self, errors: Sequence[DomainError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)


def not_found(what: str, field: Sequence[str | int] | None = None) -> DomainError:
    return DomainError(CommonErrorCode.NOT_FOUND, f"There is no such {what}.", field)
