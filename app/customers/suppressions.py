"""Addresses that get no marketing from anything: they bounced, complained, were erased, or their provider said no."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.customers.addresses import address_hashes
from app.customers.models import SuppressionReason
from app.errors import not_found
from app.kit.ids import new_id
from app.messaging.models import MessageChannel

MAX_DETAIL_CHARS = 200


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    id: uuid.UUID
    channel: MessageChannel
    address: str | None
    """None after an erasure: then only the hash is left."""
    reason: SuppressionReason
    detail: str | None
    created_at: datetime
    lifted_at: datetime | None


COLUMNS = "id, channel, address, reason, detail, created_at, lifted_at"


def row_of(record: db.Record) -> SuppressionRow:
    return SuppressionRow(
        id=record["id"],
        channel=MessageChannel(record["channel"]),
        address=record["address"],
        reason=SuppressionReason(record["reason"]),
        detail=record["detail"],
        created_at=record["created_at"],
        lifted_at=record["lifted_at"],
    )


def channels_of(channel: MessageChannel) -> list[MessageChannel]:
    """Where a suppression counts for this channel: texts and calls go to one number."""
    if channel is MessageChannel.EMAIL:
        return [MessageChannel.EMAIL]
    return [MessageChannel.SMS, MessageChannel.VOICE]


async def add(
    channel: MessageChannel, address: str, reason: SuppressionReason, detail: str | None = None
) -> uuid.UUID | None:
    """Suppress an address, in the open unit of work; None when it is suppressed for this reason already.

    Args:
        address: normalised: a lower-cased email counts as the same one, a number is E.164.
        detail: the provider's code or staff's note; no personal data.
    """
    hashes = address_hashes(channel, address)
    suppression_id: uuid.UUID | None = await db.fetchval(
        """
        INSERT INTO suppressions (id, channel, address, address_hash, reason, detail, created_at)
        SELECT $1, $2::text, $3, $4::bytea, $5::text, $6, business_now()
        WHERE NOT EXISTS (SELECT FROM suppressions WHERE channel = $2::text AND address_hash = ANY($7::bytea[])
                                                         AND reason = $5::text AND lifted_at IS NULL)
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        new_id(),
        channel,
        None if reason is SuppressionReason.ERASED else address,
        hashes[0],
        reason,
        detail[:MAX_DETAIL_CHARS] if detail else None,
        hashes,
    )
    return suppression_id


async def add_by_staff(channel: MessageChannel, address: str, note: str | None) -> SuppressionRow:
    """The suppression that counts from now on; the one that is there already, if any."""
    async with db.unit_of_work():
        await add(channel, address, SuppressionReason.STAFF, note)
        record = await db.fetchrow(
            f"""
            SELECT {COLUMNS} FROM suppressions
            WHERE channel = $1 AND address_hash = ANY($2::bytea[]) AND reason = 'STAFF' AND lifted_at IS NULL
            """,
            channel,
            address_hashes(channel, address),
        )
    if record is None:
        raise RuntimeError("a suppression was lifted in the moment it was made")
    return row_of(record)


async def find(channel: MessageChannel, address: str) -> SuppressionReason | None:
    """The first reason why this address gets no marketing; None when there is none."""
    reason: str | None = await db.fetchval(
        """
        SELECT reason FROM suppressions
        WHERE channel = ANY($1) AND address_hash = ANY($2::bytea[]) AND lifted_at IS NULL
        ORDER BY created_at, id LIMIT 1
        """,
        channels_of(channel),
        address_hashes(channel, address),
    )
    return SuppressionReason(reason) if reason else None


async def reasons(channel: MessageChannel, address: str) -> set[SuppressionReason]:
    rows = await db.fetch(
        """
        SELECT DISTINCT reason FROM suppressions
        WHERE channel = ANY($1) AND address_hash = ANY($2::bytea[]) AND lifted_at IS NULL
        """,
        channels_of(channel),
        address_hashes(channel, address),
    )
    return {SuppressionReason(row["reason"]) for row in rows}


async def lift(suppression_id: uuid.UUID) -> SuppressionRow:
    """End a suppression: an act of staff. Lifting it twice changes nothing.

    Raises:
        DomainError: NOT_FOUND.
    """
    record = await db.fetchrow(
        f"""
        UPDATE suppressions SET lifted_at = coalesce(lifted_at, business_now()) WHERE id = $1 RETURNING {COLUMNS}
        """,
        suppression_id,
    )
    if record is None:
        raise not_found("suppression", ["id"])
    return row_of(record)


async def lift_by_receiver(channel: MessageChannel, address: str, reason: SuppressionReason) -> None:
    """End what only its receiver could end without staff: they told the provider START, or signed up anew after an
    erasure. Bounces and complaints are never lifted this way."""
    if reason not in (SuppressionReason.PROVIDER_UNSUBSCRIBED, SuppressionReason.ERASED):
        raise ValueError(f"{reason} is for staff to lift")
    await db.execute(
        """
        UPDATE suppressions SET lifted_at = business_now()
        WHERE channel = ANY($1) AND address_hash = ANY($2::bytea[]) AND reason = $3 AND lifted_at IS NULL
        """,
        channels_of(channel),
        address_hashes(channel, address),
        reason,
    )


async def forget(channel: MessageChannel, address: str) -> None:
    """Keep the hash, not the address nor what was said of it, of whatever is on the list."""
    await db.execute(
        """
        UPDATE suppressions SET address = NULL, detail = NULL
        WHERE channel = ANY($1) AND address_hash = ANY($2::bytea[])
        """,
        channels_of(channel),
        address_hashes(channel, address),
    )
