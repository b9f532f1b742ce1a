"""How a table is described: what each of its columns is, whose its rows are, and what becomes of them.

Export, erasure and retention all read these descriptions (`inventory`), and a test holds them against the real
database: a table or column that nobody has described does not pass.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a column is to privacy."""

    ID = "id"
    """A key, or a reference to one: it leads to rows, and says nothing by itself."""
    FACT = "fact"
    """States, amounts, times, counts, the shop's own words."""
    NAME = "name"
    CONTACT = "contact"
    """Reaches a person: an email address, a phone number."""
    ADDRESS = "address"
    """Where somebody lives or is."""
    TEXT = "text"
    """Somebody's own words, or a value that may hold some."""
    BEHAVIOUR = "behaviour"
    """What somebody did or got, and what is concluded from it."""
    TECHNICAL = "technical"
    """Network address, browser."""
    SECRET = "hidden"  # noqa: S105 - a kind of column
    """Opens something, or is a hash of what does: never exported."""


PERSONAL = frozenset({Kind.NAME, Kind.CONTACT, Kind.ADDRESS, Kind.TEXT, Kind.BEHAVIOUR, Kind.TECHNICAL})
IDENTIFYING = PERSONAL - {Kind.BEHAVIOUR}
"""Once these are gone, nobody can tell whose the rest was."""


class Whose(StrEnum):
    """Whom the rows of a table are about."""

    PERSON = "person"
    """Somebody who visits, buys or is written to."""
    STAFF = "staff"
    """People who work for the shop: kept as long as they do, and their names in the audit log as long as that is."""
    SHOP = "shop"
    """Nobody: goods, settings, the shop's own texts."""
    MACHINERY = "machinery"
    """Nobody: events, jobs, counters."""


@dataclass(frozen=True, slots=True)
class Table:
    """Everything about a table that privacy has to know.

    Attributes:
        rows: SQL condition for a person's rows, over the alias `t`; see `Subject` for the names it may use.
        section: where the rows stand in an export; None for what an export leaves out, with the reason in `why`.
        emptied: what the columns become when a row stays and its person goes: SQL expressions over `t`. Asked again of
            an emptied row they change nothing, which is how the work is found that is left.
        kept: personal columns that stay after an erasure, each with its reason.
        key: the primary key.
    """

    name: str
    whose: Whose
    columns: Mapping[str, Kind]
    rows: str | None = None
    section: str | None = None
    emptied: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    key: str = "id"

    @property
    def exported(self) -> list[str]:
        return [name for name, kind in self.columns.items() if kind is not Kind.SECRET]

    @property
    def assignments(self) -> str:
        """For UPDATE … AS t SET."""
        return ", ".join(f'"{name}" = {value}' for name, value in self.emptied.items())

    @property
    def is_full(self) -> str:
        """Condition: the row has something left to empty."""
        return "(" + " OR ".join(f't."{name}" IS DISTINCT FROM {value}' for name, value in self.emptied.items()) + ")"


def columns(**names: str) -> dict[str, Kind]:
    """Column names by kind: `columns(id="id cart_id", contact="email phone")`."""
    return {name: Kind(kind) for kind, listed in names.items() for name in listed.split()}


def shop(name: str, listed: str, *, key: str = "id") -> Table:
    """A table that is about nobody."""
    return Table(name, Whose.SHOP, dict.fromkeys(listed.split(), Kind.FACT), key=key)


# --- whose rows they are ----------------------------------------------------------------------------------------------

_PARAMETERS = {"profiles": "uuid[]", "customers": "uuid[]", "emails": "text[]", "phones": "text[]", "days": "int"}
# An account's carts and orders are its own, whosever address was typed into them; without an account they are those of
# the address. So nobody gets, or takes away, what somebody else did with their email: see docs/decisions/privacy.md.
_OWNED = "customer_id = ANY(:customers) OR customer_id IS NULL AND profile_id = ANY(:profiles)"
_SETS = {
    "carts": f"SELECT id FROM carts WHERE {_OWNED}",
    "orders": f"SELECT id FROM orders WHERE {_OWNED}",
    "attempts": f"SELECT id FROM checkout_attempts WHERE cart_id IN (SELECT id FROM carts WHERE {_OWNED})",
    "lent": "SELECT id FROM orders WHERE profile_id = ANY(:profiles) AND customer_id <> ALL(:customers)",
    "runs": "SELECT id FROM flow_runs WHERE profile_id = ANY(:profiles)",
    "messages": f"""SELECT id FROM messages WHERE profile_id = ANY(:profiles)
        UNION SELECT id FROM messages WHERE order_id IN (SELECT id FROM orders WHERE {_OWNED})""",
}
OWNED = f"({_OWNED.replace('customer_id', 't.customer_id').replace('profile_id', 't.profile_id')})"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, as SQL is asked about them: `:profiles`, `:customers`, `:emails` (lower case), `:phones` (E.164); and
    `:carts`, `:orders`, `:attempts`, `:runs`, `:messages` for the ids of what is theirs; `:lent` for orders of others'
    accounts that were placed with their email."""

    profiles: tuple[uuid.UUID, ...] = ()
    """The living one, and those that were merged into it."""
    customers: tuple[uuid.UUID, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    days: int = 0
    """How long a closed order keeps its contact after an erasure."""


_NAME = re.compile(r"(?<!:):([a-z]+)")


def bound(sql: str, subject: Subject, *more: object) -> tuple[str, list[object]]:
    """The statement with its names as numbered parameters, and their values; `more` are `$1` and so on, before them."""
    sql = _NAME.sub(lambda match: f"({_SETS[match[1]]})" if match[1] in _SETS else match[0], sql)
    used = [name for name in _PARAMETERS if re.search(rf"(?<!:):{name}\b", sql)]
    for place, name in enumerate(used, start=len(more) + 1):
        sql = re.sub(rf"(?<!:):{name}\b", f"${place}::{_PARAMETERS[name]}", sql)
    values = [getattr(subject, name) for name in used]
    return sql, [*more, *(list(value) if isinstance(value, tuple) else value for value in values)]
