"""Payments as gateways are asked about them."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app import db
from app.payments.gateway import KnownPayment
from app.payments.models import PaymentMethod

COLUMNS = "id, reference, amount_minor, currency_code, method"
"""Of `payments`, for `known_payment`."""


def of(alias: str) -> str:
    """The same columns of a table's alias."""
    return ", ".join(f"{alias}.{column}" for column in COLUMNS.split(", "))


def begun_at(payment_id: uuid.UUID) -> datetime:
    """Real time, out of the id itself (UUIDv7, RFC 9562): business time may be anywhere in development."""
    return datetime.fromtimestamp((payment_id.int >> 80) / 1000, UTC)


def known_payment(row: Mapping[str, Any]) -> KnownPayment:
    return KnownPayment(
        id=row["id"],
        reference=row["reference"],
        amount_minor=row["amount_minor"],
        currency=row["currency_code"],
        method=PaymentMethod(row["method"]),
        begun_at=begun_at(row["id"]),
    )


async def load(payment_id: uuid.UUID) -> tuple[str, KnownPayment] | None:
    """The payment with its gateway's name; None when there is none."""
    row = await db.fetchrow(f"SELECT gateway, {COLUMNS} FROM payments WHERE id = $1", payment_id)
    return None if row is None else (row["gateway"], known_payment(row))
