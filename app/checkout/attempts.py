"""The life of one attempt to complete a checkout, as rows: claimed, leased, settled. One statement for each step.

Whoever moves an attempt to its end does so on the condition that nobody has before, so any number of processes may try:
the one that holds the lease, a sweeper, a webhook, the shopper who asks again.

The lease says that a process is about to ask the gateway. Without it nobody may conclude that the gateway was never
asked; what the gateway itself says can be acted on by anybody.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db, events
from app.cart import writing as cart_writing
from app.checkout.lease import LEASE_SECONDS
from app.checkout.models import AttemptState
from app.customers.candidates import sql_of_buyer
from app.inventory import reservations
from app.inventory.allocation import Share
from app.kit.ids import new_id
from app.orders.draft import OrderDraft
from app.payments.gateway import KnownPayment
from app.payments.known import known_payment
from app.payments.models import PaymentMethod, PaymentState
from app.payments.saved_methods import Chargeable


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that is not settled, with its payment.

    Attributes:
        hold_until: business time until which the shopper, or the gateway, may take to decide.
        expired: whether that time is over.
        payment: what is asked of the gateway; its amount is the order's amount due.
        saved_reference: of the saved method that is charged, in the place of a token; None where it was deleted.
        saves: whether the account is to keep what is paid with.
        watch_id: the event that watches over it, where this process wrote it.
    """

    id: uuid.UUID
    order: OrderDraft
    payment: KnownPayment
    gateway: str
    token: str
    return_url: str | None
    hold_until: datetime
    saved_reference: str | None = None
    saves: bool = False
    expired: bool = False
    watch_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPayment:
    """What will be asked of the gateway, and under which id."""

    id: uuid.UUID
    gateway: str
    method: PaymentMethod
    token: str | None
    return_url: str | None
    saved: Chargeable | None = None
    saves: bool = False
    purchase_order_number: str | None = None


def _sql_to_claim(cart: str, watched: str = "", standing: str = "cart", keeper: str | None = None) -> str:
    """SQL: begin an attempt on the row of a CTE `cart (id)` that the text `cart` makes: nothing without one, or where
    the key is in use. It says how many attempts, carts and rows of `standing` there were."""
    return f"""
    WITH {cart}, attempt AS (
        INSERT INTO checkout_attempts (id, cart_id, idempotency_key, fingerprint, state, draft, refusal, payment_id,
                                       leased_until, hold_until, created_at, finished_at)
        SELECT $1, cart.id, $4, $5, $6, $7::jsonb, $8::jsonb, $9,
               CASE WHEN $8 IS NULL THEN clock_timestamp() + $10 * interval '1 second' END, $11, business_now(),
               CASE WHEN $8 IS NOT NULL THEN clock_timestamp() END
        FROM cart
        ON CONFLICT DO NOTHING
        RETURNING id, payment_id
    ), {reservations.sql_to_hold("$12", "$11", keeper)}, payment AS (
        INSERT INTO payments (id, attempt_id, gateway, method, amount_minor, currency_code, state, token, return_url,
                              saved_method_id, saves, captured_minor, refunded_minor, created_at, updated_at)
        SELECT payment_id, id, $13, $14, $15, $16, 'PENDING', $17, $18, $19, $20, 0, 0, business_now(), business_now()
        FROM attempt WHERE payment_id IS NOT NULL
    ) {watched}
    SELECT (SELECT count(*) FROM attempt) AS attempts, (SELECT count(*) FROM cart) AS carts,
           (SELECT count(*) FROM {standing}) AS standing
    """


# Nothing is written where the cart has changed since it was read, or where the key is in use. Claiming counts as a
# change of the cart, so that nobody who decided on the cart as it was before goes on with it.
_CLAIM = _sql_to_claim(
    """
    cart AS (
        UPDATE carts SET revision = revision + 1 WHERE id = $2 AND revision = $3 AND state = 'OPEN' RETURNING id
    )""",
    keeper="$21",
)
# The same with the stock locked on the way, cart before levels, and with the event that watches over the attempt.
_CLAIM_AT_ONCE = _sql_to_claim(
    f"""
    standing AS MATERIALIZED (
        SELECT id FROM carts WHERE id = $2 AND revision = $3 AND state = 'OPEN' FOR NO KEY UPDATE
    ), {reservations.sql_to_fit("standing", "$12", "$21")}, cart AS (
        UPDATE carts SET revision = revision + 1 FROM standing, fit WHERE carts.id = standing.id AND fit.all_there
        RETURNING carts.id
    )""",
    f", watched AS ({events.sql_to_watch('attempt', '$22')})",
    "standing",
)
_NO_PAYMENT = (None,) * 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Under which key, and on which state of the cart."""

    cart_id: uuid.UUID
    revision: int
    idempotency_key: str
    fingerprint: bytes


class Contended(Exception):  # noqa: N818 - says to do it step by step, and is no error
    """The stock is not as it was read, or somebody has it locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """What it takes to claim an attempt by one statement, without a transaction around it.

    Attributes:
        levels: how many levels of the stock the shares were found in.
        watch: the event that is to watch over the attempt.
    """

    levels: int
    watch: events.Watch


async def claim(
    claim: Claim,
    order: OrderDraft,
    hold_until: datetime,
    payment: PlannedPayment | None,
    shares: Sequence[Share],
    *,
    checkout_id: uuid.UUID | None = None,
    at_once: AtOnce | None = None,
) -> uuid.UUID | None:
    """Begin an attempt, leased to this process: take the stock, and note the payment that will be asked for.

    Args:
        shares: found in the same unit of work, which has their levels locked; but `at_once`.
        checkout_id: whose units went into the shares, and are its own no more; never `at_once`.
        at_once: outside any unit of work, with the shares from `reservations.shares_at_once`.

    Returns:
        None when it cannot begin; then nothing was written.

    Raises:
        Contended: only `at_once`: somebody is at the same stock, or was there first. Nothing was written.
    """
    planned: tuple[object, ...] = _NO_PAYMENT
    if payment is not None:
        amount = (order.first_payment_minor, order.currency_code)
        saved = (payment.saved and payment.saved.id, payment.saves)
        asked = (payment.token, payment.return_url, *saved)
        planned = (payment.id, payment.gateway, payment.method.value, *amount, *asked)
    return await _claim(
        claim,
        AttemptState.PROCESSING,
        draft=order.to_json(),
        hold_until=hold_until,
        payment=planned,
        shares=shares,
        checkout_id=checkout_id,
        at_once=at_once,
    )


async def claim_refused(claim: Claim, refusal: str) -> bool:
    """Note an answer that was decided before anything was begun. False when it cannot be noted."""
    claimed = await _claim(claim, AttemptState.REFUSED, refusal=refusal)
    return claimed is not None


async def _claim(
    claim: Claim,
    state: AttemptState,
    *,
    draft: str | None = None,
    refusal: str | None = None,
    hold_until: datetime | None = None,
    payment: tuple[object, ...] = _NO_PAYMENT,
    shares: Sequence[Share] = (),
    checkout_id: uuid.UUID | None = None,
    at_once: AtOnce | None = None,
) -> uuid.UUID | None:
    attempt_id = new_id()
    payment_id, *payment_columns = payment
    row = await db.fetchrow(
        _CLAIM_AT_ONCE if at_once else _CLAIM,
        attempt_id,
        claim.cart_id,
        claim.revision,
        claim.idempotency_key,
        claim.fingerprint,
        state.value,
        draft,
        refusal,
        payment_id,
        LEASE_SECONDS,
        hold_until,
        reservations.shares_json(shares),
        *payment_columns,
        *((at_once.levels, at_once.watch.json) if at_once else (checkout_id,)),
    )
    if row is None:
        raise RuntimeError("the claim says nothing")
    if at_once and row["standing"] and not row["carts"]:
        raise Contended
    return attempt_id if row["attempts"] else None


async def load(attempt_id: uuid.UUID) -> tuple[Attempt | None, db.Record]:
    """The attempt while it is unsettled, and its bare row in any case. Raises LookupError when there is none."""
    row = await db.fetchrow(
        """
        SELECT a.id, a.state, a.draft, a.refusal, a.order_id, a.hold_until, a.hold_until <= business_now() AS expired,
               coalesce(a.leased_until > clock_timestamp(), false) AS leased,
               extract(epoch FROM a.leased_until - clock_timestamp())::float8 AS lease_seconds,
               p.id AS payment_id, p.gateway, p.token, p.return_url, p.state AS payment_state, p.action, p.saves,
               p.reference, p.amount_minor, p.currency_code, p.method,
               m.reference AS saved_reference
        FROM checkout_attempts a LEFT JOIN payments p ON p.id = a.payment_id
        LEFT JOIN saved_payment_methods m ON m.id = p.saved_method_id AND m.deleted_at IS NULL
        WHERE a.id = $1
        """,
        attempt_id,
    )
    if row is None:
        raise LookupError("there is no such attempt")
    if row["state"] not in (AttemptState.PROCESSING, AttemptState.REQUIRES_ACTION):
        return None, row
    attempt = Attempt(
        id=row["id"],
        order=OrderDraft.from_json(row["draft"]),
        payment=payment_of(row),
        gateway=row["gateway"],
        token=row["token"] or "",
        return_url=row["return_url"],
        hold_until=row["hold_until"],
        saved_reference=row["saved_reference"],
        saves=row["saves"],
        expired=row["expired"],
    )
    return attempt, row


def payment_of(row: db.Record) -> KnownPayment:
    """Of the row of an attempt that has a payment."""
    return known_payment({**row, "id": row["payment_id"]})


async def id_of_payment(payment_id: uuid.UUID) -> uuid.UUID | None:
    attempt_id: uuid.UUID | None = await db.fetchval("SELECT attempt_id FROM payments WHERE id = $1", payment_id)
    return attempt_id


# --- the end ----------------------------------------------------------------------------------------------------------

_SUCCEED = f"""
    WITH attempt AS (
        UPDATE checkout_attempts
        SET state = 'SUCCEEDED', order_id = $2, draft = NULL, leased_until = NULL, finished_at = clock_timestamp()
        WHERE id = $1 AND state IN ('PROCESSING', 'REQUIRES_ACTION')
        RETURNING id, cart_id, order_id, payment_id
    ), {cart_writing.COMPLETE}, {reservations.SQL_TO_COMMIT}, payment AS (
        UPDATE payments p
        SET order_id = attempt.order_id, state = $3::text, reference = $4, token = NULL, action = NULL,
            captured_minor = CASE WHEN $3::text = 'CAPTURED' THEN amount_minor ELSE 0 END, authorized_until = $6,
            updated_at = business_now()
        FROM attempt WHERE p.id = attempt.payment_id
        RETURNING p.id, p.amount_minor, p.reference
    ), asked AS (
        INSERT INTO payment_transactions (id, payment_id, kind, succeeded, amount_minor, reference, created_at)
        SELECT $5, id, CASE WHEN $3::text = 'CAPTURED' THEN 'CAPTURE' ELSE 'AUTHORIZE' END, true, amount_minor,
               reference, business_now() FROM payment
        WHERE $3::text <> 'PENDING'
    ), buyer AS MATERIALIZED (
        {sql_of_buyer("$7::text", "$8::text", "(SELECT profile_id FROM completed_cart)")}
    )
    SELECT (SELECT profile_id FROM completed_cart) AS cart_profile_id, buyer.* FROM attempt LEFT JOIN buyer ON true
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """What the order needs to know of an attempt that it has just been settled for.

    Attributes:
        cart_profile_id: whom the cart stands for.
        candidates: who may be the buyer, see `sql_of_buyer`; locked behind the cart.
    """

    cart_profile_id: uuid.UUID | None
    candidates: Sequence[db.Record]


async def succeed(
    attempt_id: uuid.UUID,
    order: OrderDraft,
    payment: PaymentState,
    reference: str | None,
    authorized_until: datetime | None = None,
) -> Settled | None:
    """Everything that hangs on the attempt becomes the order's: cart, stock and payment.

    Returns:
        None when the attempt is settled already, and then nothing was written.
    """
    asked = (payment.value, reference, new_id(), authorized_until)
    rows = await db.fetch(_SUCCEED, attempt_id, order.id, *asked, order.email, order.phone)
    if not rows:
        return None
    return Settled(rows[0]["cart_profile_id"], [row for row in rows if row["id"] is not None])


_REFUSE = """
    WITH attempt AS (
        UPDATE checkout_attempts
        SET state = 'REFUSED', refusal = $2::jsonb, draft = NULL, leased_until = NULL, finished_at = clock_timestamp()
        WHERE id = $1 AND state IN ('PROCESSING', 'REQUIRES_ACTION')
        RETURNING payment_id
    ), payment AS (
        UPDATE payments p
        SET state = $3::text, reference = coalesce($4, reference), failure_code = $5::text, token = NULL, action = NULL,
            updated_at = business_now()
        FROM attempt WHERE p.id = attempt.payment_id
        RETURNING p.id, p.amount_minor, p.reference
    ), asked AS (
        INSERT INTO payment_transactions (id, payment_id, kind, succeeded, amount_minor, reference, failure_code,
                                          created_at)
        SELECT $6, id, 'AUTHORIZE', false, amount_minor, reference, $5::text, business_now() FROM payment
        WHERE $3::text = 'FAILED'
    )
    SELECT count(*) FROM attempt
"""


async def refuse(
    attempt_id: uuid.UUID, refusal: str, payment: PaymentState, reference: str | None, failure_code: str | None
) -> bool:
    """Keep the refusal. Stock and money are the caller's to give back, in the same unit of work.

    Returns:
        False when the attempt is settled already; then nothing was written.
    """
    settled = await db.fetchval(
        _REFUSE, attempt_id, refusal, payment.value, reference, failure_code and failure_code[:80], new_id()
    )
    return bool(settled)


async def wait(attempt_id: uuid.UUID, state: AttemptState, reference: str, action: str | None) -> bool:
    """The gateway has the payment and has not decided. Nobody holds the lease then: there is nothing to ask for again.

    Returns:
        False when the attempt is settled already.
    """
    payment = PaymentState.REQUIRES_ACTION if state is AttemptState.REQUIRES_ACTION else PaymentState.PENDING
    waiting = await db.fetchval(
        """
        WITH attempt AS (
            UPDATE checkout_attempts SET state = $2, leased_until = NULL
            WHERE id = $1 AND state IN ('PROCESSING', 'REQUIRES_ACTION') RETURNING payment_id
        ), payment AS (
            UPDATE payments p
            SET state = $3, reference = $4, action = $5::jsonb, token = NULL, updated_at = business_now()
            FROM attempt WHERE p.id = attempt.payment_id
        )
        SELECT count(*) FROM attempt
        """,
        attempt_id,
        state.value,
        payment.value,
        reference,
        action,
    )
    return bool(waiting)
