"""Writing draft orders, sending them, and what else staff do with them.

Whoever changes a draft has its cart's row locked, as whoever places its order has. A draft that is being paid for is
left alone: what the buyer confirms with their bank is what they were shown.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from app import db, events
from app.assisted import pricing, queries
from app.assisted.content import DraftContent, check_for_buyer, checked
from app.assisted.errors import DraftOrderErrorCode
from app.assisted.models import DRAFT, DraftKind, DraftState
from app.assisted.queries import TOKEN_PURPOSE, Draft
from app.assisted.shipping import with_store
from app.checkout.errors import in_progress
from app.errors import CommonErrorCode, DomainError, not_found
from app.events import timers
from app.keys import keyring
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.kit.text import check_text
from app.orders import status
from app.orders.errors import OrderErrorCode
from app.payments import later

REQUESTED = "draft_order.requested"
"""Event: a buyer waits for a quotation."""
SENT = "draft_order.sent"
"""Event: whoever it is for is written to."""
EXPIRES = "draft_order.expires"
"""Timer, and the event that it becomes."""
DEFAULT_DAYS_GOOD, MAX_DAYS_GOOD = 14, 365
MAX_WORDS_CHARS = 2_000

_INSERT = """
    WITH cart AS (
        INSERT INTO carts (id, secret_hash, state, currency_code, revision, attributes, customer_id, created_at,
                           updated_at)
        VALUES ($1, $2, 'OPEN', $6, 0, '[]', $9, business_now(), business_now())
    )
    INSERT INTO draft_orders (id, kind, state, content, offer, currency_code, total_minor, email, customer_id,
                              company_id, message, token_hash, created_by, created_at, updated_at)
    VALUES ($1, $3, $4, $5::jsonb, $7::jsonb, $6, $8, $10, $9, $11, $12, $13, $14, business_now(), business_now())
"""
# The cart of a draft that lay about for long may be gone, as abandoned carts go.
_LOCK_CART = """
    INSERT INTO carts AS c (id, secret_hash, state, currency_code, revision, attributes, created_at, updated_at)
    SELECT d.id, $2, 'OPEN', d.currency_code, 0, '[]', business_now(), business_now()
    FROM draft_orders d WHERE d.id = $1
    ON CONFLICT (id) DO UPDATE SET revision = c.revision + 1 WHERE c.state = 'OPEN'
    RETURNING c.id
"""
_BEING_PAID = """
    SELECT EXISTS (
        SELECT FROM checkout_attempts WHERE cart_id = $1 AND state IN ('PROCESSING', 'REQUIRES_ACTION')
    )
"""


async def create(
    kind: DraftKind,
    state: DraftState,
    content: DraftContent,
    *,
    currencies: frozenset[str] = frozenset(),
    created_by: uuid.UUID | None,
    message: str | None = None,
) -> uuid.UUID:
    """Keep a draft at today's prices.

    Args:
        currencies: of the amounts that were written.

    Raises:
        DomainErrors: see `checked` and `pricing.offer`; NOT_FOUND for the customer.
    """
    content = await with_store(await _with_buyer(checked(content)))
    draft_id, market = new_id(), await pricing.market_of(content, currencies)
    offer = await pricing.offer(draft_id, kind, content, market)
    async with db.unit_of_work():
        await db.execute(
            _INSERT,
            draft_id,
            _nobodys_secret(draft_id),
            kind.value,
            state.value,
            offer.content.to_json(),
            offer.market.currency_code,
            offer.order.to_json(),
            offer.order.total_minor,
            content.customer_id,
            content.email,
            content.company_id,
            message,
            hash_token(keyring().derive_token(TOKEN_PURPOSE, draft_id)),
            created_by,
        )
        if state is DraftState.REQUESTED:
            await events.record(REQUESTED, subject_id=draft_id)
    return draft_id


async def update(draft_id: uuid.UUID, content: DraftContent, currencies: frozenset[str] = frozenset()) -> None:
    """Write it anew, at today's prices. What was sent has to be sent again.

    Raises:
        DomainErrors: as `create`; DRAFT_ORDER_NOT_OPEN; IN_PROGRESS while it is being paid for.
    """
    draft = await find(draft_id)
    if draft.state is not DraftState.OPEN:
        _check_move(draft, DraftState.OPEN)
    content = await with_store(await _with_buyer(checked(content)))
    offer = await pricing.offer(draft_id, draft.kind, content, await pricing.market_of(content, currencies))
    async with db.unit_of_work():
        await _lock(draft_id, ["id"])
        moved = await db.execute(
            """
            UPDATE draft_orders
            SET state = 'OPEN', content = $2::jsonb, offer = $3::jsonb, currency_code = $4, total_minor = $5,
                email = $6, customer_id = $7, company_id = $8, updated_at = business_now()
            WHERE id = $1 AND state = ANY($9)
            """,
            draft_id,
            offer.content.to_json(),
            offer.order.to_json(),
            offer.market.currency_code,
            offer.order.total_minor,
            content.email,
            content.customer_id,
            content.company_id,
            [*DRAFT.values_before(DraftState.OPEN), DraftState.OPEN.value],
        )
        if not moved:
            raise _not_open(draft)


async def send(draft_id: uuid.UUID, *, days_good: int | None, reply: str | None) -> None:
    """Mail the link, and let whoever has it place the order until it expires (business time). Of one that is an order
    already, the link is to what it still owes.

    Args:
        reply: the shop's words in the mail.

    Raises:
        DomainErrors: REQUIRED for what a buyer could not pay without; OUT_OF_RANGE, TOO_LONG; DRAFT_ORDER_NOT_OPEN;
            PAYMENT_NOT_DUE for an order that owes nothing.
    """
    problems = Problems()
    days = DEFAULT_DAYS_GOOD if days_good is None else days_good
    if not 1 <= days <= MAX_DAYS_GOOD:
        message = f"A draft order is good for 1 to {MAX_DAYS_GOOD} days."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "daysGood")
    words = problems.text(reply, MAX_WORDS_CHARS, "message")
    problems.raise_if_any()
    draft = await find(draft_id, ["input", "id"])
    if draft.order_id is not None:
        return await _send_rest(draft_id, draft.order_id, words)
    check_for_buyer(draft.content, ships=draft.ships, at=["input", "id"])
    async with db.unit_of_work():
        await _lock(draft_id, ["input", "id"])
        expires_at = await db.fetchval(
            """
            UPDATE draft_orders
            SET state = 'SENT', sent_at = business_now(), days_good = $2::int, reply = $3, updated_at = business_now(),
                expires_at = business_now() + $2::int * interval '1 day'
            WHERE id = $1 AND state = ANY($4) AND offer IS NOT NULL RETURNING expires_at
            """,
            draft_id,
            days,
            words,
            [*DRAFT.values_before(DraftState.SENT), DraftState.SENT.value],
        )
        if expires_at is None:
            raise _not_open(draft, ["input", "id"])
        await timers.schedule(EXPIRES, subject_id=draft_id, due_at=expires_at)
        await events.record(SENT, subject_id=draft_id)


async def _send_rest(draft_id: uuid.UUID, order_id: uuid.UUID, words: str | None) -> None:
    async with db.unit_of_work():
        await status.lock_order(order_id)
        if not (await later.owed_of([order_id]))[order_id]:
            message = "Nothing is left to pay for its order."
            raise DomainError(OrderErrorCode.PAYMENT_NOT_DUE, message, ["input", "id"])
        await db.execute(
            """
            UPDATE draft_orders SET sent_at = business_now(), reply = coalesce($2, reply), updated_at = business_now()
            WHERE id = $1
            """,
            draft_id,
            words,
        )
        await events.record(SENT, subject_id=draft_id)


async def decline(draft: Draft, reason: str | None, field: Sequence[str | int]) -> None:
    """The buyer says no. Raises DomainError: DRAFT_ORDER_NOT_OPEN, TOO_LONG, IN_PROGRESS."""
    words = (reason or "").strip() or None
    if words and (wrong := check_text(words, MAX_WORDS_CHARS, ["reason"])):
        raise wrong
    async with db.unit_of_work():
        await _lock(draft.id, field)
        moved = await db.execute(
            """
            UPDATE draft_orders SET state = 'DECLINED', reply = coalesce($2, reply), updated_at = business_now()
            WHERE id = $1 AND state = ANY($3)
            """,
            draft.id,
            words,
            DRAFT.values_before(DraftState.DECLINED),
        )
        if not moved:
            raise _not_open(draft, field)


async def delete(draft_id: uuid.UUID) -> None:
    """Forget a draft that has not become an order. Raises DomainError: NOT_FOUND, DRAFT_ORDER_NOT_OPEN, IN_PROGRESS."""
    draft = await find(draft_id)
    async with db.unit_of_work():
        await _lock(draft_id, ["id"])
        if not await db.execute("DELETE FROM draft_orders WHERE id = $1 AND state <> 'COMPLETED'", draft_id):
            raise _not_open(draft)


async def expire(draft_id: uuid.UUID) -> None:
    """Its time is over, in the open unit of work. Who is paying at this moment may finish."""
    # Who has read it as good, and has not begun to pay, reads it again.
    await db.execute("UPDATE carts SET revision = revision + 1 WHERE id = $1 AND state = 'OPEN'", draft_id)
    await db.execute(
        """
        UPDATE draft_orders SET state = 'EXPIRED', updated_at = business_now()
        WHERE id = $1 AND state = 'SENT' AND expires_at <= business_now()
        """,
        draft_id,
    )


async def find(draft_id: uuid.UUID, field: Sequence[str | int] = ("id",)) -> Draft:
    """Raises DomainError(NOT_FOUND)."""
    draft = (await queries.by_ids([draft_id])).get(draft_id)
    if draft is None:
        raise not_found("draft order", list(field))
    return draft


async def _lock(draft_id: uuid.UUID, field: Sequence[str | int]) -> None:
    """Nobody changes or places it until the open unit of work ends. Raises DomainError: as above."""
    if await db.fetchval(_LOCK_CART, draft_id, _nobodys_secret(draft_id)) is None:
        raise DomainError(DraftOrderErrorCode.DRAFT_ORDER_NOT_OPEN, "The draft order is an order already.", field)
    if await db.fetchval(_BEING_PAID, draft_id):
        problem = in_progress()
        raise DomainError(problem.code, "The draft order is being paid for.", field)


def _nobodys_secret(draft_id: uuid.UUID) -> bytes:
    """Nobody is told what opens the cart: it is only there to be claimed."""
    return hash_token(keyring().derive_token("draft order's cart", draft_id))


async def _with_buyer(content: DraftContent) -> DraftContent:
    """The account's address and the company's number, where none was written. Raises DomainError(NOT_FOUND)."""
    if content.company_id is not None:
        company = await db.fetchrow("SELECT tax_id FROM companies WHERE id = $1", content.company_id)
        if company is None:
            raise not_found("company", ["input", "companyId"])
        content = replace(content, tax_id=content.tax_id or company["tax_id"])
    if content.customer_id is None:
        return content
    email = await db.fetchval("SELECT email FROM customers WHERE id = $1", content.customer_id)
    if email is None:
        raise not_found("customer", ["input", "customerId"])
    return content if content.email else replace(content, email=email)


def _check_move(draft: Draft, after: DraftState) -> None:
    if not DRAFT.allows(draft.state, after):
        raise _not_open(draft)


def _not_open(draft: Draft, field: Sequence[str | int] = ("id",)) -> DomainError:
    message = f"The draft order is {draft.standing.value}."
    return DomainError(DraftOrderErrorCode.DRAFT_ORDER_NOT_OPEN, message, field)
