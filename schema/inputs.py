"""Inputs in which leaving a field out differs from giving null."""

import dataclasses
from typing import Any

import strawberry


def given_fields(value: Any) -> dict[str, Any]:
    """What the client sent of an input, by the fields' names in Python; what was left out is not in it."""
    fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {name: content for name, content in fields if content is not strawberry.UNSET}
