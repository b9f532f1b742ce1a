"""Typed errors: what a domain raises becomes `userErrors` here, and nowhere else."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry.types.enum import EnumValueDefinition

import app
from app.errors import DomainError, DomainErrors
from app.errors import ErrorCode as DomainErrorCode
from app.rate_limit import RateLimitedError as RateLimited


def _collect_codes() -> type[Enum]:
    """One enum out of every domain's `errors.py`."""
    for package in pkgutil.iter_modules(app.__path__):
        if package.ispkg and importlib.util.find_spec(f"app.{package.name}.errors"):
            importlib.import_module(f"app.{package.name}.errors")
    members: dict[str, EnumValueDefinition] = {}
    for codes in DomainErrorCode.__subclasses__():
        for name, member in codes.__members__.items():
            if name in members:
                raise ValueError(f"the error code {name} is defined twice")
            members[name] = strawberry.enum_value(name, description=member.value)
    make_enum: Any = Enum
    collected: type[Enum] = make_enum("ErrorCode", dict(sorted(members.items())))
    return collected


ErrorCode = strawberry.enum(_collect_codes(), description="What went wrong, for programs.")


@strawberry.interface(description="Something in the request that could not be done as asked. Nothing was changed.")
class UserError:
    code: ErrorCode = strawberry.field(description="What went wrong, for programs.")  # type: ignore[valid-type]
    message: str = strawberry.field(description="What went wrong, for people.")
    field: list[str] | None = strawberry.field(
        description="Path of the argument that it is about, such as `input`, `lines`, `0`, `quantity`."
    )


@strawberry.type(description="An error that its code and message describe completely.")
class SimpleUserError(UserError):
    pass


D = TypeVar("D", bound=DomainError)
_builders: dict[type[DomainError], Callable[..., UserError]] = {}
ERROR_TYPES: list[type] = [SimpleUserError]


def error_type(domain_error: type[D], build: Callable[[D], dict[str, Any]]) -> Callable[[type], type]:
    """Class decorator: shows errors of that domain class with the extra fields that `build` gives."""

    def register(cls: type) -> type:
        _builders[domain_error] = lambda error, **common: cls(**common, **build(error))
        ERROR_TYPES.append(cls)
        return cls

    return register


@error_type(RateLimited, lambda error: {"retry_after_seconds": error.retry_after_seconds})
@strawberry.type(description="Too much was tried in a short time. Nothing was changed.")
class RateLimitedError(UserError):
    retry_after_seconds: int = strawberry.field(
        description="When to try again, in seconds; the answer's `Retry-After` header says it too."
    )


def to_user_error(error: DomainError) -> UserError:
    common: dict[str, Any] = {"code": ErrorCode[error.code.name], "message": error.message, "field": error.field}
    build = _builders.get(type(error))
    return build(error, **common) if build else SimpleUserError(**common)


def to_user_errors(errors: Sequence[DomainError]) -> list[UserError]:
    return [to_user_error(error) for error in errors]


def domain_errors(error: BaseException) -> list[DomainError] | None:
    return error.errors if isinstance(error, (DomainError, DomainErrors)) else None
