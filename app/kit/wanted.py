"""What a reader wants of an object: names of fields, with their arguments and what is wanted below them.

Reads build their statement from it, so that they fetch exactly that. GraphQL's selection is one; the names are the
API's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class WantedField(Protocol):
    @property
    def arguments(self) -> Mapping[str, Any]:
        """By name; absent ones are left out."""


class Wanted(Protocol):
    def __contains__(self, name: str, /) -> bool: ...

    def fields(self, name: str) -> Sequence[WantedField]:
        """Every appearance of the field: it may be wanted several times with different arguments."""

    def asks_for(self, *path: str) -> bool:
        """Whether the field at the end of the path is wanted."""

    def below(self, *names: str) -> "Wanted":
        """What is wanted of these fields, over all of their appearances."""

    def nodes(self) -> "Wanted":
        """Of a connection: what is wanted of its items."""
