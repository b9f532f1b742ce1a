"""The addresses that an account keeps, and which of them a checkout begins with.

Every change holds the account's row first: deleting an address takes it out of the account's defaults, and two changes
at once would meet in the other order.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from app import db
from app.addresses.postal import PostalAddress
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id

MAX_ADDRESSES = 100
"""Of one account."""

_ROWS = """
    SELECT a.id, a.customer_id, a.address, a.created_at, a.updated_at,
           a.id IS NOT DISTINCT FROM c.default_shipping_address_id AS is_default_shipping,
           a.id IS NOT DISTINCT FROM c.default_billing_address_id AS is_default_billing
    FROM customer_addresses a JOIN customers c ON c.id = a.customer_id
"""
_INSERT = """
    INSERT INTO customer_addresses (id, customer_id, address, created_at, updated_at)
    SELECT $1, $2, $3::jsonb, business_now(), business_now()
    WHERE (SELECT count(*) FROM customer_addresses WHERE customer_id = $2) < $4
    RETURNING id
"""
_UPDATE = """
    UPDATE customer_addresses SET address = $3::jsonb, updated_at = business_now()
    WHERE id = $1 AND customer_id = $2 RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Whether an address becomes a default: True makes it one, False makes it none, None leaves it as it is."""

    shipping: bool | None = None
    billing: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAddress:
    id: uuid.UUID
    customer_id: uuid.UUID
    address: PostalAddress
    is_default_shipping: bool
    is_default_billing: bool
    created_at: datetime
    updated_at: datetime


async def of_customers(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[KeptAddress]]:
    """The addresses of each account, the newest first."""
    rows = await db.fetch(f"{_ROWS} WHERE a.customer_id = ANY($1::uuid[]) ORDER BY a.id DESC", list(customer_ids))
    books: dict[uuid.UUID, list[KeptAddress]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        books[row["customer_id"]].append(_kept(row))
    return books


async def by_ids(address_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, KeptAddress]:
    """Those that exist. Who may see them is the caller's to know: `customer_id` says whose they are."""
    rows = await db.fetch(f"{_ROWS} WHERE a.id = ANY($1::uuid[])", list(address_ids))
    return {row["id"]: _kept(row) for row in rows}


async def own(address_id: uuid.UUID, customer_id: uuid.UUID | None, field: Sequence[str | int]) -> PostalAddress:
    """Raises DomainError(NOT_FOUND), also for somebody else's, and where nobody is signed in."""
    found = (await by_ids([address_id])).get(address_id) if customer_id else None
    if found is None or found.customer_id != customer_id:
        raise not_found("address in the address book", field)
    return found.address


async def create(customer_id: uuid.UUID, address: PostalAddress, defaults: Defaults) -> uuid.UUID:
    """Raises DomainError: TOO_MANY; NOT_FOUND for an account that was deleted meanwhile."""
    async with db.unit_of_work():
        await _hold(customer_id)
        address_id = await db.fetchval(_INSERT, new_id(), customer_id, _json(address), MAX_ADDRESSES)
        if address_id is None:
            message = f"An address book has {MAX_ADDRESSES} addresses at most; delete one first."
            raise DomainError(CommonErrorCode.TOO_MANY, message, ["address"])
        await _set_defaults(customer_id, address_id, defaults)
    return address_id  # type: ignore[no-any-return]


async def update(
    customer_id: uuid.UUID, address_id: uuid.UUID, address: PostalAddress | None, defaults: Defaults
) -> None:
    """Write another address in its place; None leaves it. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        await _hold(customer_id)
        if address is not None:
            found = await db.fetchval(_UPDATE, address_id, customer_id, _json(address))
        else:
            found = await db.fetchval(
                "SELECT id FROM customer_addresses WHERE id = $1 AND customer_id = $2", address_id, customer_id
            )
        if found is None:
            raise not_found("address", ["id"])
        await _set_defaults(customer_id, address_id, defaults)


async def delete(customer_id: uuid.UUID, address_id: uuid.UUID) -> None:
    """A default that it was is none any more; orders and checkouts keep their copies. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        await _hold(customer_id)
        deleted = await db.execute(
            "DELETE FROM customer_addresses WHERE id = $1 AND customer_id = $2", address_id, customer_id
        )
        if not deleted:
            raise not_found("address", ["id"])


async def choose_defaults(customer_id: uuid.UUID, chosen: Mapping[str, uuid.UUID | None]) -> None:
    """Which addresses a checkout begins with.

    Args:
        chosen: by `shipping` and `billing`; None for no default, what is left out stays.

    Raises:
        DomainError: NOT_FOUND.
    """
    async with db.unit_of_work():
        await _hold(customer_id)
        wanted = [address_id for address_id in chosen.values() if address_id is not None]
        known = await by_ids(wanted) if wanted else {}
        for kind, address_id in chosen.items():
            if address_id is not None and (address_id not in known or known[address_id].customer_id != customer_id):
                raise not_found("address", [f"{kind}AddressId"])
        await _write_defaults(customer_id, chosen)


async def _hold(customer_id: uuid.UUID) -> None:
    """Nobody else changes the address book until the unit of work ends."""
    held = await db.fetchval("SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE", customer_id)
    if held is None:
        raise not_found("account")


async def _set_defaults(customer_id: uuid.UUID, address_id: uuid.UUID, defaults: Defaults) -> None:
    """`False` takes the default away from this address alone."""
    chosen: dict[str, uuid.UUID | None] = {}
    current = (await by_ids([address_id]))[address_id] if False in (defaults.shipping, defaults.billing) else None
    for kind, wanted, was in (
        ("shipping", defaults.shipping, current and current.is_default_shipping),
        ("billing", defaults.billing, current and current.is_default_billing),
    ):
        if wanted:
            chosen[kind] = address_id
        elif wanted is False and was:
            chosen[kind] = None
    if chosen:
        await _write_defaults(customer_id, chosen)


async def _write_defaults(customer_id: uuid.UUID, chosen: Mapping[str, uuid.UUID | None]) -> None:
    await db.execute(
        """
        UPDATE customers SET
            default_shipping_address_id = CASE WHEN $2 THEN $3 ELSE default_shipping_address_id END,
            default_billing_address_id = CASE WHEN $4 THEN $5 ELSE default_billing_address_id END
        WHERE id = $1
        """,
        customer_id,
        "shipping" in chosen,
        chosen.get("shipping"),
        "billing" in chosen,
        chosen.get("billing"),
    )


def _json(address: PostalAddress) -> str:
    return orjson.dumps(address.to_json()).decode()


def _kept(row: db.Record) -> KeptAddress:
    return KeptAddress(
        id=row["id"],
        customer_id=row["customer_id"],
        address=PostalAddress.from_json(orjson.loads(row["address"])),
        is_default_shipping=row["is_default_shipping"],
        is_default_billing=row["is_default_billing"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
