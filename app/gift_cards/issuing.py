"""Making gift cards: by staff, and for what was sold. What is typed about the recipient is checked here, once."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app import clock, db, events
from app.addresses.contact import normalise_email
from app.errors import CommonErrorCode, DomainError
from app.events import timers
from app.gift_cards import codes, currencies, expiring
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.problems import Problems

MAIL_DUE = "gift_card.mail_due"
"""Event, and timer for a card that is given later: the card is mailed to its recipient."""
MAX_NAME_CHARS = 120
MAX_MESSAGE_CHARS = 1_000
MAX_NOTE_CHARS = 1_000
MAX_YEARS = 100

_ISSUE = """
    WITH value AS (
        INSERT INTO stored_values (id, kind, status, currency_code, balance_minor, expires_at, created_at, updated_at)
        VALUES ($1, 'GIFT_CARD', 'ACTIVE', $4, $5, $6, business_now(), business_now())
    ), noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, order_id, created_at)
        VALUES ($1, 'ISSUE', $5, $12, business_now())
    )
    INSERT INTO gift_cards (id, code_hash, last_characters, initial_minor, recipient_email, recipient_name, message,
                            note, send_at, order_id, order_line_id, unit_number, created_at)
    VALUES ($1, $2, $3, $5, $7, $8, $9, $10, $11, $12, $13, $14, business_now())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """To whom a card is mailed, with which words; `send_at` is business time, None for at once."""

    recipient_email: str | None = None
    recipient_name: str | None = None
    message: str | None = None
    send_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """Which unit of which order's line a card was sold as, the first being 1."""

    order_id: uuid.UUID
    line_id: uuid.UUID
    unit: int


@dataclass(frozen=True, slots=True)
class Issued:
    """`code` is told now, and never again but by mail to the recipient."""

    id: uuid.UUID
    code: str


def checked_gift(gift: Gift, problems: Problems) -> Gift:
    """Trimmed, with the address as it is written to; notes what is wrong below `input`."""
    email = None
    if gift.recipient_email and gift.recipient_email.strip():
        try:
            email = normalise_email(gift.recipient_email, ["input", "recipientEmail"])
        except DomainError as wrong:
            problems.note(wrong)
    return Gift(
        recipient_email=email,
        recipient_name=problems.line(gift.recipient_name, "recipientName", max_chars=MAX_NAME_CHARS),
        message=problems.text(gift.message, MAX_MESSAGE_CHARS, "message"),
        send_at=gift.send_at,
    )


async def issue_by_staff(amount: Money, gift: Gift, expires_at: datetime | None, note: str | None) -> Issued:
    """Make a card and mail it where it has a recipient.

    Raises:
        DomainErrors: everything that is wrong, below `input`.
    """
    problems, now = Problems(), await clock.now()
    checked = checked_gift(gift, problems)
    checked_note = problems.text(note, MAX_NOTE_CHARS, "note")
    if amount.amount_minor <= 0:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A gift card is worth something.", "amount")
    if wrong := await currencies.problem_with(amount):
        problems.note(wrong)
    if expires_at is not None and expires_at <= now:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "The end lies in the past.", "expiresAt")
    if gift.send_at is not None and checked.recipient_email is None and not gift.recipient_email:
        problems.add(CommonErrorCode.REQUIRED, "An address to send it to is needed.", "recipientEmail")
    for name, moment in (("expiresAt", expires_at), ("sendAt", gift.send_at)):
        if moment is not None and moment.year > now.year + MAX_YEARS:
            problems.add(CommonErrorCode.OUT_OF_RANGE, f"At most {MAX_YEARS} years from now.", name)
    problems.raise_if_any()
    async with db.unit_of_work():
        return await issue(amount, checked, expires_at=expires_at, note=checked_note)


async def issue(
    amount: Money,
    gift: Gift,
    *,
    expires_at: datetime | None = None,
    note: str | None = None,
    sold: Sold | None = None,
) -> Issued:
    """Make a card of checked values in the open unit of work.

    Args:
        sold: the unit that it was sold as; a second card for it breaks a constraint.
    """
    db.current_unit_of_work()
    card_id = new_id()
    code = codes.new_code(card_id)
    await db.execute(
        _ISSUE,
        card_id,
        codes.hash_of(code),
        code[-4:],
        amount.currency,
        amount.amount_minor,
        expires_at,
        gift.recipient_email,
        gift.recipient_name,
        gift.message,
        note,
        gift.send_at,
        sold.order_id if sold else None,
        sold.line_id if sold else None,
        sold.unit if sold else None,
    )
    if expires_at is not None:
        await expiring.watch(card_id, expires_at)
    if gift.recipient_email is not None:
        await _mail(card_id, gift.send_at)
    return Issued(card_id, code)


async def _mail(card_id: uuid.UUID, send_at: datetime | None) -> None:
    if send_at is not None and send_at > await clock.now():
        await timers.schedule(MAIL_DUE, subject_id=card_id, due_at=send_at)
    else:
        await events.record(MAIL_DUE, subject_id=card_id)
