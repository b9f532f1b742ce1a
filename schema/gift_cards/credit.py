"""Store credit: granted and taken by staff, made of gift cards and seen by its customer."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app import db
from app.errors import CommonErrorCode, DomainError
from app.gift_cards import managing, queries, redeeming
from app.kit import ids
from app.kit.money import Money
from app.staff.permissions import Permission
from schema.access import CUSTOMER, STAFF, mutation
from schema.context import Info
from schema.gift_cards.types import ACCOUNT_PREFIX, StoreCreditAccount, StoreCreditPayload
from schema.money import MoneyInput
from schema.nodes import Node, node_loader
from schema.selection import Selection


@strawberry.input(description="A change of what the shop owes a customer.")
class StoreCreditInput:
    customer_id: strawberry.ID = strawberry.field(description="Whose account.")
    amount: MoneyInput = strawberry.field(description="Above zero, in a currency of the shop.")
    reason: str = strawberry.field(description="For the ledger, which the customer sees, up to 500 characters.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Calls for a customer with the same key, up to 100 characters, count once.",
    )


Change = Annotated[StoreCreditInput, strawberry.argument(description="Whose, how much, and why.")]


@strawberry.type
class StoreCreditMutations:
    @mutation(access=STAFF(Permission.GIFT_CARDS_WRITE), description="Owe a customer more.")
    async def store_credit_grant(self, info: Info, input: Change) -> StoreCreditPayload:
        return await _payload(info, await managing.grant_credit(*_given(input)))

    @mutation(access=STAFF(Permission.GIFT_CARDS_WRITE), description="Owe a customer less; never less than nothing.")
    async def store_credit_debit(self, info: Info, input: Change) -> StoreCreditPayload:
        return await _payload(info, await managing.debit_credit(*_given(input)))

    @mutation(
        access=CUSTOMER,
        description="Turn what is left on a gift card into one's own store credit, which needs no code any more. What "
        "checkouts hold of it stays theirs. Of a card that ends, what is left of the credit ends when the card would "
        "have; it is spent first. Who tries too many codes that do not exist hears RATE_LIMITED for a while.",
    )
    async def gift_card_redeem(
        self, info: Info, code: Annotated[str, strawberry.argument(description="In any case, with or without hyphens.")]
    ) -> StoreCreditPayload:
        customer = info.context.customer
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        return await _shown(info, await redeeming.redeem(code, customer.id, info.context.client_address))


def _given(input: StoreCreditInput) -> tuple[uuid.UUID, Money, str, str | None]:
    customer_id = ids.decode("cus", input.customer_id, ["input", "customerId"])
    amount = input.amount.parsed(["input", "amount", "amount"])
    return customer_id, amount, input.reason, input.idempotency_key or None


async def _payload(info: Info, account_id: uuid.UUID) -> StoreCreditPayload:
    """To change a balance is not to read it."""
    staff = info.context.staff
    if staff is None or not staff.may(Permission.GIFT_CARDS_READ):
        return StoreCreditPayload()
    return await _shown(info, account_id)


async def _shown(info: Info, account_id: uuid.UUID) -> StoreCreditPayload:
    rows = (await queries.accounts_by_ids([account_id])).values()
    shown = await show_accounts(list(rows), Selection.of(info).below("account"))
    return StoreCreditPayload(account=shown[account_id])


async def show_accounts(rows: Sequence[db.Record], selection: Selection) -> dict[uuid.UUID, StoreCreditAccount]:
    """By id; one statement more where the ledger is asked for."""
    wanted = [row["id"] for row in rows] if "entries" in selection else []
    entries = await queries.entries_of(wanted) if wanted else {}
    return {row["id"]: StoreCreditAccount.of(row, entries.get(row["id"], [])) for row in rows}


@node_loader(ACCOUNT_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    """One's own, and for staff who may see store credit, everybody's."""
    wanted = [ids.decode(ACCOUNT_PREFIX, text, ["id"]) for text in texts]
    own, staff = info.context.customer, info.context.staff
    all_of_them = staff is not None and staff.may(Permission.GIFT_CARDS_READ)
    rows = (await queries.accounts_by_ids(wanted)).values()
    seen = [row for row in rows if all_of_them or (own is not None and own.id == row["customer_id"])]
    found = await show_accounts(seen, selection)
    return [found.get(account_id) for account_id in wanted]
