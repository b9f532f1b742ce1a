"""What the catalogue and the taxes say of the variants in a draft order, by one statement."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.cart.rows import variants_of
from app.cart.snapshots import VariantSnapshot
from app.cart.statements import DESCRIPTION, variant_terms, variants_among
from app.configuration import VERSIONS, versions_of
from app.tax.facts import TaxFacts, read_facts, sql_of_facts

_GOODS = f"""
    SELECT business_now() AS now, {VERSIONS} AS versions,
           {variants_among("$1", variant_terms("$2::uuid", "$3::uuid", "$4::uuid") + DESCRIPTION)},
           {sql_of_facts(tax_id="$5::text", customer_id="$3::uuid", company_id="$4::uuid")} AS tax_facts
    FROM shop s WHERE s.id = 1
"""


@dataclass(frozen=True, slots=True)
class Goods:
    now: datetime
    """Business time."""
    versions: dict[str, int]
    variants: dict[uuid.UUID, VariantSnapshot]
    tax_facts: TaxFacts


async def load(
    variant_ids: Sequence[uuid.UUID],
    *,
    market_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    company_id: uuid.UUID | None,
    tax_id: str | None,
) -> Goods:
    row = await db.fetchrow(_GOODS, list(variant_ids), market_id, customer_id, company_id, tax_id)
    if row is None:
        raise RuntimeError("the shop has no row; migrations make one")
    versions = versions_of(row["versions"])
    return Goods(row["now"], versions, variants_of(row["variants"]), await read_facts(row["tax_facts"], versions))
