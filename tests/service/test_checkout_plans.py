"""Claiming an attempt finds its stock by ids, however many levels the shop has."""

import datetime as dt
import uuid

import orjson

from app import db
from app.checkout import attempts
from tests.client import Api
from tests.factories import catalogue
from tests.factories.shop import shop

LEVELS = 3000
_VARIANTS = """
    INSERT INTO product_variants
    SELECT (jsonb_populate_record(v, jsonb_build_object(
        'id', gen_random_uuid(), 'position', 100 + n, 'sku', 'sku-' || n, 'option_values', jsonb_build_array('s' || n)
    ))).*
    FROM product_variants v, generate_series(1, $2::int) n WHERE v.id = $1
"""
_STOCK = """
    INSERT INTO stock_levels (id, variant_id, warehouse_id, available, reserved, backordered, updated_at)
    SELECT gen_random_uuid(), v.id, w.id, 5, 0, 0, now() FROM product_variants v, warehouses w
    WHERE NOT EXISTS (SELECT FROM stock_levels s WHERE s.variant_id = v.id)
"""


async def test_claiming_reads_no_more_stock_than_it_takes(api: Api) -> None:
    await shop()
    made = await catalogue.product(stock=5)
    await db.execute(_VARIANTS, made.variant_id, LEVELS)
    await db.execute(_STOCK)
    await db.execute("ANALYZE stock_levels")
    known = uuid.uuid4()
    shares = orjson.dumps([[known.hex, made.variant_id.hex, 1, 0]]).decode()
    hold_until = dt.datetime.now(dt.UTC)
    claimed = (known, known, 0, "key", b"print", "PROCESSING", "{}", None, known, 5.0, hold_until, shares)
    payment = ("test", "CARD", 100, "USD", "token", None, None, False)
    at_once = await _plan(attempts._CLAIM_AT_ONCE, *claimed, *payment, 1, "{}")
    in_turn = await _plan(attempts._CLAIM, *claimed, *payment, None)
    for plan in (at_once, in_turn):
        assert "Update on stock_levels" in plan
        assert "Seq Scan on stock_levels" not in plan, plan


async def _plan(sql: str, *args: object) -> str:
    rows = await db.fetch(f"EXPLAIN (COSTS OFF) {sql}", *args)
    return "\n".join(row["QUERY PLAN"] for row in rows)
