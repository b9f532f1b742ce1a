"""Draft orders for whoever has their link."""

import hashlib
from typing import Annotated

import orjson
import strawberry

from app import rate_limit
from app.assisted import completing, queries, requesting, service
from app.assisted.completing import DraftCompletion
from app.checkout.answers import ActionRequired
from app.checkout.requests import check_key
from app.errors import not_found
from app.kit import ids
from app.orders.placing import token_of
from app.staff.permissions import Permission
from schema.access import PUBLIC, mutation, query
from schema.assisted.types import DRAFT_PREFIX, DraftOrder, DraftOrderPayload
from schema.checkout.inputs import PaymentInput, cart_key, plain
from schema.checkout.types import CheckoutCompletePayload, PaymentAction
from schema.context import Info
from schema.errors import UserError
from schema.money import MoneyInput
from schema.orders import OrderView
from schema.selection import Selection

MAX_REQUESTS = 20
"""Quotations that one client asks for in an hour."""
Token = Annotated[str, strawberry.argument(description="From the link.")]


@strawberry.input(description="How what a link offers is placed.")
class DraftOrderCompleteInput:
    token: str = strawberry.field(description="From the link.")
    idempotency_key: str = strawberry.field(
        description="New for every attempt to pay, the same when asking again; see checkoutComplete."
    )
    payment: PaymentInput | None = strawberry.field(
        default=strawberry.UNSET, description="How to pay; needed when something is due."
    )
    expected_total: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the buyer was shown; another total is refused with TOTAL_CHANGED.",
    )

    def parsed(self, info: Info) -> DraftCompletion:
        """Raises DomainErrors."""
        check_key(self.idempotency_key)
        sent = plain(self)
        del sent["idempotency_key"]
        throttle, expected = info.context.throttle, self.expected_total
        return DraftCompletion(
            idempotency_key=self.idempotency_key,
            fingerprint=hashlib.sha256(orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)).digest(),
            payment=self.payment.parsed() if self.payment else None,
            expected_total=expected.parsed(["input", "expectedTotal", "amount"]) if expected else None,
            customer=info.context.customer,
            client=throttle.client if throttle else None,
        )


@strawberry.input(description="What a buyer asks to have quoted.")
class QuotationRequestInput:
    cart_id: strawberry.ID = strawberry.field(description="The cart; it is copied as it stands, and goes on as it is.")
    message: str | None = strawberry.field(
        default=strawberry.UNSET, description="What is wanted, up to 2,000 characters."
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whom to answer; left out, the address of the checkout, cart or account."
    )


@strawberry.type(description="Answer to `quotationRequest`.")
class QuotationRequestPayload:
    quotation_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its id, with which the account that asked finds it under `draftOrder`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class DraftBuyingQueries:
    @query(
        access=PUBLIC,
        description="A draft order or a quotation: with the token from its link; by id for staff, and for the account "
        "that it was sent to. Null for anybody else. Send the token as a variable, in a POST.",
    )
    async def draft_order(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Id of the draft order.")
        ] = strawberry.UNSET,
        token: Annotated[str | None, strawberry.argument(description="From the link.")] = strawberry.UNSET,
    ) -> DraftOrder | None:
        staff, own = info.context.staff, info.context.customer
        if token:
            opened = await queries.by_token(token)
            return DraftOrder.of(opened, for_staff=False) if opened else None
        if not id:
            return None
        draft_id = ids.decode(DRAFT_PREFIX, id, ["id"])
        draft = (await queries.by_ids([draft_id])).get(draft_id)
        for_staff = staff is not None and staff.may(Permission.DRAFT_ORDERS_WRITE)
        if draft is None or not (for_staff or (own is not None and draft.is_shown_to(own.id))):
            return None
        return DraftOrder.of(draft, for_staff=for_staff)


@strawberry.type
class DraftBuyingMutations:
    @mutation(
        access=PUBLIC,
        description="Accept what a link offers, and pay for it: it becomes an order at exactly that price, once, "
        "however often it is asked for. Answers as checkoutComplete does.",
    )
    async def draft_order_complete(
        self,
        info: Info,
        input: Annotated[DraftOrderCompleteInput, strawberry.argument(description="Which, and how it is paid.")],
    ) -> CheckoutCompletePayload:
        view = OrderView.of(info, Selection.of(info).below("order"))
        answer = await completing.complete_by_link(input.token, input.parsed(info))
        if isinstance(answer, ActionRequired):
            action = answer.action
            return CheckoutCompletePayload(
                payment_action=PaymentAction(
                    type=action.type, url=action.url, client_secret=action.client_secret, expires_at=answer.expires_at
                )
            )
        row = answer.order
        # Holds are released behind the order, by the deposit that came with it.
        if row is None or view.payments or row["holds"]:
            row = await view.read(answer.order_id)
        return CheckoutCompletePayload(
            order=await view.show(info, row), order_token=token_of(answer.order_id, row["token_hash"])
        )

    @mutation(
        access=PUBLIC,
        description="Ask the shop for a quotation on a cart. Staff price it and send a link, with which it is accepted "
        "(draftOrderComplete) at exactly that price, or declined, until it expires.",
    )
    async def quotation_request(
        self,
        info: Info,
        input: Annotated[QuotationRequestInput, strawberry.argument(description="What, and for whom.")],
    ) -> QuotationRequestPayload:
        key = cart_key(input.cart_id, ["input", "cartId"])
        if info.context.client_address:
            await rate_limit.allow(
                "quotation_requests", info.context.client_address, limit=MAX_REQUESTS, window_seconds=3600
            )
        quotation_id = await requesting.request(key, input.message or None, input.email or None, info.context.customer)
        return QuotationRequestPayload(quotation_id=strawberry.ID(ids.encode(DRAFT_PREFIX, quotation_id)))

    @mutation(access=PUBLIC, description="Say no to what a link offers.")
    async def draft_order_decline(
        self,
        info: Info,
        token: Token,
        reason: Annotated[
            str | None, strawberry.argument(description="For staff, up to 2,000 characters.")
        ] = strawberry.UNSET,
    ) -> DraftOrderPayload:
        opened = await queries.by_token(token)
        if opened is None:
            raise not_found("draft order", ["token"])
        await service.decline(opened, reason or None, ["token"])
        declined = await queries.by_token(token)
        return DraftOrderPayload(draft_order=DraftOrder.of(declined, for_staff=False) if declined else None)
