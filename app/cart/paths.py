"""Field paths: what is said about a part of an argument, told at the place where the request has that part."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from app.cart.warnings import CartWarning
from app.errors import DomainError, DomainErrors


@contextmanager
def errors_under(*prefix: str) -> Iterator[None]:
    try:
        yield
    except (DomainError, DomainErrors) as wrong:
        raise DomainErrors([error.under(*prefix) for error in wrong.errors]) from wrong


@contextmanager
def collected(errors: list[DomainError], *prefix: str) -> Iterator[None]:
    """What is raised inside is added to `errors`, so that everything that is wrong is told at once."""
    try:
        with errors_under(*prefix):
            yield
    except DomainErrors as wrong:
        errors.extend(wrong.errors)


def warnings_under(warnings: Sequence[CartWarning], name: str) -> list[CartWarning]:
    return [replace(warning, field=[name, *(warning.field or [])]) for warning in warnings]
