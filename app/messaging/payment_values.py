"""What the templates about an order print of its money: refunds, and where to transfer it to."""

import uuid
from typing import Any, TypedDict

from babel import Locale

from app import db
from app.messaging import formats
from app.messaging.order_values import TotalValues
from app.payments import later, payment_settings, transfers
from app.payments.models import PaymentMethod, RefundSource, RefundTarget


class TransferValues(TypedDict):
    """Whom to transfer what to. Texts may be missing, but not whom to and how much."""

    account_holder: str
    iban: str | None
    bic: str | None
    bank: str | None
    instructions: str | None
    reference: str
    amount: str
    pay_by: str | None


def paid_before(order: Any, locale: Locale) -> list[TotalValues]:
    """What gift cards and store credit pay of an order, by its row, and what is left for the payment."""

    def amount(minor: int) -> str:
        return formats.money_text(minor, order["currency_code"], locale)

    paid = [("Gift card", order["gift_card_minor"]), ("Store credit", order["store_credit_minor"])]
    rows = [TotalValues(label=label, amount=amount(-minor)) for label, minor in paid if minor]
    if rows:
        left = order["total_minor"] - order["gift_card_minor"] - order["store_credit_minor"]
        rows.append(TotalValues(label="Amount due", amount=amount(left)))
    return rows


async def paid_in_part(order: Any, locale: Locale) -> list[TotalValues]:
    """Of an order of which a part is paid, or set aside, such as a deposit: that, and what is left. Empty otherwise."""
    due = order["total_minor"] if order["amount_due_minor"] is None else order["amount_due_minor"]
    owed = (await later.owed_of([order["id"]]))[order["id"]]
    if not 0 < owed < due:
        return []
    paid = formats.money_text(owed - due, order["currency_code"], locale)
    left = formats.money_text(owed, order["currency_code"], locale)
    return [TotalValues(label="Paid", amount=paid), TotalValues(label="Still to pay", amount=left)]


async def refunded(refund_id: uuid.UUID, locale: Locale) -> dict[str, object] | None:
    """Of the mail about a refund; None when there is no such refund."""
    row = await db.fetchrow("SELECT amount_minor, currency_code, target, reason FROM refunds WHERE id = $1", refund_id)
    if row is None:
        return None
    return {
        "amount": formats.money_text(row["amount_minor"], row["currency_code"], locale),
        "reason": row["reason"],
        "money": _where_to(row["target"]),
    }


def _where_to(target: str) -> str:
    if target == RefundTarget.STORE_CREDIT:
        return "It is store credit now, which you can spend with your next order."
    return "It goes back the way it came. Banks take a few days until you see it."


async def edited(edit_id: uuid.UUID, currency: str, locale: Locale) -> dict[str, object] | None:
    """Of the mail about a change of an order; None when there is no such change."""
    row = await db.fetchrow(
        "SELECT total_after_minor, due_before_minor, due_after_minor, refund_minor, reason FROM order_edits "
        "WHERE id = $1",
        edit_id,
    )
    if row is None:
        return None

    def amount(minor: int) -> str:
        return formats.money_text(minor, currency, locale)

    more = row["due_after_minor"] - row["due_before_minor"]
    ends = {1: f"; {amount(more)} more than before is to be paid.", -1: f", {amount(-more)} less than before.", 0: "."}
    money = f"It costs {amount(row['total_after_minor'])} now{ends[(more > 0) - (more < 0)]}"
    if row["refund_minor"]:
        money += f" {amount(row['refund_minor'])} goes back the way you paid; banks take a few days until you see it."
    return {"money": money, "reason": row["reason"]}


async def transfer(order: Any, locale: Locale, time_zone: str) -> TransferValues | None:
    """Of an order that is to be paid by transfer and has not been; None for any other.

    Args:
        order: its row.
    """
    owed = await transfers.owed(order)
    if owed is None:
        return None
    settings = await payment_settings.current()
    return TransferValues(
        account_holder=settings.bank_account_holder or "",
        iban=formats_iban(settings.bank_iban),
        bic=settings.bank_bic,
        bank=settings.bank_name,
        instructions=settings.bank_instructions,
        reference=str(order["number"]),
        amount=formats.money_text(owed.amount_minor, order["currency_code"], locale),
        pay_by=formats.day_text(owed.pay_by, time_zone, locale),
    )


def formats_iban(iban: str | None) -> str | None:
    """In groups of four, as ISO 13616 has it on paper."""
    return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4)) if iban else None


async def of_cancellation(order: Any, locale: Locale) -> str | None:
    """What the mail about a cancelled order says of its money, or None. It is the only mail about a refund that the
    cancelling led to."""
    money = await db.fetchrow(
        """
        SELECT r.amount_minor, r.currency_code, r.target,
               EXISTS (SELECT FROM payments WHERE order_id = $1 AND captured_minor > 0) AS was_paid
        FROM (SELECT) AS one LEFT JOIN LATERAL (
            SELECT * FROM refunds WHERE order_id = $1 AND source = $2 ORDER BY id DESC LIMIT 1
        ) r ON true
        """,
        order["id"],
        RefundSource.CANCELLATION.value,
    )
    if money is not None and money["amount_minor"] is not None:
        amount = formats.money_text(money["amount_minor"], money["currency_code"], locale)
        return f"We give back {amount} of what you have paid. {_where_to(money['target'])}"
    if not order["total_minor"] or (money is not None and money["was_paid"]):
        return None
    if order["payment_method"] == PaymentMethod.CARD:
        return "Your card is not charged: an amount that your bank has set aside is released within a few days."
    if order["payment_method"] in (PaymentMethod.WALLET, PaymentMethod.PAYPAL):
        return "You are not charged: an amount that has been set aside is released within a few days."
    return "You have nothing to pay."
