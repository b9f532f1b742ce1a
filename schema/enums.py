"""Enums of the domains, shown in the schema with a description for each value."""

from enum import Enum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=type[Enum])


def describe_enum(enum: E, description: str, **values: str) -> E:
    """Register a Python enum as a GraphQL enum of the same name.

    Args:
        values: a description for every member, by its name; a missing or unknown one stops the start.
    """
    names = {member.name for member in enum}
    if names != set(values):
        raise ValueError(f"{enum.__name__}: descriptions differ from the values in {names ^ set(values)}")
    registered = strawberry.enum(enum, description=description)
    for value in registered.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return registered
