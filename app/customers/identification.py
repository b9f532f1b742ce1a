"""Who somebody is: found or made by an address, with everything joined that the same browser or cart did before.

See docs/decisions/profiles.md for who is ever joined to whom, and why.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from app import db
from app.customers import merging, timeline
from app.customers.candidates import sql_of_candidates
from app.customers.models import LifecycleStage
from app.kit.ids import new_id

PROFILE_CREATED = "profile.created"
PROFILE_UPDATED = "profile.updated"
MAX_TRIES = 10
_NAMES = {
    "phone": "phone",
    "first_name": "firstName",
    "last_name": "lastName",
    "language": "language",
    "country_code": "countryCode",
    "postal_code": "postalCode",
}
"""What an address typed by somebody may add to a profile, and never replaces; and what `profile.updated` calls it."""
_FILLED = tuple(_NAMES)

_CANDIDATES = sql_of_candidates("$1", "$2", "$3", "$4")

_CREATE = """
    INSERT INTO profiles (id, email, phone, first_name, last_name, language, country_code, postal_code, properties,
                          stage, order_count, total_spent_minor, created_at, updated_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}', $9, 0, 0, business_now(), business_now(), business_now())
    ON CONFLICT DO NOTHING RETURNING *
"""

_FILL = """
    UPDATE profiles
    SET phone = coalesce(phone, $2), first_name = coalesce(first_name, $3), last_name = coalesce(last_name, $4),
        language = coalesce(language, $5), country_code = coalesce(country_code, $6),
        postal_code = coalesce(postal_code, $7), updated_at = business_now()
    WHERE id = $1
"""

_LINK = """
    WITH visitor AS (
        INSERT INTO visitors (id, profile_id, created_at) SELECT $2, $1, business_now() WHERE $2::uuid IS NOT NULL
        ON CONFLICT (id) DO UPDATE SET profile_id = EXCLUDED.profile_id
    )
    UPDATE carts SET profile_id = $1 WHERE id = $3 AND profile_id IS DISTINCT FROM $1
"""

# A number that somebody typed proves nothing, so a profile that has only a number is joined to an email's only where
# all that it has comes from this very cart and browser.
_IS_OWN = """
    SELECT NOT EXISTS (SELECT FROM orders WHERE profile_id = $1)
       AND NOT EXISTS (SELECT FROM carts WHERE profile_id = $1 AND id IS DISTINCT FROM $3)
       AND NOT EXISTS (SELECT FROM visitors WHERE profile_id = $1 AND id IS DISTINCT FROM $2)
       AND NOT EXISTS (SELECT FROM consents WHERE profile_id = $1 AND source NOT IN ('CART', 'CHECKOUT'))
"""


class Facts(TypedDict, total=False):
    """What may be said of somebody besides how to reach them."""

    first_name: str | None
    last_name: str | None
    language: str | None
    country_code: str | None
    postal_code: str | None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys, and whose the cart is: they differ when somebody orders with another email than the cart's."""

    profile_id: uuid.UUID
    cart_profile_id: uuid.UUID

    @property
    def everybody(self) -> list[uuid.UUID]:
        return sorted({self.profile_id, self.cart_profile_id})


@dataclass(frozen=True, slots=True)
class _Found:
    """Living profiles, locked."""

    rows: Sequence[Mapping[str, Any]]
    visitors: Mapping[str, Any] | None
    carts: Mapping[str, Any] | None


async def identify(
    *,
    email: str | None = None,
    phone: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    language: str | None = None,
    country_code: str | None = None,
    postal_code: str | None = None,
    visitor_id: uuid.UUID | None = None,
    cart_id: uuid.UUID | None = None,
    cart_profile_id: uuid.UUID | None = None,
    source: str,
) -> uuid.UUID:
    """The profile with this address, found or made, in the open unit of work; its row stays locked until that ends.

    The email decides. A phone alone finds only a profile that has no email. Visitor and cart belong to the profile from
    then on, and what they did before it was known whose they are joins its history.

    What else is given fills gaps and replaces nothing: anybody can type anybody's address.

    Args:
        email, phone: normalised (`app.addresses.contact`); at least one.
        cart_id: its row is locked already (the order of locks is cart, profile, run, message).
        cart_profile_id: what that row says.
        source: where somebody became known, `CART`, `ORDER`, `NEWSLETTER` …: told by `profile.created`.

    Raises:
        ValueError: without email and phone.
    """
    facts = {
        "phone": phone,
        "first_name": first_name,
        "last_name": last_name,
        "language": language,
        "country_code": country_code,
        "postal_code": postal_code,
    }
    found, target = await _find_or_create(email, facts, visitor_id, cart_profile_id, source)
    await _join(found, target, facts, visitor_id, cart_id)
    new_visitor = visitor_id is not None and (found.visitors is None or found.visitors["id"] != target["id"])
    new_cart = cart_id is not None and (found.carts is None or found.carts["id"] != target["id"])
    if new_visitor or new_cart:
        await db.execute(_LINK, target["id"], visitor_id, cart_id)
    profile_id: uuid.UUID = target["id"]
    return profile_id


async def identify_buyer(
    *,
    email: str | None,
    phone: str | None,
    address: Mapping[str, str] | None,
    cart_id: uuid.UUID,
    cart_profile_id: uuid.UUID | None,
    candidates: Sequence[Mapping[str, Any]] | None = None,
) -> Buyer:
    """As `identify`, for an order: locks the cart's person and the order's, in the order of their ids.

    A cart whose person is somebody else known stays theirs; one of nobody is the caller's to give to the buyer.

    Args:
        candidates: rows of `candidates.sql_of_buyer`, which the open unit of work has locked.
    """
    given = address or {}
    facts = {
        "phone": phone,
        "first_name": given.get("first_name"),
        "last_name": given.get("last_name"),
        "country_code": given.get("country_code"),
        "postal_code": given.get("postal_code"),
    }
    found, target = await _find_or_create(email, facts, None, cart_profile_id, "ORDER", candidates=candidates)
    joined = await _join(found, target, facts, None, cart_id)
    stays = found.carts is not None and found.carts["id"] not in joined
    return Buyer(target["id"], found.carts["id"] if found.carts is not None and stays else target["id"])


async def anonymous(
    visitor_id: uuid.UUID, *, cart_id: uuid.UUID | None = None, cart_profile_id: uuid.UUID | None = None
) -> uuid.UUID:
    """The profile that a visitor stands for, made at the first thing it does; locked in the open unit of work.

    Args:
        cart_id: a cart that the visitor holds, locked already: a person that it has is the visitor's, too.
    """
    for _ in range(MAX_TRIES):
        found = await _find(None, None, visitor_id, cart_profile_id)
        target = found and (_better_known(found) or await _create_anonymous(visitor_id))
        if found and target:
            break
    else:
        raise RuntimeError("a visitor comes and goes")
    await _join(found, target, {}, visitor_id, cart_id)
    carts_first = cart_id is not None and found.carts is None
    if carts_first or (found.visitors is not None and found.visitors["id"] != target["id"]) or found.visitors is None:
        await db.execute(_LINK, target["id"], visitor_id, cart_id if carts_first else None)
    profile_id: uuid.UUID = target["id"]
    return profile_id


async def updated(profile_id: uuid.UUID, changed: Sequence[str]) -> None:
    """Tell in the open unit of work what has changed of a profile, by the names that conditions use."""
    await timeline.record(PROFILE_UPDATED, profile_id=profile_id, data={"changed": ",".join(changed)})


async def living(profile_id: uuid.UUID, *, or_erased: bool = False) -> uuid.UUID:
    """The profile that this one lives on in; itself as long as it was not merged. Raises LookupError for none.

    Args:
        or_erased: what is left of somebody who was erased will do, as for the figures of their orders.
    """
    found: uuid.UUID | None = await db.fetchval(
        "SELECT coalesce(merged_into_id, id) FROM profiles WHERE id = $1 AND (erased_at IS NULL OR $2)",
        profile_id,
        or_erased,
    )
    if found is None:
        raise LookupError("there is no such profile")
    return found


async def lock(profile_id: uuid.UUID, *, or_erased: bool = False) -> uuid.UUID:
    """Lock the living profile until the unit of work ends; its id. Raises LookupError for none.

    Args:
        or_erased: what is left of somebody who was erased will do; nothing about a person may be written to it.
    """
    db.current_unit_of_work()
    for _ in range(MAX_TRIES):
        found = await db.fetchrow(
            "SELECT id, merged_into_id, erased_at FROM profiles WHERE id = $1 FOR UPDATE", profile_id
        )
        if found is None or (found["erased_at"] is not None and not or_erased):
            raise LookupError("there is no such profile")
        if found["merged_into_id"] is None:
            return profile_id
        profile_id = found["merged_into_id"]
    raise RuntimeError("a profile keeps being merged")


# --- finding ----------------------------------------------------------------------------------------------------------


async def _find_or_create(
    email: str | None,
    facts: Mapping[str, str | None],
    visitor_id: uuid.UUID | None,
    cart_profile_id: uuid.UUID | None,
    source: str,
    *,
    candidates: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[_Found, Mapping[str, Any]]:
    phone = facts["phone"]
    if email is None and phone is None:
        raise ValueError("somebody is known by an email or a phone number")
    for _ in range(MAX_TRIES):
        found = await _find(email, phone, visitor_id, cart_profile_id, candidates)
        candidates = None
        if found is None:
            continue
        meant = (row for row in found.rows if _is_meant(row, email, phone))
        target = next(meant, None) or await _create(email, facts, source)
        if target is not None:
            return found, target
    raise RuntimeError("a profile with this address comes and goes")


async def _find(
    email: str | None,
    phone: str | None,
    visitor_id: uuid.UUID | None,
    cart_profile_id: uuid.UUID | None,
    candidates: Sequence[Mapping[str, Any]] | None = None,
) -> _Found | None:
    """None when one of them was merged while we waited for its lock: where it lives on is seen by looking again."""
    db.current_unit_of_work()
    rows = candidates
    if rows is None:
        rows = await db.fetch(_CANDIDATES, email, phone, visitor_id, cart_profile_id)
    visitors = next((row for row in rows if row["is_visitors"]), None)
    carts = next((row for row in rows if row["is_carts"]), None)
    if cart_profile_id is not None and carts is None and not await _is_erased(cart_profile_id):
        return None
    if visitor_id is not None and visitors is None and await _visitor_is_known(visitor_id):
        return None
    return _Found(rows, visitors, carts)


async def _is_erased(profile_id: uuid.UUID) -> bool:
    """Then a cart of theirs is nobody's: what happens to it from now on is told of somebody new."""
    erased: bool | None = await db.fetchval("SELECT erased_at IS NOT NULL FROM profiles WHERE id = $1", profile_id)
    return bool(erased)


async def _visitor_is_known(visitor_id: uuid.UUID) -> bool:
    known: bool = await db.fetchval("SELECT EXISTS (SELECT FROM visitors WHERE id = $1)", visitor_id)
    return known


def _is_meant(row: Mapping[str, Any], email: str | None, phone: str | None) -> bool:
    if email is not None:
        return row["email"] is not None and row["email"].lower() == email.lower()
    return row["email"] is None and row["phone"] == phone


def _better_known(found: _Found) -> Mapping[str, Any] | None:
    """Of two profiles of one visitor: the cart's, unless the visitor's says more."""
    both = [row for row in (found.carts, found.visitors) if row is not None]
    return max(both, key=lambda row: 2 if row["email"] else 1 if row["phone"] else 0, default=None)


async def _create(email: str | None, facts: Mapping[str, str | None], source: str) -> db.Record | None:
    """None when somebody else was quicker: look again."""
    values = [facts.get(name) for name in _FILLED]
    made = await db.fetchrow(_CREATE, new_id(), email, *values, LifecycleStage.LEAD.value)
    if made is not None:
        await timeline.record(PROFILE_CREATED, profile_id=made["id"], data={"source": source})
    return made


async def _create_anonymous(visitor_id: uuid.UUID) -> db.Record | None:
    """None when another request of the same visitor was quicker: look again."""
    return await db.fetchrow(
        """
        WITH visitor AS (
            INSERT INTO visitors (id, profile_id, created_at) VALUES ($1, $2, business_now())
            ON CONFLICT DO NOTHING RETURNING profile_id
        )
        INSERT INTO profiles (id, properties, stage, order_count, total_spent_minor, created_at, updated_at,
                              last_seen_at)
        SELECT profile_id, '{}', $3, 0, 0, business_now(), business_now(), business_now() FROM visitor
        RETURNING *
        """,
        visitor_id,
        new_id(),
        LifecycleStage.VISITOR.value,
    )


# --- joining ----------------------------------------------------------------------------------------------------------


async def _join(
    found: _Found,
    target: Mapping[str, Any],
    facts: Mapping[str, str | None],
    visitor_id: uuid.UUID | None,
    cart_id: uuid.UUID | None,
) -> set[uuid.UUID]:
    """Merge into the target whoever is nobody else, and add what the target lacks. Returns those merged."""
    others = {row["id"]: row for row in (found.visitors, found.carts) if row is not None and row["id"] != target["id"]}
    joined = [row for _, row in sorted(others.items()) if await _may_join(row, visitor_id, cart_id)]
    for row in joined:
        await merging.merge(row["id"], target["id"])
    sources = [facts, *joined]
    added = {
        name: next((value for source in sources if (value := source.get(name))), None)
        for name in _FILLED
        if target[name] is None
    }
    changed = [_NAMES[name] for name, value in added.items() if value]
    if changed:
        await db.execute(_FILL, target["id"], *(added.get(name) for name in _FILLED))
    if joined:
        changed.append("history")
    if changed:
        await updated(target["id"], changed)
    return {row["id"] for row in joined}


async def _may_join(row: Mapping[str, Any], visitor_id: uuid.UUID | None, cart_id: uuid.UUID | None) -> bool:
    """Whether a profile that the visitor or the cart stands for is nobody else's."""
    if row["email"] is not None:
        return False
    return row["phone"] is None or bool(await db.fetchval(_IS_OWN, row["id"], visitor_id, cart_id))
