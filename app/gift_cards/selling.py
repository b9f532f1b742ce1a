"""Gift cards as goods: once their order is paid, every unit is a card of the line's own price, in the order's currency.

The price before any discount, since none touches such a line (`app.cart.costs`), and money alone has paid for it. Whom
a card is for, the line's attributes say: `recipientEmail`, `recipientName`, `message` and `sendAt`; without a recipient
it is mailed to whoever bought it.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from app import clock, db, events
from app.addresses.contact import normalise_email
from app.errors import CommonErrorCode, DomainError
from app.gift_cards import freezing, issuing
from app.gift_cards.issuing import MAX_MESSAGE_CHARS, MAX_NAME_CHARS, Gift, Sold
from app.kit.money import Money
from app.kit.text import check_text
from app.payments.models import RefundSource

ISSUE_DUE = freezing.ISSUE_DUE
BATCH = 50
"""Cards that one transaction issues."""
RECIPIENT, NAME, MESSAGE, SEND_AT = "recipientEmail", "recipientName", "message", "sendAt"
MAX_DAYS_AHEAD = 366

_IS_SOLD = "SELECT EXISTS (SELECT FROM order_lines WHERE order_id = $1 AND product_kind = 'GIFT_CARD')"
# The order's lock: two handlers of the same order would issue the same units, and one of them fail.
_ORDER = "SELECT id, email, currency_code, status, payment_status, holds FROM orders WHERE id = $1 FOR NO KEY UPDATE"
# Units whose price is on its way back, or has gone, are not issued, the last ones of each line. Where nothing of
# the order stays paid, or its payment is disputed, none is.
_UNITS = """
    WITH refunded AS (
        SELECT (g ->> 'order_line_id')::uuid AS line_id, sum((g ->> 'quantity')::int)::int AS units
        FROM refunds r CROSS JOIN jsonb_array_elements(r.lines) g
        WHERE r.order_id = $1 AND r.state <> 'FAILED' GROUP BY 1
    ), waiting AS (
        SELECT l.id, l.position, l.unit_price_minor, l.attributes, unit.number,
               row_number() OVER (PARTITION BY l.id ORDER BY unit.number) AS place,
               count(*) OVER (PARTITION BY l.id) AS units,
               coalesce(refunded.units, 0) - (
                   SELECT count(*) FROM gift_cards c JOIN refunds r ON r.id = c.frozen_by AND r.state <> 'FAILED'
                   WHERE c.order_line_id = l.id AND r.lines <> '[]'::jsonb
               ) AS not_to_issue
        FROM order_lines l CROSS JOIN LATERAL generate_series(1, l.quantity) AS unit (number)
        LEFT JOIN refunded ON refunded.line_id = l.id
        WHERE l.order_id = $1 AND l.product_kind = 'GIFT_CARD' AND l.unit_price_minor > 0 AND NOT EXISTS (
            SELECT FROM gift_cards g WHERE g.order_line_id = l.id AND g.unit_number = unit.number
        )
    )
    SELECT id, unit_price_minor, attributes, number FROM waiting
    WHERE place <= units - not_to_issue AND NOT EXISTS (
        SELECT FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
        WHERE p.order_id = $1 AND d.state <> 'WON'
    ) AND coalesce((
        SELECT sum(part.amount_minor) < (SELECT sum(p.captured_minor) FROM payments p WHERE p.order_id = $1)
        FROM refunds r JOIN refund_parts part ON part.refund_id = r.id AND part.state <> 'FAILED' WHERE r.order_id = $1
    ), true)
    ORDER BY position, number LIMIT $2
"""
CONDITIONS = frozenset({"DEPOSIT", "GUARANTEE"})
"""Holds of an order that keep its cards back, as they keep goods back."""
_PAID = ("PAID", "PARTIALLY_REFUNDED")
"""Of an order that was paid for once. What of it is refunded, `_UNITS` knows."""
_SWITCH_OFF = """
    UPDATE stored_values SET status = 'DISABLED', updated_at = business_now()
    WHERE id = ANY($1) AND status = 'ACTIVE'
"""
# What was switched off with the request counts, and so do units that are not issued: they will not be. Whole cards
# before begun ones: what was refunded is what nobody has spent.
_OF_LINE = """
    SELECT g.id FROM gift_cards g JOIN stored_values s ON s.id = g.id
    WHERE g.order_line_id = $1 AND s.status = 'ACTIVE'
    ORDER BY s.balance_minor < g.initial_minor, g.unit_number DESC
    LIMIT greatest(0, $2::int - (SELECT count(*) FROM gift_cards c WHERE c.order_line_id = $1 AND c.frozen_by = $3) - (
        SELECT l.quantity - (SELECT count(*) FROM gift_cards c WHERE c.order_line_id = l.id)
        FROM order_lines l WHERE l.id = $1
    ))
"""


async def is_sold_with(order_id: uuid.UUID) -> bool:
    """Whether an order has any gift card among its lines."""
    found: bool = await db.fetchval(_IS_SOLD, order_id)
    return found


async def issue_sold(order_id: uuid.UUID) -> None:
    """Issue what a paid order's units stand for, some at a time, in the open unit of work. Each unit is issued once."""
    order = await db.fetchrow(_ORDER, order_id)
    if order is None or order["status"] == "CANCELLED" or order["payment_status"] not in _PAID:
        return
    if not CONDITIONS.isdisjoint(order["holds"]):
        return  # whoever releases the last one records ISSUE_DUE
    units, now = await db.fetch(_UNITS, order_id, BATCH + 1), await clock.now()
    for unit in units[:BATCH]:
        gift = gift_of(orjson.loads(unit["attributes"]), order["email"], now)
        amount = Money(unit["unit_price_minor"], order["currency_code"])
        await issuing.issue(amount, gift, sold=Sold(order_id, unit["id"], unit["number"]))
    if len(units) > BATCH:
        await events.record(ISSUE_DUE, subject_id=order_id)


def gift_of(attributes: Sequence[Mapping[str, str]], buyer: str | None, now: datetime) -> Gift:
    """Whom a line's cards are for; what cannot be used is left out, as the order is paid."""
    given = {attribute["key"]: attribute["value"].strip() for attribute in attributes}
    email, send_at = buyer, None
    try:
        email = normalise_email(given[RECIPIENT]) if given.get(RECIPIENT) else buyer
        send_at = _moment(given[SEND_AT]) if given.get(SEND_AT) else None
    except (DomainError, ValueError):
        pass
    return Gift(
        recipient_email=email,
        recipient_name=(given.get(NAME) or "")[:MAX_NAME_CHARS] or None,
        message=(given.get(MESSAGE) or "")[:MAX_MESSAGE_CHARS] or None,
        send_at=send_at if send_at and send_at > now else None,
    )


def problems_of(attributes: Sequence[Mapping[str, str]], now: datetime, at: Sequence[str | int]) -> list[DomainError]:
    """What is wrong with whom a line's cards are for, before anybody pays for them."""
    problems: list[DomainError] = []
    given = {attribute["key"]: attribute["value"] for attribute in attributes}
    if (given.get(RECIPIENT) or "").strip():
        try:
            normalise_email(given[RECIPIENT], [*at])
        except DomainError as wrong:
            problems.append(wrong)
    for name, most in ((NAME, MAX_NAME_CHARS), (MESSAGE, MAX_MESSAGE_CHARS)):
        if wrong_text := check_text(given.get(name) or "", most, at):
            problems.append(wrong_text)
    if given.get(SEND_AT):
        try:
            ahead = (_moment(given[SEND_AT]) - now).days
        except ValueError:
            message = f"{SEND_AT} is a time with its offset, such as 2027-12-24T08:00:00+01:00."
            problems.append(DomainError(CommonErrorCode.INVALID, message, at))
        else:
            if ahead > MAX_DAYS_AHEAD:
                message = "A gift card is mailed within a year."
                problems.append(DomainError(CommonErrorCode.OUT_OF_RANGE, message, at))
    return problems


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return moment


async def switch_off_all(order_id: uuid.UUID) -> None:
    """The order is cancelled: what its cards still hold cannot be spent. In the open unit of work."""
    rows = await db.fetch("SELECT id FROM gift_cards WHERE order_id = $1 ORDER BY id", order_id)
    await _switch_off([row["id"] for row in rows])


async def switch_off_refunded(order_id: uuid.UUID, refund_id: uuid.UUID) -> None:
    """Units were refunded: as many of their line's cards cannot be spent any more, those that nobody has begun first.

    Most of them have been off since the refund was asked for (`freezing`); what is left are refunds that were made at
    the provider's, or asked for by a release that did not do so yet. A refund without lines switches cards off only
    where nothing of the order is left paid.
    """
    refund = await db.fetchrow("SELECT lines, source FROM refunds WHERE id = $1", refund_id)
    lines: list[dict[str, Any]] = orjson.loads(refund["lines"]) if refund else []
    if not lines:
        if await db.fetchval("SELECT payment_status FROM orders WHERE id = $1", order_id) != "REFUNDED":
            return
        # What a dispute took comes back with the dispute, and what was given back does not, whatever becomes of one.
        if refund is not None and refund["source"] != RefundSource.DISPUTE:
            await freezing.freeze_all(order_id, refund_id)
        await switch_off_all(order_id)
        return
    for line in lines:
        rows = await db.fetch(_OF_LINE, uuid.UUID(line["order_line_id"]), line["quantity"], refund_id)
        await _switch_off([row["id"] for row in rows])


async def _switch_off(card_ids: list[uuid.UUID]) -> None:
    if card_ids:
        await db.execute("SELECT id FROM stored_values WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", card_ids)
        await db.execute(_SWITCH_OFF, card_ids)
