"""The parts that a condition's text is made of."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, true, false or null."""

    position: int
    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    position: int
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name`"""

    position: int
    of: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`of[at]`"""

    position: int
    of: "Node"
    at: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """`name(…)`, or `of.name(…)`"""

    position: int
    of: "Node | None"
    name: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Unary:
    """`!` or `-`"""

    position: int
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    position: int
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? then : otherwise`"""

    position: int
    test: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Listing:
    """`[1, 2]`"""

    position: int
    items: "tuple[Node, ...]"


Node: TypeAlias = Literal | Name | Member | Index | Call | Unary | Binary | Conditional | Listing
