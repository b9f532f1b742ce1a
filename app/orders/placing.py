"""Writing an order: one statement for the order, its lines and what is told of it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app import db, events
from app.customers import identification, timeline
from app.customers.identification import Buyer
from app.inventory import handing_out
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.orders import status
from app.orders.draft import OrderDraft
from app.orders.models import FulfillmentStatus, OrderHold, OrderStatus, PaymentStatus

ORDER_PLACED = "order.placed"
TOKEN_PURPOSE = "order"  # noqa: S105 - names what the token is for

# The draft is read by PostgreSQL itself: what a draft has under a column's name is written into that column.
_ORDER = """
    id uuid, cart_id uuid, email text, phone text, payment_method text, currency_code text, subtotal_minor bigint,
    discount_minor bigint, gift_wrap_minor bigint, shipping_minor bigint, tax_minor bigint, tax_included bool,
    rounding_minor bigint, total_minor bigint, gift_card_minor bigint, store_credit_minor bigint, tax_lines jsonb,
    shipping_tax_lines jsonb, gift_wrap_tax_lines jsonb, stored_value jsonb, discounts jsonb, shipping_address jsonb,
    billing_address jsonb, shipping_quote jsonb, gift_options jsonb, note text, attributes jsonb,
    shop_rate numeric, market_id uuid, company_id uuid, tax_id text, reverse_charge bool, tax_estimated bool,
    language text, purchase_order_number text,
    payment_due_at timestamptz, holds text[], source text, confirmed_age int,
    pickup_location_id uuid
"""
_LINE = """
    id uuid, position int, product_id uuid, variant_id uuid, product_name text, variant_name text, sku text,
    image_url text, selected_options jsonb, attributes jsonb, customizations jsonb, gift_options jsonb, quantity int,
    unit_price_minor bigint, subtotal_minor bigint, discount_minor bigint, discounts jsonb, gift_wrap_minor bigint,
    tax_minor bigint, tax_lines jsonb, total_minor bigint, weight_grams int, requires_shipping bool,
    track_inventory bool, expected_at timestamptz, product_kind text, tax_class_id uuid
"""


def _names(columns: str, of: str = "") -> str:
    return ", ".join(of + column.split()[0] for column in columns.split(","))


_INSERT = f"""
    WITH placed AS (
        INSERT INTO orders (
            {_names(_ORDER)},
            number, attempt_id, token_hash, status, payment_status, fulfillment_status, amount_due_minor, profile_id,
            customer_id, placed_at, updated_at
        )
        SELECT {_names(_ORDER, "d.")},
            nextval('order_numbers'), $2, $3, $4, $5, $6, coalesce(d.amount_due_minor, d.total_minor), $7, coalesce(
                (SELECT k.id FROM customers k WHERE k.id = d.customer_id),
                (
                    SELECT k.id FROM customers k
                    WHERE lower(k.email) = lower(d.email) AND k.email_verified_at IS NOT NULL
                )
            ), business_now(), business_now()
        FROM jsonb_to_record($1::jsonb) AS d ({_ORDER}, amount_due_minor bigint, customer_id uuid)
        RETURNING *
    ), owned AS (
        UPDATE carts SET profile_id = $7 WHERE id = $8 AND profile_id IS NULL AND $7::uuid IS NOT NULL
    ), written AS (
        INSERT INTO order_lines (order_id, fulfilled_quantity, {_names(_LINE)})
        SELECT $9, 0, {_names(_LINE, "l.")} FROM jsonb_to_recordset($1::jsonb -> 'lines') AS l ({_LINE})
    ), {events.sql_to_write("$10")}, {timeline.sql_to_write("$11")}
    SELECT * FROM placed
"""


async def place(
    draft: OrderDraft,
    attempt_id: uuid.UUID,
    payment_status: PaymentStatus,
    *,
    cart_profile_id: uuid.UUID | None,
    candidates: Sequence[Mapping[str, Any]] | None = None,
) -> Mapping[str, Any]:
    """Write the order as it was drafted, in the open unit of work, and say so. Returns its row.

    An order of which nothing ships, nothing is left to pay and no guarantee is missing is complete at once.

    It joins the history of whoever was signed in, or else of the account whose verified address it has. Who verifies an
    address has to lock its profile before they look for its orders: then an order that is placed meanwhile is either
    found there or finds them here.

    The cart's row is locked, and now the buyer's profile is, and that of the cart's person where it is another one: a
    reminder to either is reserved before the order or not at all.

    Args:
        candidates: see `identification.identify_buyer`.
    """
    buyer = await _identify(draft, cart_profile_id, candidates)
    profile_id = buyer.profile_id if buyer else None
    # Noted before, so that the order's statement writes it.
    await _tell(draft, buyer)
    if payment_status is PaymentStatus.PAID:
        await status.tell(status.ORDER_PAID, draft.id, profile_id)
    fulfillment_status = FulfillmentStatus.UNFULFILLED if draft.ships else FulfillmentStatus.NOT_REQUIRED
    done = not draft.ships and payment_status is PaymentStatus.PAID and OrderHold.GUARANTEE not in draft.holds
    row = await db.fetchrow(
        _INSERT,
        draft.to_json(),
        attempt_id,
        hash_token(keyring().derive_token(TOKEN_PURPOSE, draft.id)),
        (OrderStatus.COMPLETED if done else OrderStatus.OPEN).value,
        payment_status.value,
        fulfillment_status.value,
        profile_id,
        draft.cart_id,
        draft.id,
        events.take_noted(),
        timeline.take_noted(),
    )
    if row is None:
        raise RuntimeError("the order was not written")
    if done:
        await handing_out.ship_rest(attempt_id)
    return row


async def _identify(
    draft: OrderDraft, cart_profile_id: uuid.UUID | None, candidates: Sequence[Mapping[str, Any]] | None
) -> Buyer | None:
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
        candidates=candidates,
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


def token_of(order_id: uuid.UUID, token_hash: bytes) -> str | None:
    """The token on the order's receipt, derived anew; None when the key it was derived from has left the ring."""
    return next(
        (token for token in keyring().derivations(TOKEN_PURPOSE, order_id) if token_matches(token, token_hash)), None
    )
