"""From a cart to an order, with the guarantees of the API and nothing else: stock that cannot be oversold, a payment
that is noted before it is asked for, an order and its event in one transaction. One statement for each step.
"""

import hashlib
import hmac
import secrets
import uuid
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils import compat

from benchmarks.answers import answer, money, public_id

_KEY = b"for-a-benchmark-that-nobody-else-can-reach"

CREATE_CART = """
    WITH wanted AS (
        SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::int[]) AS w (line_id, variant_id, quantity)
    ), sold AS (
        SELECT w.line_id, v.id, least(w.quantity, s.available)::int AS quantity, v.name, v.price_minor
        FROM wanted w
        JOIN product_variants v ON v.id = w.variant_id AND v.removed_at IS NULL
        JOIN products p ON p.id = v.product_id AND p.status = 'ACTIVE'
        JOIN stock_levels s ON s.variant_id = v.id
    ), cart AS (
        INSERT INTO carts (id, secret_hash, state, currency_code, attributes, revision, created_at, updated_at)
        VALUES ($1, $2, 'OPEN', 'USD', '[]', 0, now(), now())
    ), written AS (
        INSERT INTO cart_lines (id, cart_id, variant_id, quantity, attributes, attributes_key, created_at)
        SELECT line_id, $1, id, quantity, '[]', '', now() FROM sold
    )
    SELECT json_agg(sold) FROM sold
"""
ADD_LINES = """
    WITH cart AS (
        UPDATE carts SET revision = revision + 1, updated_at = now()
        WHERE id = $1 AND secret_hash = $2 AND state = 'OPEN' RETURNING id
    ), wanted AS (
        SELECT coalesce(l.id, w.line_id) AS line_id, v.id, v.name, v.price_minor,
               least(coalesce(l.quantity, 0) + w.quantity, s.available)::int AS quantity
        FROM cart
        CROSS JOIN unnest($3::uuid[], $4::uuid[], $5::int[]) AS w (line_id, variant_id, quantity)
        JOIN product_variants v ON v.id = w.variant_id AND v.removed_at IS NULL
        JOIN products p ON p.id = v.product_id AND p.status = 'ACTIVE'
        JOIN stock_levels s ON s.variant_id = v.id
        LEFT JOIN cart_lines l ON l.cart_id = cart.id AND l.variant_id = v.id
    ), written AS (
        INSERT INTO cart_lines (id, cart_id, variant_id, quantity, attributes, attributes_key, created_at)
        SELECT line_id, $1, id, quantity, '[]', '', now() FROM wanted
        ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity
    ), kept AS (
        SELECT l.id AS line_id, v.id, v.name, v.price_minor, l.quantity
        FROM cart JOIN cart_lines l ON l.cart_id = cart.id JOIN product_variants v ON v.id = l.variant_id
        WHERE l.id NOT IN (SELECT line_id FROM wanted)
    )
    SELECT json_agg(line ORDER BY line.line_id) FROM (
        SELECT line_id, id, name, price_minor, quantity FROM kept
        UNION ALL SELECT line_id, id, name, price_minor, quantity FROM wanted
    ) line
"""
LINES = """
    SELECT json_agg(json_build_object(
        'id', v.id, 'product', p.id, 'productName', p.name, 'name', v.name, 'sku', v.sku, 'price', v.price_minor,
        'quantity', l.quantity, 'grams', v.weight_grams
    )) FROM carts c
    JOIN cart_lines l ON l.cart_id = c.id
    JOIN product_variants v ON v.id = l.variant_id
    JOIN products p ON p.id = v.product_id
    WHERE c.id = $1 AND c.secret_hash = $2 AND c.state = 'OPEN'
"""
RATES = """
    SELECT json_agg(json_build_object('carrier', m.carrier, 'service', m.service, 'price', m.rate -> 'price_minor'))
    FROM shipping_zones z JOIN shipping_methods m ON m.zone_id = z.id
    WHERE z.locations @> jsonb_build_array(jsonb_build_object('country', $1::text))
"""
HOLD = """
    WITH cart AS (
        UPDATE carts SET revision = revision + 1 WHERE id = $2 AND state = 'OPEN'
    ), attempt AS (
        INSERT INTO checkout_attempts (id, cart_id, idempotency_key, fingerprint, state, draft, payment_id,
                                       leased_until, hold_until, created_at)
        VALUES ($1, $2, $3, $4, 'PROCESSING', $5::jsonb, $6, now() + interval '5 s', now() + interval '15 min', now())
    ), payment AS (
        INSERT INTO payments (id, attempt_id, gateway, method, amount_minor, currency_code, state, token,
                              captured_minor, refunded_minor, created_at, updated_at)
        VALUES ($6, $1, 'test', 'CARD', $7, 'USD', 'PENDING', $8, 0, 0, now(), now())
    ), taken AS (
        UPDATE stock_levels s SET available = available - w.quantity, reserved = reserved + w.quantity,
                                  updated_at = now()
        FROM unnest($9::uuid[], $10::int[]) AS w (variant_id, quantity)
        WHERE s.variant_id = w.variant_id AND s.available >= w.quantity
        RETURNING s.id, s.variant_id, w.quantity
    ), held AS (
        INSERT INTO stock_reservations (id, attempt_id, stock_level_id, variant_id, quantity, backordered, state,
                                        shipped_quantity, expires_at, created_at)
        SELECT gen_random_uuid(), $1, id, variant_id, quantity, 0, 'HELD', 0, now() + interval '15 min', now()
        FROM taken
    ), watch AS (
        INSERT INTO events (id, type, subject_id, payload, occurred_at, visible_at, attempts, publications)
        VALUES ($1, 'checkout.watch', $1, '{}', now(), now() + interval '30 s', 0, 0)
    )
    SELECT count(*) FROM taken
"""
AUTHORISE = """
    INSERT INTO test_gateway_payments (id, idempotency_key, token, amount_minor, currency_code, state, created_at)
    VALUES ($1, $2, $3, $4, 'USD', 'AUTHORIZED', now())
"""
PLACE = """
    WITH buyer AS MATERIALIZED (
        SELECT id FROM profiles WHERE lower(email) = lower($5) AND merged_into_id IS NULL FOR NO KEY UPDATE
    ), placed AS (
        INSERT INTO orders (
            id, number, attempt_id, cart_id, token_hash, email, status, payment_status, fulfillment_status,
            payment_method, currency_code, subtotal_minor, discount_minor, shipping_minor, tax_minor, tax_included,
            total_minor, amount_due_minor, shipping_address, billing_address, shipping_quote, attributes, placed_at,
            updated_at, profile_id
        ) VALUES (
            $1, nextval('order_numbers'), $2, $3, $4, $5, 'OPEN', 'AUTHORIZED', 'UNFULFILLED', 'CARD', 'USD', $6, 0,
            $7, 0, false, $8, $8, $9::jsonb, $9::jsonb, $10::jsonb, '[]', now(), now(), (SELECT id FROM buyer)
        ) RETURNING number
    ), lines AS (
        INSERT INTO order_lines (
            id, order_id, position, product_id, variant_id, product_name, variant_name, sku, selected_options,
            attributes, quantity, unit_price_minor, subtotal_minor, discount_minor, tax_minor, total_minor,
            weight_grams, requires_shipping, fulfilled_quantity
        )
        SELECT gen_random_uuid(), $1, 0, l.product, l.id, l."productName", l.name, l.sku, '[]', '[]', l.quantity,
               l.price, l.price * l.quantity, 0, 0, l.price * l.quantity, l.grams, true, 0
        FROM json_to_recordset($11::json) AS l (product uuid, id uuid, "productName" text, name text, sku text,
                                                quantity int, price bigint, grams int)
    ), attempt AS (
        UPDATE checkout_attempts SET state = 'SUCCEEDED', order_id = $1, draft = NULL, leased_until = NULL,
                                     finished_at = now() WHERE id = $2
    ), cart AS (
        UPDATE carts SET state = 'COMPLETED', profile_id = (SELECT id FROM buyer), updated_at = now() WHERE id = $3
    ), payment AS (
        UPDATE payments SET state = 'AUTHORIZED', order_id = $1, token = NULL, updated_at = now() WHERE attempt_id = $2
        RETURNING id, amount_minor
    ), asked AS (
        INSERT INTO payment_transactions (id, payment_id, kind, succeeded, amount_minor, created_at)
        SELECT gen_random_uuid(), id, 'AUTHORIZE', true, amount_minor, now() FROM payment
    ), promised AS (
        UPDATE stock_reservations SET state = 'COMMITTED', expires_at = NULL WHERE attempt_id = $2
        RETURNING stock_level_id, quantity
    ), moved AS (
        INSERT INTO stock_movements (id, stock_level_id, available_delta, reason, reference_id, created_at)
        SELECT gen_random_uuid(), stock_level_id, -quantity, 'order', $1, now() FROM promised
    ), event AS (
        INSERT INTO events (id, type, subject_id, payload, occurred_at, visible_at, attempts, publications)
        VALUES ($12, 'order.placed', $1, '{}', now(), now(), 0, 0)
    ), unwatched AS (
        UPDATE events SET acknowledged_at = now() WHERE id = $2
    ), told AS (
        INSERT INTO profile_events (id, profile_id, type, occurred_at, cart_id, order_id, data)
        SELECT $12, id, 'order.placed', now(), $3, $1, '{}' FROM buyer
    )
    SELECT number FROM placed
"""


async def _asked(request: Request) -> Any:
    return orjson.loads(await request.body())["variables"]


def _uuid(text: str) -> uuid.UUID:
    return uuid.UUID(hex=text.partition("_")[2][:32])


def _cart(gid: str) -> tuple[uuid.UUID, bytes]:
    _, digits, secret = gid.split("_", 2)
    return uuid.UUID(hex=digits), hashlib.sha256(secret.encode()).digest()


async def create_cart(request: Request) -> Response:
    wanted = (await _asked(request))["lines"]
    cart_id, secret = compat.uuid7(), secrets.token_urlsafe(16)
    async with request.app.state.pool.acquire() as connection:
        rows = await connection.fetchval(
            CREATE_CART,
            cart_id,
            hashlib.sha256(secret.encode()).digest(),
            [compat.uuid7() for _ in wanted],
            [_uuid(line["variantId"]) for line in wanted],
            [line["quantity"] for line in wanted],
        )
    return answer("cartCreate", {"cart": _shown(cart_id, secret, orjson.loads(rows)), "userErrors": []})


async def add_lines(request: Request) -> Response:
    asked = await _asked(request)
    wanted = asked["lines"]
    cart_id, secret_hash = _cart(asked["cartId"])
    async with request.app.state.pool.acquire() as connection:
        rows = await connection.fetchval(
            ADD_LINES,
            cart_id,
            secret_hash,
            [compat.uuid7() for _ in wanted],
            [_uuid(line["variantId"]) for line in wanted],
            [line["quantity"] for line in wanted],
        )
    secret = asked["cartId"].split("_", 2)[2]
    return answer("cartLinesAdd", {"cart": _shown(cart_id, secret, orjson.loads(rows)), "userErrors": []})


def _shown(cart_id: uuid.UUID, secret: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    total = sum(line["price_minor"] * line["quantity"] for line in lines)
    return {
        "id": f"cart_{cart_id.hex}_{secret}",
        "totalQuantity": sum(line["quantity"] for line in lines),
        "cost": {"total": money(total)},
        "lines": {
            "nodes": [
                {
                    "id": f"{public_id('cline', line['line_id'])}_{secret}",
                    "quantity": line["quantity"],
                    "variant": {
                        "id": public_id("var", line["id"]),
                        "name": line["name"],
                        "price": money(line["price_minor"]),
                    },
                    "cost": {"total": money(line["price_minor"] * line["quantity"])},
                }
                for line in lines
            ]
        },
    }


def _signed(promise: list[Any]) -> str:
    text = orjson.dumps(promise)
    return f"quote_{text.hex()}.{hmac.new(_KEY, text, 'sha256').hexdigest()}"


def _promise(quote_id: str) -> Any:
    text, _, signature = quote_id.removeprefix("quote_").partition(".")
    promise = bytes.fromhex(text)
    if not hmac.compare_digest(hmac.new(_KEY, promise, "sha256").hexdigest(), signature):
        raise ValueError("the quote is not signed by this server")
    return orjson.loads(promise)


async def quote(request: Request) -> Response:
    asked = (await _asked(request))["input"]
    country = asked["address"]["countryCode"]
    async with request.app.state.pool.acquire() as connection:
        lines = orjson.loads(await connection.fetchval(LINES, *_cart(asked["cartId"])))
        rates = orjson.loads(await connection.fetchval(RATES, country))
    bought = sorted((line["id"], line["quantity"]) for line in lines)
    quotes = [
        {
            "id": _signed([rate["carrier"], rate["service"], rate["price"], bought, country]),
            "carrier": rate["carrier"],
            "service": rate["service"],
            "price": money(rate["price"]),
        }
        for rate in rates
    ]
    return answer("shippingQuotes", {"quotes": quotes, "userErrors": []})


async def complete(request: Request) -> Response:
    asked = (await _asked(request))["input"]
    cart_id, secret_hash = _cart(asked["cartId"])
    carrier, service, shipping, bought, _ = _promise(asked["shippingQuoteId"])
    order_id, attempt_id, payment_id = compat.uuid7(), compat.uuid7(), compat.uuid7()
    token = secrets.token_urlsafe(16)
    async with request.app.state.pool.acquire() as connection:
        stored = await connection.fetchval(LINES, cart_id, secret_hash)
        lines = orjson.loads(stored)
        if sorted([line["id"], line["quantity"]] for line in lines) != bought:
            raise ValueError("the quote is for another cart")
        subtotal = sum(line["price"] * line["quantity"] for line in lines)
        held = await connection.fetchval(
            HOLD,
            attempt_id,
            cart_id,
            asked["idempotencyKey"],
            hashlib.sha256(orjson.dumps(asked)).digest(),
            stored,
            payment_id,
            subtotal + shipping,
            asked["payment"]["token"],
            [line["id"] for line in lines],
            [line["quantity"] for line in lines],
        )
        if held != len(lines):
            raise ValueError("sold out")
        # The provider's own note of it; it stands for a request to somebody else's server.
        await connection.execute(
            AUTHORISE, compat.uuid7(), str(payment_id), asked["payment"]["token"], subtotal + shipping
        )
        number = await connection.fetchval(
            PLACE,
            order_id,
            attempt_id,
            cart_id,
            hashlib.sha256(token.encode()).digest(),
            asked["email"],
            subtotal,
            shipping,
            subtotal + shipping,
            orjson.dumps(asked["shippingAddress"]).decode(),
            orjson.dumps({"carrier": carrier, "service": service}).decode(),
            stored,
            compat.uuid7(),
        )
    order = {
        "id": f"ord_{order_id.hex}",
        "number": str(number),
        "status": "OPEN",
        "paymentStatus": "AUTHORIZED",
        "cost": {"total": money(subtotal + shipping)},
    }
    return answer("checkoutComplete", {"order": order, "orderToken": token, "userErrors": []})


ROUTES = [
    Route("/cartCreate", create_cart, methods=["POST"]),
    Route("/cartLinesAdd", add_lines, methods=["POST"]),
    Route("/shippingQuotes", quote, methods=["POST"]),
    Route("/checkoutComplete", complete, methods=["POST"]),
]
