"""The states and kinds of payments, as clients see them; and whereto money is transferred."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from app.payments import payment_settings, transfers
from app.payments.gateway import PaymentActionType
from app.payments.models import PaymentMethod, PaymentState
from app.payments.payment_settings import PaymentSettings
from schema.enums import describe_enum
from schema.money import Money

describe_enum(
    PaymentMethod,
    "How a shopper pays.",
    CARD="By card, through a payment gateway.",
    WALLET="By a wallet of the device or the browser (Apple Pay, Google Pay, Link), through a payment gateway.",
    PAYPAL="With PayPal.",
    CASH_ON_DELIVERY="To whoever brings the goods.",
    BANK_TRANSFER="By a transfer to the shop's account, before the goods leave.",
    PURCHASE_ORDER="On a company's account, later.",
)
describe_enum(
    PaymentState,
    "Where a payment is in its life.",
    PENDING="To be collected, or not decided by the gateway yet.",
    REQUIRES_ACTION="The shopper has to confirm it with their bank.",
    AUTHORIZED="The money is set aside for the shop.",
    CAPTURING="The goods have left; the gateway is asked for the money.",
    PARTIALLY_CAPTURED="The shop has a part of the money, and the rest is set aside.",
    CAPTURED="The shop has the money.",
    FAILED="Declined.",
    VOIDING="To be given back; the gateway is asked until it confirms.",
    VOIDED="Given back; nothing was or will be taken.",
)
describe_enum(
    PaymentActionType,
    "What kind of thing the shopper has to do.",
    REDIRECT="Open `url`; it comes back to the payment's `returnUrl`.",
    CLIENT_SECRET="Confirm with `clientSecret` in the gateway's own form in the client.",  # noqa: S106
)


@strawberry.type(description="The shop's account, for payments by transfer.")
class BankAccount:
    account_holder: str = strawberry.field(description="Whom to transfer to.")
    iban: str | None = strawberry.field(description="The account (ISO 13616), without spaces.")
    bic: str | None = strawberry.field(description="The bank's code (ISO 9362).")
    bank_name: str | None = strawberry.field(description="The bank.")
    instructions: str | None = strawberry.field(description="What the shop says about it.")

    @classmethod
    def of(cls, settings: PaymentSettings) -> "BankAccount":
        return cls(
            account_holder=settings.bank_account_holder or "",
            iban=settings.bank_iban,
            bic=settings.bank_bic,
            bank_name=settings.bank_name,
            instructions=settings.bank_instructions,
        )


@strawberry.type(description="What is still to be transferred for an order.")
class BankTransfer:
    account: BankAccount = strawberry.field(description="Where to.")
    reference: str = strawberry.field(description="What to give as the reference: the order's number.")
    amount: Money = strawberry.field(description="How much.")
    pay_by: dt.datetime = strawberry.field(description="Until when; then the order is cancelled.")


async def load_transfers(orders: Sequence[Mapping[str, Any]]) -> dict[uuid.UUID, BankTransfer]:
    """By the ids of those of the orders (their rows) that wait for one: a statement, and one more where any does."""
    owed = await transfers.owed_of([order["id"] for order in orders])
    if not owed:
        return {}
    account = BankAccount.of(await payment_settings.current())
    return {
        order["id"]: BankTransfer(
            account=account,
            reference=str(order["number"]),
            amount=Money.of(owed[order["id"]].amount_minor, order["currency_code"]),
            pay_by=owed[order["id"]].pay_by,
        )
        for order in orders
        if order["id"] in owed
    }


__all__ = ["BankAccount", "BankTransfer", "PaymentActionType", "PaymentMethod", "PaymentState", "load_transfers"]
