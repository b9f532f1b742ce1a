"""What accounts pay with again. The gateway keeps the card; the shop keeps its reference, and shows it to nobody."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db, events
from app.errors import not_found
from app.kit.ids import new_id
from app.payments import service
from app.payments.gateway import SavedCard
from app.payments.models import PaymentMethod

FORGET_WANTED = "payment_method.forget_wanted"
MAX_SAVED = 20
"""Of one account."""

_COLUMNS = "id, customer_id, gateway, method, brand, last_characters, expires_month, expires_year, created_at"
_KEEP = """
    INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, brand, last_characters,
                                       expires_month, expires_year, created_at)
    SELECT $1, k.id, $3, $4, $5, $6, $7, $8, $9, business_now() FROM customers k
    WHERE k.id = $2
      AND (SELECT count(*) FROM saved_payment_methods m WHERE m.customer_id = k.id AND m.deleted_at IS NULL) < $10
    ON CONFLICT DO NOTHING
"""
# Deleted from the start; `forget` leaves alone what the account has saved already.
_UNWANTED = """
    INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, created_at, deleted_at)
    VALUES ($1, $2, $3, $4, $5, business_now(), business_now())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """As its owner sees it."""

    id: uuid.UUID
    customer_id: uuid.UUID
    gateway: str
    method: PaymentMethod
    brand: str | None
    last_characters: str | None
    expires_month: int | None
    expires_year: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chargeable:
    """What paying with a saved method takes."""

    id: uuid.UUID
    gateway: str
    method: PaymentMethod
    reference: str


async def of_customers(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[SavedMethod]]:
    """What each account has saved, the newest first."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM saved_payment_methods
        WHERE customer_id = ANY($1::uuid[]) AND deleted_at IS NULL ORDER BY id DESC
        """,
        list(customer_ids),
    )
    found: dict[uuid.UUID, list[SavedMethod]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        found[row["customer_id"]].append(_saved(row))
    return found


async def by_ids(customer_id: uuid.UUID, method_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, SavedMethod]:
    """Those of them that are this account's."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM saved_payment_methods
        WHERE customer_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL
        """,
        customer_id,
        list(method_ids),
    )
    return {row["id"]: _saved(row) for row in rows}


async def chargeable(method_id: uuid.UUID, customer_id: uuid.UUID | None) -> Chargeable | None:
    """None for a deleted one and for somebody else's, as for none."""
    row = await db.fetchrow(
        """
        SELECT id, gateway, method, reference FROM saved_payment_methods
        WHERE id = $1 AND customer_id = $2 AND deleted_at IS NULL
        """,
        method_id,
        customer_id,
    )
    if row is None:
        return None
    return Chargeable(
        id=row["id"], gateway=row["gateway"], method=PaymentMethod(row["method"]), reference=row["reference"]
    )


async def has_room(customer_id: uuid.UUID) -> bool:
    count: int = await db.fetchval(
        "SELECT count(*) FROM saved_payment_methods WHERE customer_id = $1 AND deleted_at IS NULL", customer_id
    )
    return count < MAX_SAVED


async def keep(payment_id: uuid.UUID, customer_id: uuid.UUID, card: SavedCard) -> None:
    """Note in the open unit of work what a payment was made with. What is known already stays as it is.

    Whoever had no room left by then, or has deleted their account, pays all the same, and the gateway forgets it.
    """
    row = await db.fetchrow("SELECT gateway, method FROM payments WHERE id = $1", payment_id)
    if row is None:
        raise LookupError("there is no such payment")
    kept = await db.execute(
        _KEEP,
        new_id(),
        customer_id,
        row["gateway"],
        row["method"],
        card.reference,
        card.brand,
        card.last_characters,
        card.expires_month,
        card.expires_year,
        MAX_SAVED,
    )
    if not kept:
        unwanted_id = new_id()
        await db.execute(_UNWANTED, unwanted_id, customer_id, row["gateway"], row["method"], card.reference)
        await events.record(FORGET_WANTED, subject_id=unwanted_id)


async def delete(customer_id: uuid.UUID, method_id: uuid.UUID) -> None:
    """Gone at once; a worker asks the gateway to forget it. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        if not await _delete("customer_id = $1 AND id = $2", customer_id, method_id):
            raise not_found("saved payment method", ["id"])


async def delete_all_of(customer_ids: Sequence[uuid.UUID]) -> None:
    """In the open unit of work: for accounts that are being erased."""
    await _delete("customer_id = ANY($1::uuid[])", list(customer_ids))


async def forget(method_id: uuid.UUID) -> None:
    """Ask the gateway to keep a deleted method no longer; one that was saved again meanwhile it goes on keeping.

    Raises:
        GatewayUnavailableError: ask again later.
    """
    row = await db.fetchrow(
        """
        SELECT m.gateway, m.reference, EXISTS (
            SELECT FROM saved_payment_methods o
            WHERE o.gateway = m.gateway AND o.reference = m.reference AND o.deleted_at IS NULL
        ) AS is_kept
        FROM saved_payment_methods m WHERE m.id = $1 AND m.deleted_at IS NOT NULL
        """,
        method_id,
    )
    if row is None:
        return
    if not row["is_kept"]:
        gateway = service.gateway_named(row["gateway"])
        await service.asked_of(gateway.name, "forget", gateway.forget(row["reference"]))
    await db.execute("DELETE FROM saved_payment_methods WHERE id = $1 AND deleted_at IS NOT NULL", method_id)


async def _delete(which: str, *arguments: object) -> int:
    rows = await db.fetch(
        f"""
        UPDATE saved_payment_methods SET deleted_at = business_now()
        WHERE {which} AND deleted_at IS NULL RETURNING id
        """,
        *arguments,
    )
    for row in rows:
        await events.record(FORGET_WANTED, subject_id=row["id"])
    return len(rows)


def _saved(row: db.Record) -> SavedMethod:
    return SavedMethod(**{**row, "method": PaymentMethod(row["method"])})
