"""Reading the shop's own row."""

from dataclasses import dataclass, fields
from datetime import datetime

from app import db
from app.shop.models import ShopPolicyKind


@dataclass(frozen=True, slots=True)
class ShopSettings:
    name: str
    currency_code: str
    countries: list[str]
    """Where it sells to: ISO 3166-1 alpha-2."""
    legal_name: str
    postal_address: str
    """As printed at the foot of a mail, one line each."""
    contact_email: str
    contact_phone: str
    time_zone: str
    """Of the IANA database."""
    locale: str
    """A language tag such as en-US."""
    available_quantity_limit: int
    """Shoppers see exact stock up to this many units."""
    reservation_minutes: int
    """How long a checkout holds its units after each thing that the shopper does; 0 holds none."""
    reservation_max_minutes: int
    """How long one checkout holds them altogether, in one day."""
    reservation_unit_limit: int
    """Units of one variant that a checkout holds at most."""
    minimum_order_minor: int | None
    """Goods after discounts; for markets without a minimum of their own."""
    age_check: str
    """An `AgeCheck` of `app.terms`."""


@dataclass(frozen=True, slots=True)
class Policy:
    kind: ShopPolicyKind
    title: str
    body: str
    body_html: str
    updated_at: datetime


_COLUMNS = ", ".join(field.name for field in fields(ShopSettings))


async def current(*, locked: bool = False) -> ShopSettings:
    """The shop as it is now.

    Args:
        locked: inside a unit of work, keeps the shop as it is until the end: for writes that its currency gives
            their meaning to.
    """
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM shop WHERE id = 1{' FOR SHARE' if locked else ''}")
    if row is None:
        raise RuntimeError("the shop has no row; migrations make one")
    return ShopSettings(**row)


async def policies() -> list[Policy]:
    """In the order in which a storefront shows them."""
    rows = await db.fetch("SELECT kind, title, body, body_html, updated_at FROM shop_policies")
    known = [Policy(**{**row, "kind": ShopPolicyKind(row["kind"])}) for row in rows]
    order = list(ShopPolicyKind)
    return sorted(known, key=lambda policy: order.index(policy.kind))
