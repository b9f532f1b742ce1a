"""The append-only ledger of what was asked of gateways."""

import uuid

from app import db
from app.kit.ids import new_id


async def note(
    payment_id: uuid.UUID,
    kind: str,
    amount_minor: int,
    *,
    reference: str | None = None,
    failure_code: str | None = None,
) -> None:
    """Write down an answer, in the open unit of work.

    Args:
        kind: AUTHORIZE, CAPTURE, VOID or REFUND.
        reference: the gateway's own id of it; the payment's unless given.
        failure_code: of what was refused.
    """
    db.current_unit_of_work()
    await db.execute(
        """
        INSERT INTO payment_transactions (id, payment_id, kind, succeeded, amount_minor, reference, failure_code,
                                          created_at)
        SELECT $1, id, $3, $6::text IS NULL, $4, coalesce($5, reference), $6, business_now()
        FROM payments WHERE id = $2
        """,
        new_id(),
        payment_id,
        kind,
        amount_minor,
        reference,
        failure_code and failure_code[:80],
    )
