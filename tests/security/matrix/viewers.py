"""Who asks: nobody, another customer, the owner, staff who may all but what is needed, staff and keys with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.staff.permissions import NOT_FOR_KEYS, Permission
from tests.factories import api_keys
from tests.factories import staff as staffs
from tests.security.matrix.access import Id
from tests.security.matrix.things import Shop
from tests.security.test_access_matrix import ANY_MEMBER, ANY_STAFF, CUSTOMER, PUBLIC

EVERYTHING = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Viewer:
    name: str
    token: str | None
    refused: str | None
    """What the field's guard says to them; None where it lets them in."""
    sees: bool


@dataclass
class Viewers:
    shop: Shop
    tokens: dict[tuple[frozenset[Permission], bool], str] = field(default_factory=dict)

    async def staff(self, permissions: frozenset[Permission], *, key: bool = False) -> str:
        known = (permissions, key)
        if known not in self.tokens:
            made = (
                await api_keys.key(set(permissions), maker_may=set(EVERYTHING))
                if key
                else await staffs.signed_in(set(permissions))
            )
            self.tokens[known] = made
        return self.tokens[known]

    async def of(self, needed: str, row: Id) -> list[Viewer]:
        """Everybody, for a field whose guard needs this, and an id that the row is about."""
        by_guard = frozenset({Permission(needed)} if needed in EVERYTHING else ())
        wanted = by_guard | (row.staff or frozenset())
        for_staff, for_customers = needed in (ANY_STAFF, ANY_MEMBER) or bool(by_guard), needed == CUSTOMER
        no_staff = "UNAUTHENTICATED" if for_customers else None
        nobody = "UNAUTHENTICATED" if for_staff or for_customers else None
        customer = "UNAUTHENTICATED" if for_staff else None
        found = [
            Viewer("nobody", None, nobody, row.anybody and nobody is None),
            Viewer("another customer", self.shop.other.token, customer, row.anybody and customer is None),
            Viewer("the owner", self.shop.owner.token, customer, (row.anybody or row.owner) and customer is None),
        ]
        staff_sees = (row.staff is not None or row.anybody) and no_staff is None
        for lacking in sorted(wanted):
            token = await self.staff(EVERYTHING - {lacking} - ({row.instead} if row.instead else set()))
            refused = "FORBIDDEN" if lacking in by_guard else no_staff
            found.append(Viewer(f"staff without {lacking}", token, refused, row.anybody and refused is None))
        if not wanted:
            # Where no permission is asked for, every one of them is no more than none.
            found.append(Viewer("staff", await self.staff(EVERYTHING), no_staff, staff_sees))
        if not wanted and not for_staff:
            return found
        found.append(Viewer("staff with it", await self.staff(wanted), no_staff, staff_sees))
        if row.instead:
            found.append(Viewer(f"staff with {row.instead}", await self.staff(by_guard | {row.instead}), None, True))
        if not wanted & NOT_FOR_KEYS:
            by_key = no_staff or ("FORBIDDEN" if needed == ANY_MEMBER else None)
            found.append(Viewer("a key with it", await self.staff(wanted, key=True), by_key, staff_sees and not by_key))
        return found


def rows(table: dict[str, str | Id]) -> Iterator[tuple[str, Id]]:
    """Every row of the table, the short ones spelt out: whoever passes the guard."""
    for path, row in table.items():
        yield path, row if isinstance(row, Id) else Id(row, staff=frozenset())


__all__ = ["PUBLIC", "Viewer", "Viewers", "rows"]
