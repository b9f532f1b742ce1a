"""What staff do with cards and accounts that are there: switching off, putting right, mailing once more."""

import uuid
from decimal import Decimal

from app import clock, db, events
from app.addresses.contact import normalise_email
from app.errors import CommonErrorCode, DomainError, not_found
from app.events import timers
from app.gift_cards import credit, currencies
from app.gift_cards.errors import GiftCardErrorCode
from app.gift_cards.issuing import MAIL_DUE
from app.gift_cards.models import EntryKind, ValueKind, ValueStatus
from app.kit.ids import new_id
from app.kit.money import MAX_AMOUNT_MINOR, Money
from app.kit.text import check_text

MAX_REASON_CHARS = 500
MAX_KEY_CHARS = 100

_LOCK = "SELECT id, status, currency_code, balance_minor, expires_at FROM stored_values WHERE id = $1 AND kind = $2 "
_IS_FROZEN = """
    SELECT EXISTS (SELECT FROM refunds r WHERE r.id = g.frozen_by AND r.state = 'PENDING')
        OR EXISTS (SELECT FROM payment_disputes d WHERE d.id = g.frozen_by AND d.state <> 'WON')
    FROM gift_cards g WHERE g.id = $1
"""
MOVE = """
    WITH noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, source_key, reason, created_at)
        VALUES ($1, $2, $3, $4, $5, business_now())
        ON CONFLICT DO NOTHING
        RETURNING stored_value_id, amount_minor
    )
    UPDATE stored_values s SET balance_minor = s.balance_minor + noted.amount_minor, updated_at = business_now()
    FROM noted WHERE s.id = noted.stored_value_id
"""
"""A line of the ledger and what it does to the balance, which is locked; a `source_key` counts once."""


async def switch_card(card_id: uuid.UUID, *, on: bool) -> None:
    """Checkouts that are being paid with it keep what they hold. What staff switch off stays off, whatever becomes of a
    refund that it waits for.

    Raises:
        DomainError: NOT_FOUND; GIFT_CARD_DISABLED for switching on what is being refunded, or disputed.
    """
    async with db.unit_of_work():
        await _locked_card(card_id)
        if await db.fetchval(_IS_FROZEN, card_id):
            if on:
                message = "What was paid for the gift card is on its way back, or disputed; it stays off until then."
                raise DomainError(GiftCardErrorCode.GIFT_CARD_DISABLED, message, ["id"])
            await db.execute("UPDATE gift_cards SET frozen_by = NULL WHERE id = $1", card_id)
        status = ValueStatus.ACTIVE if on else ValueStatus.DISABLED
        await db.execute(
            "UPDATE stored_values SET status = $2, updated_at = business_now() WHERE id = $1 AND status <> $2",
            card_id,
            status.value,
        )


async def adjust_card(card_id: uuid.UUID, delta: Decimal, reason: str | None) -> None:
    """Change a card's balance by an amount of its currency, below zero to take.

    Raises:
        DomainError: NOT_FOUND; INVALID, OUT_OF_RANGE and BALANCE_TOO_LOW at `delta`; REQUIRED or TOO_LONG at `reason`;
            GIFT_CARD_EXPIRED for a card that is over.
    """
    checked_reason = _checked_reason(reason)
    async with db.unit_of_work():
        card = await _locked_card(card_id)
        money = Money.from_decimal(delta, card["currency_code"], ["delta"], negative=True)
        if money.amount_minor == 0:
            raise DomainError(CommonErrorCode.OUT_OF_RANGE, "The balance is to change by something.", ["delta"])
        if card["expires_at"] is not None and card["expires_at"] <= await clock.now():
            raise DomainError(GiftCardErrorCode.GIFT_CARD_EXPIRED, "The gift card is over; issue a new one.", ["id"])
        check_result(card["balance_minor"] + money.amount_minor, "delta")
        await db.execute(MOVE, card_id, EntryKind.ADJUST.value, money.amount_minor, None, checked_reason)


async def resend(card_id: uuid.UUID, recipient_email: str | None) -> None:
    """Mail the code once more, now; to another address where one is given, which is the recipient's from then on.

    Raises:
        DomainError: NOT_FOUND, INVALID_EMAIL and the like, REQUIRED where the card has no recipient,
            GIFT_CARD_DISABLED.
    """
    email = normalise_email(recipient_email, ["recipientEmail"]) if recipient_email else None
    async with db.unit_of_work():
        card = await _locked_card(card_id)
        if card["status"] == ValueStatus.DISABLED:
            raise DomainError(GiftCardErrorCode.GIFT_CARD_DISABLED, "The gift card is switched off.", ["id"])
        kept = await db.fetchval(
            "UPDATE gift_cards SET recipient_email = coalesce($2, recipient_email) WHERE id = $1 "
            "RETURNING recipient_email",
            card_id,
            email,
        )
        if kept is None:
            message = "The card has no recipient; say where to send it."
            raise DomainError(CommonErrorCode.REQUIRED, message, ["recipientEmail"])
        await timers.cancel(MAIL_DUE, subject_id=card_id)
        await events.record(MAIL_DUE, subject_id=card_id)


async def grant_credit(customer_id: uuid.UUID, amount: Money, reason: str | None, key: str | None) -> uuid.UUID:
    """Owe a customer more. Returns the balance's id.

    Args:
        key: calls with the same one count once; None for a new one each time.

    Raises:
        DomainError: NOT_FOUND at `customerId`; OUT_OF_RANGE, REQUIRED, TOO_LONG, INVALID.
    """
    source_key, checked_reason = _checked(customer_id, amount, reason, key)
    if wrong := await currencies.problem_with(amount):
        raise wrong
    async with db.unit_of_work():
        try:
            value_id = await credit.credit(customer_id, amount, checked_reason, source_key)
        except DomainError as unknown:
            raise unknown.under("input") from None
        check_result(await _balance(value_id), "input", "amount")
        return value_id


async def debit_credit(customer_id: uuid.UUID, amount: Money, reason: str | None, key: str | None) -> uuid.UUID:
    """Owe a customer less. As `grant_credit`; and BALANCE_TOO_LOW where it is less than that."""
    source_key, checked_reason = _checked(customer_id, amount, reason, key)
    async with db.unit_of_work():
        value_id = await db.fetchval(
            "SELECT id FROM stored_values WHERE customer_id = $1 AND currency_code = $2 FOR NO KEY UPDATE",
            customer_id,
            amount.currency,
        )
        if value_id is None:
            raise not_found("store credit", ["input", "customerId"])
        if not await db.fetchval("SELECT EXISTS (SELECT FROM stored_value_entries WHERE source_key = $1)", source_key):
            check_result(await _balance(value_id) - amount.amount_minor, "input", "amount")
            minor = -amount.amount_minor
            await db.execute(MOVE, value_id, EntryKind.ADJUST.value, minor, source_key, checked_reason)
        found: uuid.UUID = value_id
        return found


async def _locked_card(card_id: uuid.UUID) -> db.Record:
    row = await db.fetchrow(f"{_LOCK} FOR NO KEY UPDATE", card_id, ValueKind.GIFT_CARD.value)
    if row is None:
        raise not_found("gift card", ["id"])
    return row


async def _balance(value_id: uuid.UUID) -> int:
    minor: int = await db.fetchval("SELECT balance_minor FROM stored_values WHERE id = $1", value_id)
    return minor


def _checked(customer_id: uuid.UUID, amount: Money, reason: str | None, key: str | None) -> tuple[str, str]:
    if amount.amount_minor <= 0:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "The amount is above zero.", ["input", "amount"])
    if key is not None and (wrong := check_text(key, MAX_KEY_CHARS, ["input", "idempotencyKey"])):
        raise wrong
    return f"staff:{customer_id.hex}:{key or new_id().hex}", _checked_reason(reason, "input")


def _checked_reason(reason: str | None, *at: str) -> str:
    trimmed = (reason or "").strip()
    if not trimmed:
        raise DomainError(CommonErrorCode.REQUIRED, "Say why: it stays in the ledger.", [*at, "reason"])
    if wrong := check_text(trimmed, MAX_REASON_CHARS, [*at, "reason"]):
        raise wrong
    return trimmed


def check_result(balance_minor: int, *at: str) -> None:
    """Raises DomainError: BALANCE_TOO_LOW, OUT_OF_RANGE."""
    if balance_minor < 0:
        raise DomainError(GiftCardErrorCode.BALANCE_TOO_LOW, "There is less than that left.", at)
    if balance_minor > MAX_AMOUNT_MINOR:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "The balance would be out of range.", at)
