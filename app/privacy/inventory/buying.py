"""Carts, checkouts, orders and parcels: the books stay, the people in them go."""

from app.privacy.tables import OWNED, Table, Whose, columns

_CART = "t.cart_id IN :carts"
_ORDER = "t.order_id IN :orders"
_EMPTY_LIST = "'[]'::jsonb"


def _place(column: str) -> str:
    """What of an address the tax records need: the country, and the state or province where it is taxed by."""
    kept = (
        f"jsonb_build_object('country_code', t.{column}->'country_code', 'province_code', t.{column}->'province_code')"
    )
    blank = """'{"last_name": "", "address1": "", "city": ""}'::jsonb"""
    return f"CASE WHEN t.{column} IS NOT NULL THEN {blank} || jsonb_strip_nulls({kept}) END"


_NO_BUYER = """'{"ship_to": [], "buyer": {"lines": [], "tax_id": null, "email": null, "more": []}}'::jsonb"""

TABLES = (
    Table(
        "carts",
        Whose.PERSON,
        columns(
            id="id profile_id customer_id market_id company_id gift_card_ids",
            contact="email phone",
            text="note attributes discount_codes gift_options tax_id",
            address="country_code",
            fact="state revision currency_code use_store_credit created_at updated_at",
            hidden="secret_hash",
        ),
        rows=OWNED,
        section="carts",
        emptied={
            "email": "NULL",
            "phone": "NULL",
            "note": "NULL",
            "attributes": _EMPTY_LIST,
            "discount_codes": _EMPTY_LIST,
            "country_code": "NULL",
            "tax_id": "NULL",
            "gift_options": "NULL",
            "gift_card_ids": _EMPTY_LIST,
            "secret_hash": r"'\x'::bytea",
        },
    ),
    Table(
        "cart_lines",
        Whose.PERSON,
        columns(
            id="id cart_id variant_id",
            behaviour="quantity created_at",
            text="attributes customizations gift_options",
            hidden="attributes_key",
        ),
        rows=_CART,
        section="cartLines",
    ),
    Table(
        "checkouts",
        Whose.PERSON,
        columns(
            id="id cart_id",
            contact="email phone",
            address="shipping_address billing_address",
            fact="started_event_at reserved_since reserved_until created_at updated_at",
            behaviour="confirmed_age",
            hidden="shipping_quote_id",
        ),
        rows=_CART,
        section="checkouts",
    ),
    Table(
        "checkout_attempts",
        Whose.PERSON,
        columns(
            id="id cart_id payment_id order_id",
            fact="state leased_until hold_until created_at finished_at",
            text="idempotency_key draft refusal",
            hidden="fingerprint",
        ),
        rows=_CART,
        section="checkoutAttempts",
        emptied={
            "idempotency_key": "t.id::text",
            "draft": "NULL",
            # Codes stay, since a refusal has to have some; words may quote what was entered.
            "refusal": "(SELECT jsonb_agg(e || jsonb_build_object('message', '', 'field', NULL)) "
            "FROM jsonb_array_elements(t.refusal) e)",
            "fingerprint": r"'\x'::bytea",
        },
    ),
    Table(
        "orders",
        Whose.PERSON,
        columns(
            id="id attempt_id cart_id profile_id customer_id market_id company_id",
            contact="email phone",
            address="shipping_address billing_address",
            text="note attributes cancel_reason gift_options tax_id purchase_order_number",
            behaviour="number status payment_status fulfillment_status payment_method placed_at updated_at "
            "cancelled_at confirmed_age pickup_location_id pickup_ready_at picked_up_at",
            fact="currency_code subtotal_minor discount_minor shipping_minor tax_minor tax_included total_minor "
            "shipping_quote discounts gift_wrap_minor rounding_minor tax_lines shipping_tax_lines gift_wrap_tax_lines "
            "gift_card_minor store_credit_minor stored_value amount_due_minor reverse_charge tax_estimated language "
            "payment_due_at holds source shop_rate",
            hidden="token_hash",
        ),
        rows=OWNED,
        section="orders",
        emptied={
            "email": "NULL",
            "phone": "NULL",
            "note": "NULL",
            "attributes": _EMPTY_LIST,
            "cancel_reason": "NULL",
            "gift_options": "NULL",
            "purchase_order_number": "NULL",
            "shipping_address": _place("shipping_address"),
            "billing_address": _place("billing_address"),
        },
        kept={
            "shipping_address": "Country and state: which tax was due, and where (VAT Directive, Art. 369k).",
            "billing_address": "Likewise.",
            "tax_id": "Whoever accounts for the tax in the shop's place (VAT Directive, Art. 226 point 4).",
        },
    ),
    Table(
        "order_lines",
        Whose.PERSON,
        columns(
            id="id order_id product_id variant_id tax_class_id",
            text="attributes customizations gift_options",
            behaviour="product_name variant_name sku image_url selected_options quantity",
            fact="position unit_price_minor subtotal_minor discount_minor tax_minor total_minor weight_grams "
            "requires_shipping track_inventory fulfilled_quantity tax_lines discounts gift_wrap_minor expected_at "
            "product_kind",
        ),
        rows=_ORDER,
        section="orderLines",
        emptied={"attributes": _EMPTY_LIST, "customizations": _EMPTY_LIST, "gift_options": "NULL"},
    ),
    Table(
        "fulfillments",
        Whose.PERSON,
        columns(id="id order_id created_by", fact="created_at"),
        rows=_ORDER,
        section="fulfillments",
        why="When goods left: the books.",
    ),
    Table(
        "fulfillment_lines",
        Whose.PERSON,
        columns(id="id fulfillment_id order_line_id", fact="quantity"),
        rows="t.fulfillment_id IN (SELECT id FROM fulfillments WHERE order_id IN :orders)",
        section="fulfillmentLines",
        why="Which goods left: the books.",
    ),
    Table(
        "shipments",
        Whose.PERSON,
        columns(
            id="id fulfillment_id",
            text="tracking_number tracking_url",
            fact="position carrier status estimated_from estimated_to created_at updated_at",
        ),
        rows="t.fulfillment_id IN (SELECT id FROM fulfillments WHERE order_id IN :orders)",
        section="shipments",
        emptied={"tracking_number": "NULL", "tracking_url": "NULL"},
        why="Who has a parcel's number learns from the carrier where it went.",
    ),
    Table(
        "tracking_events",
        Whose.PERSON,
        columns(
            id="id shipment_id external_id",
            fact="status occurred_at created_at",
            address="location",
            text="description",
        ),
        rows="t.shipment_id IN (SELECT s.id FROM shipments s JOIN fulfillments f ON f.id = s.fulfillment_id "
        "WHERE f.order_id IN :orders)",
        section="trackingEvents",
        emptied={"location": "NULL", "description": "''"},
    ),
    Table(
        "order_events",
        Whose.PERSON,
        columns(
            id="id order_id actor_id",
            text="reason",
            fact="position type occurred_at actor_kind data",
        ),
        rows=_ORDER,
        section="orderEvents",
        emptied={"reason": "NULL"},
        why="What became of the order: the books.",
    ),
    Table(
        "order_edits",
        Whose.PERSON,
        columns(
            id="id order_id",
            text="reason",
            fact="changes actor_kind notify_customer total_before_minor total_after_minor due_before_minor "
            "due_after_minor refund_minor created_at",
        ),
        rows=_ORDER,
        section="orderEdits",
        emptied={"reason": "NULL"},
        why="What was changed of the order, and what it cost before: the books.",
    ),
    Table(
        "invoices",
        Whose.PERSON,
        columns(
            id="id series_id order_id corrects_id",
            fact="sequence number kind source_key currency_code total_minor tax_minor issued_at",
            address="document",
        ),
        rows=_ORDER,
        section="invoices",
        emptied={"document": f"t.document || {_NO_BUYER}"},
        why="Numbers, amounts and taxes: the books.",
    ),
    Table(
        "product_reorders",
        Whose.PERSON,
        columns(id="id product_id order_id", fact="interval_seconds ordered_at"),
        rows=_ORDER,
        section="repeatPurchases",
        why="How soon a product is bought again, by anybody.",
    ),
)
