"""What the gateway `test` keeps: it stands for a provider's own database, which nobody but that gateway touches.

Each change is one conditional statement, as a provider's own would be: captures never exceed what is set aside, refunds
never what was captured, and a key that comes again changes nothing.
"""

import uuid
from datetime import datetime

from app import db
from app.kit.ids import new_id
from app.payments.gateway import Authorisation, GatewayState

AUTHORIZATION_DAYS = 7
"""Business days, as is usual for cards."""

_NOTED = """noted AS (
            INSERT INTO test_gateway_operations (id, idempotency_key, payment_id, kind, amount_minor, state, created_at)
            SELECT gen_random_uuid(), $2, id, '{kind}', $3::bigint, '{state}', $4::timestamptz FROM target
            ON CONFLICT (idempotency_key) DO NOTHING RETURNING payment_id
        )"""


async def open_payment(request: Authorisation, token: str, state: GatewayState) -> db.Record | None:
    """None when the payment was asked for before."""
    return await db.fetchrow(
        f"""
        INSERT INTO test_gateway_payments (id, idempotency_key, token, amount_minor, currency_code, state, return_url,
                                           saves, captured_minor, authorized_until, created_at)
        VALUES ($1, $2, $3, $4::bigint, $5, $6::text, $7, $8,
                CASE WHEN $6::text = 'CAPTURED' THEN $4::bigint ELSE 0 END,
                business_now() + interval '{AUTHORIZATION_DAYS} days', clock_timestamp())
        ON CONFLICT (idempotency_key) DO NOTHING RETURNING *
        """,
        new_id(),
        str(request.payment_id),
        token[:80],
        request.amount_minor,
        request.currency,
        state.value,
        request.return_url,
        request.save,
    )


async def find(payment_id: uuid.UUID) -> db.Record | None:
    """By the shop's id. What was set aside for too long has lapsed."""
    return await db.fetchrow(
        """
        SELECT id, idempotency_key, token, amount_minor, currency_code, return_url, saves, forgotten_at, captured_minor,
               refunded_minor, authorized_until, created_at,
               CASE WHEN state = 'AUTHORIZED' AND authorized_until <= business_now()
                    THEN CASE WHEN captured_minor > 0 THEN 'CAPTURED' ELSE 'VOIDED' END ELSE state END AS state
        FROM test_gateway_payments WHERE idempotency_key = $1
        """,
        str(payment_id),
    )


async def proceed(payment_id: uuid.UUID, *, capture_now: bool) -> None:
    await db.execute(
        """
        UPDATE test_gateway_payments SET state = $2::text,
            captured_minor = CASE WHEN $2::text = 'CAPTURED' THEN amount_minor ELSE 0 END
        WHERE idempotency_key = $1 AND state = 'APPROVED'
        """,
        str(payment_id),
        (GatewayState.CAPTURED if capture_now else GatewayState.AUTHORIZED).value,
    )


async def capture(payment_id: uuid.UUID, key: uuid.UUID, amount_minor: int, *, is_final: bool) -> bool:
    """False when so much is not set aside. Taking it all is final, whatever was said."""
    return await _operate(
        f"""
        WITH target AS (
            SELECT id FROM test_gateway_payments
            WHERE idempotency_key = $1 AND state = 'AUTHORIZED' AND captured_minor + $3::bigint <= amount_minor
              AND (authorized_until IS NULL OR authorized_until > business_now())
            FOR UPDATE
        ), {_NOTED.format(kind="CAPTURE", state="SUCCEEDED")}
        UPDATE test_gateway_payments p SET captured_minor = captured_minor + $3::bigint,
            state = CASE WHEN $5::bool OR captured_minor + $3::bigint = p.amount_minor
                    THEN 'CAPTURED' ELSE 'AUTHORIZED' END
        FROM noted WHERE p.id = noted.payment_id
        """,
        payment_id,
        key,
        amount_minor,
        is_final,
    )


async def refund(payment_id: uuid.UUID, key: uuid.UUID | str, amount_minor: int) -> bool:
    """False when so much was not captured, or has been given back."""
    return await _operate(
        f"""
        WITH target AS (
            SELECT id FROM test_gateway_payments
            WHERE idempotency_key = $1 AND refunded_minor + $3::bigint <= captured_minor AND $5::bool FOR UPDATE
        ), {_NOTED.format(kind="REFUND", state="SUCCEEDED")}
        UPDATE test_gateway_payments p SET refunded_minor = refunded_minor + $3::bigint
        FROM noted WHERE p.id = noted.payment_id
        """,
        payment_id,
        key,
        amount_minor,
        True,
    )


async def _operate(statement: str, payment_id: uuid.UUID, key: uuid.UUID | str, amount: int, flag: bool) -> bool:
    """Whether it is done, now or before under the same key."""
    now = await db.fetchval("SELECT clock_timestamp()")
    if await db.execute(statement, str(payment_id), str(key), amount, now, flag):
        return True
    known: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM test_gateway_operations WHERE idempotency_key = $1)", str(key)
    )
    return known


async def void(payment_id: uuid.UUID) -> GatewayState:
    """The state that it has then. Whatever comes under this key later finds it called off."""
    state: str = await db.fetchval(
        """
        INSERT INTO test_gateway_payments (id, idempotency_key, token, amount_minor, currency_code, state, created_at)
        VALUES ($1, $2, '', 0, 'XXX', 'VOIDED', clock_timestamp())
        ON CONFLICT (idempotency_key) DO UPDATE SET state = CASE
            WHEN test_gateway_payments.state IN ('CAPTURED', 'DECLINED') THEN test_gateway_payments.state
            WHEN test_gateway_payments.captured_minor > 0 THEN 'CAPTURED'
            ELSE 'VOIDED' END
        RETURNING CASE WHEN captured_minor > 0 AND captured_minor < amount_minor THEN 'VOIDED' ELSE state END
        """,
        new_id(),
        str(payment_id),
    )
    return GatewayState(state)


async def refunds(payment_id: uuid.UUID) -> list[db.Record]:
    return await db.fetch(
        """
        SELECT o.id, o.idempotency_key, o.amount_minor, o.state, p.currency_code
        FROM test_gateway_operations o JOIN test_gateway_payments p ON p.id = o.payment_id
        WHERE p.idempotency_key = $1 AND o.kind = 'REFUND' ORDER BY o.created_at, o.id
        """,
        str(payment_id),
    )


async def changed_since(moment: datetime) -> list[uuid.UUID]:
    """The shop's ids of payments that were begun, captured or refunded since then."""
    rows = await db.fetch(
        """
        SELECT idempotency_key FROM test_gateway_payments p
        WHERE created_at >= $1
           OR EXISTS (SELECT FROM test_gateway_operations o WHERE o.payment_id = p.id AND o.created_at >= $1)
        ORDER BY created_at
        """,
        moment,
    )
    return [uuid.UUID(row["idempotency_key"]) for row in rows]


async def saved_token(saved_id: uuid.UUID | None) -> str | None:
    """A saved card goes on as the token did that it was saved with; None for one that is not kept (any more)."""
    token: str | None = await db.fetchval(
        "SELECT token FROM test_gateway_payments WHERE id = $1 AND saves AND forgotten_at IS NULL", saved_id
    )
    return token


async def forget(saved_id: uuid.UUID | None) -> None:
    await db.execute(
        "UPDATE test_gateway_payments SET forgotten_at = clock_timestamp() WHERE id = $1 AND forgotten_at IS NULL",
        saved_id,
    )
