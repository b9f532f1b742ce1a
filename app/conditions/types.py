"""What kinds of values conditions know, and where values may be missing."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """As CEL names them."""

    TEXT = "string"
    WHOLE = "int"
    NUMBER = "double"
    YES_NO = "bool"
    MOMENT = "timestamp"
    SPAN = "duration"
    LIST = "list"
    MAP = "map"
    ANY = "dyn"
    """Of the merchant's own properties: text, number or yes/no, which only the profile tells."""
    NULL = "null"


_FOR_PEOPLE = {
    Kind.TEXT: "text",
    Kind.WHOLE: "a whole number",
    Kind.NUMBER: "a number",
    Kind.YES_NO: "true or false",
    Kind.MOMENT: "a moment",
    Kind.SPAN: "a duration",
    Kind.LIST: "a list",
    Kind.MAP: "a map",
    Kind.ANY: "a value",
    Kind.NULL: "null",
}


@dataclass(frozen=True, slots=True)
class Type:
    kind: Kind
    nullable: bool = False
    """Whether the value can be missing, which is null."""
    item: Kind | None = None
    """What a list holds."""
    choices: frozenset[str] = frozenset()
    """The values that a text can have, where they are few and known."""

    @property
    def numeric(self) -> bool:
        return self.kind in (Kind.WHOLE, Kind.NUMBER)

    @property
    def named(self) -> str:
        """For messages to people."""
        return _FOR_PEOPLE[self.kind]

    def __str__(self) -> str:
        """For documentation: `list<string>`, `timestamp?` for one that can be missing."""
        return (f"list<{self.item}>" if self.kind is Kind.LIST else str(self.kind)) + "?" * self.nullable

    def or_null(self) -> "Type":
        return replace(self, nullable=True)


TEXT = Type(Kind.TEXT)
WHOLE = Type(Kind.WHOLE)
NUMBER = Type(Kind.NUMBER)
YES_NO = Type(Kind.YES_NO)
MOMENT = Type(Kind.MOMENT)
SPAN = Type(Kind.SPAN)
ANY = Type(Kind.ANY, nullable=True)
NULL = Type(Kind.NULL, nullable=True)
TEXTS = Type(Kind.LIST, item=Kind.TEXT)
