"""The steps of an operation are told to extensions in turn, and so is what goes wrong."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from strawberry.extensions import SchemaExtension

from schema.hooks import Hooks


class _Told(SchemaExtension):
    def __init__(self, said: list[str], name: str, *, fails_on: str = "") -> None:
        self.said = said
        self.name = name
        self.fails_on = fails_on

    def _say(self, what: str) -> None:
        self.said.append(f"{self.name} {what}")
        if what == self.fails_on:
            raise LookupError(self.name)

    def on_operation(self) -> Iterator[None]:
        self._say("begins")
        try:
            yield
        except Exception as fault:
            self.said.append(f"{self.name} hears {type(fault).__name__}")
            raise
        self._say("ends")


class _ToldLater(_Told):
    async def on_operation(self) -> AsyncIterator[None]:  # type: ignore[override]
        self._say("begins")
        try:
            yield
        except Exception as fault:
            self.said.append(f"{self.name} hears {type(fault).__name__}")
            raise
        self._say("ends")


def _hooks(*extensions: SchemaExtension) -> Hooks:
    context: Any = None
    return Hooks(execution_context=context, extensions=list(extensions))


async def test_the_last_to_begin_is_the_first_to_end() -> None:
    said = list[str]()
    async with _hooks(_Told(said, "outer"), SchemaExtension(), _ToldLater(said, "inner")).operation():
        said.append("work")
    assert said == ["outer begins", "inner begins", "work", "inner ends", "outer ends"]


async def test_all_hear_of_a_fault() -> None:
    said = list[str]()
    with pytest.raises(ZeroDivisionError):
        async with _hooks(_Told(said, "outer"), _ToldLater(said, "inner")).operation():
            raise ZeroDivisionError
    assert said == ["outer begins", "inner begins", "inner hears ZeroDivisionError", "outer hears ZeroDivisionError"]


async def test_those_outside_hear_of_the_fault_of_a_hook() -> None:
    said = list[str]()
    with pytest.raises(LookupError, match="inner"):
        async with _hooks(_ToldLater(said, "outer"), _Told(said, "inner", fails_on="ends")).operation():
            pass
    assert said == ["outer begins", "inner begins", "inner ends", "outer hears LookupError"]


async def test_what_cannot_begin_ends_what_has_begun() -> None:
    said = list[str]()
    with pytest.raises(LookupError, match="inner"):
        async with _hooks(_Told(said, "outer"), _Told(said, "inner", fails_on="begins")).operation():
            said.append("work")
    assert said == ["outer begins", "inner begins", "outer hears LookupError"]
