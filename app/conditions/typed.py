"""A part of a condition after checking: its type, and what is handed to the CEL library for it."""

import math
from dataclasses import dataclass
from datetime import timedelta

from app.conditions.syntax import Node
from app.conditions.types import ANY, TEXT, YES_NO, Kind, Type


@dataclass(frozen=True, slots=True)
class Typed:
    type: Type
    code: str
    node: Node
    atomic: bool = True
    """Whether the code can stand beside any operator without brackets."""
    now: int = 0
    """How fast a moment or duration moves with the time: 1 for `now`, -1 for `customer.createdAt - now`."""
    constant: int | float | str | bool | timedelta | None = None
    is_constant: bool = False

    @property
    def bracketed(self) -> str:
        return self.code if self.atomic else f"({self.code})"

    @property
    def optional(self) -> bool:
        """Whether the value can be missing, so that plain operators of CEL would fail on it."""
        return self.type.nullable or self.type.kind is Kind.ANY


@dataclass(frozen=True, slots=True)
class NameUse:
    """A name that has to have a value when the condition is asked."""

    root: str
    name: str

    @property
    def variable(self) -> str:
        return f"{self.root}_{self.name}"


@dataclass(frozen=True, slots=True)
class FactCall:
    """A function that reads facts, with those arguments that decide what has to be fetched."""

    function: str
    arguments: tuple[str | timedelta | NameUse | None, ...]


def unknown(node: Node) -> Typed:
    """Stands for a part that was wrong, so that nothing is said about it twice."""
    return Typed(ANY, "null", node)


def text_code(value: str) -> str:
    """A string literal of CEL."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    plain = "".join(c if c.isprintable() or c == " " else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{plain}"'


def span_code(value: timedelta) -> str:
    microseconds = value // timedelta(microseconds=1)
    return f'duration("{microseconds}us")'


def number_code(value: int | float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("no literal of CEL is infinite")
    return repr(value)


def literal(node: Node, value: int | float | str | bool | None) -> Typed:
    if value is None:
        return Typed(Type(Kind.NULL, nullable=True), "null", node)
    if isinstance(value, bool):
        return Typed(YES_NO, "true" if value else "false", node, constant=value, is_constant=True)
    if isinstance(value, str):
        return Typed(TEXT, text_code(value), node, constant=value, is_constant=True)
    kind = Kind.NUMBER if isinstance(value, float) else Kind.WHOLE
    return Typed(Type(kind), number_code(value), node, atomic=value >= 0, constant=value, is_constant=True)
