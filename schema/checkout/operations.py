"""From a cart to an order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

import strawberry

from app.cart import queries as carts
from app.cart.warnings import CartWarning, WarningCode, market_changed
from app.checkout import completion, own, service
from app.checkout.answers import ActionRequired, Placed
from app.checkout.service import CheckoutKey, DetailsChange
from app.orders.placing import token_of
from schema.access import PUBLIC, mutation, query
from schema.checkout.inputs import (
    CHECKOUT_PREFIX,
    CheckoutCompleteInput,
    CheckoutCreateInput,
    CheckoutUpdateInput,
    cart_key,
    change_of,
    checkout_key,
    chosen_addresses,
)
from schema.checkout.showing import CheckoutView
from schema.checkout.types import Checkout, CheckoutCompletePayload, CheckoutPayload, PaymentAction
from schema.consent_inputs import given_consents, proof_of
from schema.context import Info
from schema.nodes import Node, node_loader
from schema.orders import OrderView
from schema.selection import Selection
from schema.warnings import WarningType


@strawberry.type
class CheckoutQueries:
    @query(access=PUBLIC, description="The checkout with this id; null when there is none.")
    async def checkout(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The checkout's id, its secret included.")],
    ) -> Checkout | None:
        return await CheckoutView.of(Selection.of(info)).load(info, checkout_key(id, ["id"]))


@strawberry.type
class CheckoutMutations:
    @mutation(
        access=PUBLIC,
        description="Note who buys a cart and where to, before the order is placed. A cart has one checkout: made "
        "again, it is the same one, changed.",
    )
    async def checkout_create(
        self,
        info: Info,
        input: Annotated[CheckoutCreateInput, strawberry.argument(description="Which cart, and what is known.")],
    ) -> CheckoutPayload:
        return await _save(info, cart_key(input.cart_id, ["input", "cartId"]), input)

    @mutation(access=PUBLIC, description="Change who buys, where to, and how it is shipped.")
    async def checkout_update(
        self,
        info: Info,
        checkout_id: Annotated[strawberry.ID, strawberry.argument(description="The checkout's id.")],
        input: Annotated[CheckoutUpdateInput, strawberry.argument(description="What changes.")],
    ) -> CheckoutPayload:
        return await _save(info, checkout_key(checkout_id, ["checkoutId"]), input)

    @mutation(
        access=PUBLIC,
        description="Places the order. Works from a bare cart too: a guest can buy in three requests (cartCreate, "
        "shippingQuotes, checkoutComplete). The items are held while the payment is asked for. IN_PROGRESS is the one "
        "refusal to answer with the same request: it ends as the order, or as another refusal.",
    )
    async def checkout_complete(
        self,
        info: Info,
        input: Annotated[CheckoutCompleteInput, strawberry.argument(description="Everything that places an order.")],
    ) -> CheckoutCompletePayload:
        selection = Selection.of(info)
        view = OrderView.of(info, selection.below("order"))
        throttle = info.context.throttle
        request = input.parsed(proof_of(info.context), info.context.customer)
        buying = info.context.buying
        languages = tuple(tag for wish in buying.wishes for tag in wish.languages) if buying else ()
        answer = await completion.complete(
            replace(request, client=throttle.client if throttle else None, languages=languages)
        )
        match answer:
            case ActionRequired(action, expires_at):
                return CheckoutCompletePayload(
                    payment_action=PaymentAction(
                        type=action.type, url=action.url, client_secret=action.client_secret, expires_at=expires_at
                    )
                )
            case Placed() as placed:
                return await _placed(info, view, placed)


async def _placed(info: Info, view: OrderView, placed: Placed) -> CheckoutCompletePayload:
    row = placed.order
    if row is None or view.payments:
        row = await view.read(placed.order_id)
    token = token_of(placed.order_id, row["token_hash"])
    return CheckoutCompletePayload(order=await view.show(info, row), order_token=token)


async def _save(info: Info, key: CheckoutKey, input: CheckoutCreateInput | CheckoutUpdateInput) -> CheckoutPayload:
    view, change = CheckoutView.of(Selection.of(info).below("checkout")), change_of(input)
    customer = info.context.customer
    chosen = await own.addresses(chosen_addresses(input), customer)
    if chosen.shipping_address:
        change["shipping_address"] = chosen.shipping_address
    if chosen.billing_address:
        change["billing_address"] = chosen.billing_address
    consent = given_consents(input.marketing_consent or None, "input", "marketingConsent")
    proof, email = proof_of(info.context), customer.email if customer else None
    throttle = info.context.throttle
    client = throttle.client if throttle else info.context.client_address
    saved = await service.save(key, change, consent, proof, account_email=email, client=client)
    checkout = await view.load(info, CheckoutKey(cart_id=saved.cart_id, secret=key.secret, field=key.field))
    warnings = await _warnings(saved.cart_id, change)
    if saved.refused_to_keep:
        message = "The items are not kept this time: too many checkouts were begun from here."
        warnings.append(WarningType.of(CartWarning(WarningCode.NOT_RESERVED, message)))
    if checkout:
        warnings += [WarningType.of(warning) for warning in checkout.warnings]
    return CheckoutPayload(checkout=checkout, warnings=warnings)


async def _warnings(cart_id: UUID, change: DetailsChange) -> list[WarningType]:
    """An address that the shop does not sell to is kept: it may be corrected, and not everything ships. One in another
    market brings that market's prices."""
    address = change.get("shipping_address")
    if address is None:
        return []
    field = ["input", "shippingAddress", "countryCode"]
    market, is_served = await carts.market_at(cart_id, address.country_code)
    warnings = [market_changed(market, field)] if market else []
    if not is_served:
        warnings.append(CartWarning(WarningCode.COUNTRY_NOT_SERVED, "The shop does not ship to this country.", field))
    return [WarningType.of(warning) for warning in warnings]


@node_loader(CHECKOUT_PREFIX)
async def _checkouts(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    view = CheckoutView.of(selection)
    return [await view.load(info, checkout_key(text, ["id"])) for text in texts]
