"""Draft orders for staff."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.assisted import completing, queries, service
from app.assisted.models import DraftKind, DraftState
from app.kit import ids
from app.kit.pagination import page_request
from app.payments.models import PaymentMethod
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.assisted.inputs import DraftOrderInput
from schema.assisted.types import DRAFT_PREFIX, DraftOrder, DraftOrderDeletePayload, DraftOrderPayload
from schema.connections import Connection
from schema.context import Info
from schema.money import MoneyInput
from schema.nodes import Node, node_loader
from schema.selection import Selection

_WRITE = STAFF(Permission.DRAFT_ORDERS_WRITE)
DraftId = Annotated[strawberry.ID, strawberry.argument(description="Id of the draft order.")]


@strawberry.input(description="What goes with the link.")
class DraftOrderSendInput:
    id: strawberry.ID = strawberry.field(description="The draft order, or the quotation.")
    days_good: int | None = strawberry.field(
        default=strawberry.UNSET, description="Days until it expires, from 1 to 365; left out, 14."
    )
    message: str | None = strawberry.field(
        default=strawberry.UNSET, description="Words for the mail, such as terms; up to 2,000 characters."
    )


@strawberry.input(description="How an order is settled that no gateway is asked for.")
class DraftOrderMarkCompleteInput:
    id: strawberry.ID = strawberry.field(description="The draft order.")
    paid_by: PaymentMethod | None = strawberry.field(
        default=strawberry.UNSET,
        description="How the money came in: in cash, by transfer, by a card of the shop's own terminal; left out where "
        "it is still due.",
    )
    amount: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="How much of it has come in, such as the deposit, with `paidBy`; left out, all of it.",
    )
    days_to_pay: int | None = strawberry.field(
        default=strawberry.UNSET, description="When what is due has to be paid, in days; left out, as the draft says."
    )


@strawberry.type
class DraftOrderQueries:
    @query(access=_WRITE, description="Draft orders and quotations, the newest first.")
    async def draft_orders(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        kind: Annotated[
            DraftKind | None, strawberry.argument(description="Only those that came about so.")
        ] = strawberry.UNSET,
        state: Annotated[
            DraftState | None, strawberry.argument(description="Only those in this state.")
        ] = strawberry.UNSET,
    ) -> Connection[DraftOrder]:
        page = await queries.page(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR),
            kind=kind or None,
            state=state or None,
            count="totalCount" in Selection.of(info),
        )
        return Connection[DraftOrder].of(page, [DraftOrder.of(draft, for_staff=True) for draft in page.items])


@strawberry.type
class DraftOrderMutations:
    @mutation(
        access=_WRITE,
        description="Write an order for somebody, at today's prices or at negotiated ones. Nobody hears of it yet.",
    )
    async def draft_order_create(
        self, info: Info, input: Annotated[DraftOrderInput, strawberry.argument(description="What is written.")]
    ) -> DraftOrderPayload:
        content, currencies = input.parsed()
        staff = info.context.staff
        draft_id = await service.create(
            DraftKind.DRAFT,
            DraftState.OPEN,
            content,
            currencies=currencies,
            created_by=staff.id if staff else None,
        )
        return await _payload(draft_id)

    @mutation(
        access=_WRITE,
        description="Write it anew, as a whole, at today's prices or at negotiated ones; a quotation that was asked "
        "for gets its prices so. What was sent cannot be placed then until it is sent again.",
    )
    async def draft_order_update(
        self,
        info: Info,
        id: DraftId,
        input: Annotated[DraftOrderInput, strawberry.argument(description="All of it.")],
    ) -> DraftOrderPayload:
        draft_id = ids.decode(DRAFT_PREFIX, id, ["id"])
        content, currencies = input.parsed()
        await service.update(draft_id, content, currencies)
        return await _payload(draft_id)

    @mutation(access=_WRITE, description="Forget a draft that has not become an order. Its link opens nothing then.")
    async def draft_order_delete(self, info: Info, id: DraftId) -> DraftOrderDeletePayload:
        await service.delete(ids.decode(DRAFT_PREFIX, id, ["id"]))
        return DraftOrderDeletePayload(deleted_id=id)

    @mutation(
        access=_WRITE,
        description="Mail the link with which it is placed and paid for, at exactly this price, until it expires. Sent "
        "again, the time begins anew. Of one that is an order already, the link is to pay what is left.",
    )
    async def draft_order_send(
        self, info: Info, input: Annotated[DraftOrderSendInput, strawberry.argument(description="What goes with it.")]
    ) -> DraftOrderPayload:
        draft_id = ids.decode(DRAFT_PREFIX, input.id, ["input", "id"])
        days = None if input.days_good is strawberry.UNSET else input.days_good
        await service.send(draft_id, days_good=days, reply=input.message or None)
        return await _payload(draft_id)

    @mutation(
        access=_WRITE,
        description="Place it without asking a gateway: it was paid by hand, or will be. What is still due is noted "
        "with orderManualPaymentCreate or orderMarkAsPaid.",
    )
    async def draft_order_mark_complete(
        self,
        info: Info,
        input: Annotated[DraftOrderMarkCompleteInput, strawberry.argument(description="How it is settled.")],
    ) -> DraftOrderPayload:
        draft_id = ids.decode(DRAFT_PREFIX, input.id, ["input", "id"])
        days = None if input.days_to_pay is strawberry.UNSET else input.days_to_pay
        amount = input.amount.parsed(["input", "amount", "amount"]) if input.amount else None
        await completing.settle_by_hand(draft_id, paid_by=input.paid_by or None, days_to_pay=days, amount=amount)
        return await _payload(draft_id)


async def _payload(draft_id: uuid.UUID) -> DraftOrderPayload:
    draft = (await queries.by_ids([draft_id])).get(draft_id)
    return DraftOrderPayload(draft_order=DraftOrder.of(draft, for_staff=True) if draft else None)


@node_loader(DRAFT_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    """For staff, and the account that one was sent to."""
    wanted = [ids.decode(DRAFT_PREFIX, text, ["id"]) for text in texts]
    staff, own = info.context.staff, info.context.customer
    all_of_them = staff is not None and staff.may(Permission.DRAFT_ORDERS_WRITE)
    found = await queries.by_ids(wanted) if all_of_them or own else {}
    shown = {
        draft.id: DraftOrder.of(draft, for_staff=all_of_them)
        for draft in found.values()
        if all_of_them or (own is not None and draft.is_shown_to(own.id))
    }
    return [shown.get(draft_id) for draft_id in wanted]
