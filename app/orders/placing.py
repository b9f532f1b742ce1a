"""Writing an order: one statement for the order and its lines."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from app import db
from app.customers import identification, timeline
from app.customers.identification import Buyer
from app.inventory import reservations
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.orders import status
from app.orders.draft import OrderDraft, discounts_json, lines_json
from app.orders.models import FulfillmentStatus, OrderStatus, PaymentStatus

ORDER_PLACED = "order.placed"
TOKEN_PURPOSE = "order"  # noqa: S105 - names what the token is for

_INSERT = """
    WITH placed AS (
        INSERT INTO orders (
            id, number, attempt_id, cart_id, token_hash, email, phone, status, payment_status, fulfillment_status,
            payment_method, currency_code, subtotal_minor, discount_minor, shipping_minor, tax_minor, tax_included,
            total_minor, shipping_address, billing_address, shipping_quote, note, attributes, discounts, profile_id,
            customer_id, placed_at, updated_at
        ) VALUES (
            $1, nextval('order_numbers'), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
            $17, $18, $19, $20, $21, $22, $24, $25, coalesce(
                (SELECT k.id FROM customers k WHERE k.id = $26),
                (
                    SELECT k.id FROM customers k
                    WHERE lower(k.email) = lower($27) AND k.email_verified_at IS NOT NULL
                )
            ), business_now(), business_now()
        ) RETURNING *
    ), owned AS (
        UPDATE carts SET profile_id = $25 WHERE id = $3 AND profile_id IS NULL AND $25::uuid IS NOT NULL
    ), written AS (
        INSERT INTO order_lines (
            id, order_id, position, product_id, variant_id, product_name, variant_name, sku, image_url,
            selected_options, attributes, quantity, unit_price_minor, subtotal_minor, discount_minor, tax_minor,
            total_minor, weight_grams, requires_shipping, track_inventory, fulfilled_quantity
        )
        SELECT l.id, $1, l.position, l.product_id, l.variant_id, l.product_name, l.variant_name, l.sku, l.image_url,
               l.selected_options, l.attributes, l.quantity, l.unit_price_minor, l.subtotal_minor, l.discount_minor,
               l.tax_minor, l.total_minor, l.weight_grams, l.requires_shipping, l.track_inventory, 0
        FROM jsonb_to_recordset($23::jsonb) AS l (
            id uuid, position int, product_id uuid, variant_id uuid, product_name text, variant_name text, sku text,
            image_url text, selected_options jsonb, attributes jsonb, quantity int, unit_price_minor bigint,
            subtotal_minor bigint, discount_minor bigint, tax_minor bigint, total_minor bigint, weight_grams int,
            requires_shipping bool, track_inventory bool
        )
    )
    SELECT * FROM placed
"""


async def place(
    draft: OrderDraft, attempt_id: uuid.UUID, payment_status: PaymentStatus, *, cart_profile_id: uuid.UUID | None
) -> Mapping[str, Any]:
    """Write the order as it was drafted, in the open unit of work, and say so. Returns its row.

    An order of which nothing ships and nothing is left to pay is complete at once.

    It joins the history of whoever was signed in, or else of the account whose verified address it has. Who verifies an
    address has to lock its profile before they look for its orders: then an order that is placed meanwhile is either
    found there or finds them here.

    The cart's row is locked, and now the buyer's profile is, and that of the cart's person where it is another one: a
    reminder to either is reserved before the order or not at all.
    """
    buyer = await _identify(draft, cart_profile_id)
    profile_id = buyer.profile_id if buyer else None
    fulfillment_status = FulfillmentStatus.UNFULFILLED if draft.ships else FulfillmentStatus.NOT_REQUIRED
    done = not draft.ships and payment_status is PaymentStatus.PAID
    row = await db.fetchrow(
        _INSERT,
        draft.id,
        attempt_id,
        draft.cart_id,
        hash_token(keyring().derive_token(TOKEN_PURPOSE, draft.id)),
        draft.email,
        draft.phone,
        (OrderStatus.COMPLETED if done else OrderStatus.OPEN).value,
        payment_status.value,
        fulfillment_status.value,
        draft.payment_method,
        draft.currency_code,
        draft.subtotal_minor,
        draft.discount_minor,
        draft.shipping_minor,
        draft.tax_minor,
        draft.tax_included,
        draft.total_minor,
        _json(draft.shipping_address),
        _json(draft.billing_address),
        _json(draft.shipping_quote),
        draft.note,
        _json(draft.attributes),
        lines_json(draft),
        discounts_json(draft),
        profile_id,
        draft.customer_id,
        draft.email,
    )
    if row is None:
        raise RuntimeError("the order was not written")
    if done:
        await reservations.ship_rest(attempt_id)
    await _tell(draft, buyer)
    if payment_status is PaymentStatus.PAID:
        await status.tell(status.ORDER_PAID, draft.id, profile_id)
    return row


async def _identify(draft: OrderDraft, cart_profile_id: uuid.UUID | None) -> Buyer | None:
    """None for an order without any contact, whose cart stands for nobody."""
    if draft.email is None and draft.phone is None:
        if cart_profile_id is None:
            return None
        profile_id = await identification.lock(cart_profile_id, or_erased=True)
        return Buyer(profile_id, profile_id)
    return await identification.identify_buyer(
        email=draft.email,
        phone=draft.phone,
        address=draft.shipping_address or draft.billing_address,
        cart_id=draft.cart_id,
        cart_profile_id=cart_profile_id,
    )


async def _tell(draft: OrderDraft, buyer: Buyer | None) -> None:
    facts: dict[str, object] = {
        "cartId": str(draft.cart_id),
        "totalMinor": draft.total_minor,
        "currencyCode": draft.currency_code,
    }
    if buyer is not None and buyer.cart_profile_id != buyer.profile_id:
        # Whoever the cart was of is reminded of it no more; what follows an order is the buyer's alone.
        facts["cartProfileId"] = str(buyer.cart_profile_id)
        await timeline.note(ORDER_PLACED, profile_id=buyer.cart_profile_id, cart_id=draft.cart_id, order_id=draft.id)
    profile_id = buyer.profile_id if buyer else None
    await status.tell(ORDER_PLACED, draft.id, profile_id, facts, cart_id=draft.cart_id)


def _json(value: object | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def token_of(order_id: uuid.UUID, token_hash: bytes) -> str | None:
    """The token on the order's receipt, derived anew; None when the key it was derived from has left the ring."""
    return next(
        (token for token in keyring().derivations(TOKEN_PURPOSE, order_id) if token_matches(token, token_hash)), None
    )
