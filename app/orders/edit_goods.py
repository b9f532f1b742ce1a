"""An order as an edit finds it, and what the catalogue and the taxes say of the variants in it, by one statement."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.addresses.postal import Destination, PostalAddress
from app.cart.rows import variants_of
from app.cart.snapshots import VariantSnapshot
from app.cart.statements import DESCRIPTION, variant_terms, variants_among
from app.configuration import VERSIONS, versions_of
from app.markets import current as markets
from app.markets.terms import MarketTerms
from app.orders.queries import OrderRow, decoded
from app.tax.facts import TaxFacts, read_facts, sql_of_facts

_VARIANTS = variants_among(
    "(array_cat($2::uuid[], ARRAY(SELECT variant_id FROM order_lines WHERE order_id = o.id)))",
    variant_terms("o.market_id", "o.customer_id", "o.company_id") + DESCRIPTION,
)
# The version of the row changes with everything that happens to an order.
_READ = f"""
    SELECT o.*, o.xmin::text AS version, business_now() AS now, {VERSIONS} AS versions, {_VARIANTS},
           {sql_of_facts(tax_id="o.tax_id", customer_id="o.customer_id", company_id="o.company_id")} AS tax_facts,
           (SELECT json_agg(l ORDER BY l.position, l.id) FROM order_lines l WHERE l.order_id = o.id) AS lines,
           (SELECT w.address FROM warehouses w WHERE w.id = o.pickup_location_id) AS store_address,
           EXISTS (
               SELECT FROM refunds r WHERE r.order_id = o.id AND r.source <> 'EDIT' AND r.state <> 'FAILED'
           ) AS is_refunded
    FROM orders o WHERE o.id = $1
"""


@dataclass(frozen=True, slots=True)
class Found:
    """`order` has its json columns and `lines` decoded; `version` changes with every change of the row."""

    order: OrderRow
    version: str
    now: datetime
    is_refunded: bool
    market: MarketTerms
    variants: Mapping[uuid.UUID, VariantSnapshot]
    tax_facts: TaxFacts
    destination: Destination | None

    @property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        lines: Sequence[Mapping[str, Any]] = self.order["lines"]
        return lines


async def find(order_id: uuid.UUID, variant_ids: Sequence[uuid.UUID]) -> Found | None:
    """None where there is no such order. `variant_ids`: those that are to be added."""
    row = await db.fetchrow(_READ, order_id, list(variant_ids))
    if row is None:
        return None
    order, versions = decoded(row), versions_of(row["versions"])
    store = orjson.loads(row["store_address"]) if row["store_address"] else None
    return Found(
        order=order,
        version=row["version"],
        now=row["now"],
        is_refunded=row["is_refunded"],
        market=(await markets.now()).of_id(row["market_id"]),
        variants=variants_of(row["variants"]),
        tax_facts=await read_facts(row["tax_facts"], versions),
        destination=destination(store or order["shipping_address"] or order["billing_address"]),
    )


def destination(address: Mapping[str, str] | None) -> Destination | None:
    if address is None:
        return None
    known = PostalAddress.from_json(address)
    return Destination(known.country_code, known.province_code, known.postal_code, known.city)
