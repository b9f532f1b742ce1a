"""Reading discounts: with a cart, in the cart's own statement; and for staff."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app import db
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.kit.text import check_text
from app.promotions.definition import rule_of
from app.promotions.models import DiscountStatus
from app.promotions.terms import (
    NOTHING_OFFERED,
    DiscountCodeReason,
    DiscountTerms,
    Offered,
    ProductFacts,
)

MAX_CODES = 10
"""On one cart."""


_TERMS = """
    'discount_id', d.id, 'name', d.name, 'rule', d.rule::text, 'percentage', d.percentage::text,
    'amount_minor', d.amount_minor, 'currency_code', d.currency_code,
    'minimum_subtotal_minor', d.minimum_subtotal_minor, 'limit_per_customer', d.usage_limit_per_customer
"""
_TERMS_BY_CODE = """
    'code_id', k.id, 'code', k.code,
    'owner_id', owner.id, 'owner_email', lower(owner.email), 'owner_phone', owner.phone,
    'referrer_id', referrer.id, 'referrer_email', referrer.email, 'referrer_phone', referrer.phone,
    'blocked', CASE
        WHEN d.status <> 'ACTIVE' OR k.disabled_at IS NOT NULL OR referrer.id IS NOT NULL AND NOT EXISTS (
            SELECT FROM referral_program WHERE enabled
        ) THEN 'DISABLED'
        WHEN d.used_count >= d.usage_limit OR k.used_count >= k.usage_limit THEN 'USED_UP'
        WHEN greatest(d.starts_at, k.starts_at) > business_now() THEN 'NOT_STARTED'
        WHEN least(d.ends_at, k.ends_at) <= business_now() THEN 'EXPIRED' END
"""
_TERMS_BY_ITSELF = """
    'blocked', CASE
        WHEN d.used_count >= d.usage_limit THEN 'USED_UP'
        WHEN d.starts_at > business_now() THEN 'NOT_STARTED'
        WHEN d.ends_at <= business_now() THEN 'EXPIRED' END
"""


def _sql_of_terms(terms: str, discounts: str, products: str) -> str:
    """SQL: JSON for `offered_of`; NULL where there is nothing.

    Where products stand is read where one of these discounts asks for it, and nowhere else.
    """
    return f"""(
        SELECT json_build_object('terms', json_agg(json_build_object({_TERMS}, {terms}) ORDER BY d.id),
        'products', CASE WHEN bool_or(d.reads_products) THEN (
            SELECT json_object_agg(stands.id, json_build_object('tags', to_json(stands.tags), 'collections', (
                SELECT json_agg(e.collection_id) FROM collection_products e WHERE e.product_id = stands.id
            )))
            FROM products stands WHERE stands.id IN ({products})
        ) END)
        FROM {discounts}
        HAVING count(*) > 0
    )"""


def sql_of_offered(codes: str, products: str) -> str:
    """SQL: all that a cart may get as JSON, for `offered_of`; NULL where there is nothing.

    Args:
        codes: an expression, the codes that were entered as a JSON array of strings.
        products: a query of the ids of the cart's products.
    """
    offered = f"""(
            SELECT id AS discount_id, NULL::uuid AS code_id FROM discounts WHERE automatic AND status = 'ACTIVE'
            UNION ALL
            SELECT discount_id, id FROM discount_codes WHERE upper(code) IN (
                SELECT upper(btrim(typed)) FROM jsonb_array_elements_text({codes}) AS typed LIMIT {2 * MAX_CODES}
            )
        ) offered
        JOIN discounts d ON d.id = offered.discount_id
        LEFT JOIN discount_codes k ON k.id = offered.code_id
        LEFT JOIN profiles given ON given.id = k.profile_id
        LEFT JOIN profiles owner ON owner.id = coalesce(given.merged_into_id, given.id)
        LEFT JOIN referral_codes recommended ON recommended.discount_code_id = k.id
        LEFT JOIN profiles referrer ON referrer.id = recommended.profile_id"""
    return _sql_of_terms(_TERMS_BY_CODE, offered, products)


def sql_of_automatic(products: str) -> str:
    """As `sql_of_offered`, where no code was entered: half of the work for PostgreSQL."""
    return _sql_of_terms(_TERMS_BY_ITSELF, "discounts d WHERE d.automatic AND d.status = 'ACTIVE'", products)


def offered_of(text: str | None) -> Offered:
    if not text:
        return NOTHING_OFFERED
    read = orjson.loads(text)
    products = {uuid.UUID(product_id): _facts(found) for product_id, found in (read["products"] or {}).items()}
    return Offered(terms=tuple(_terms(row) for row in read["terms"]), products=products)


def _terms(row: dict[str, Any]) -> DiscountTerms:
    for name in ("discount_id", "code_id", "owner_id", "referrer_id"):
        row[name] = uuid.UUID(row[name]) if row.get(name) else None
    row["rule"] = rule_of(row["rule"], row.pop("percentage"), row.pop("amount_minor"))
    row["blocked"] = row["blocked"] and DiscountCodeReason(row["blocked"])
    return DiscountTerms(**row)


def _facts(found: dict[str, Any]) -> ProductFacts:
    return ProductFacts(
        collection_ids=frozenset(uuid.UUID(one) for one in found["collections"] or ()),
        tags=frozenset(tag.lower() for tag in found["tags"] or ()),
    )


# --- for staff --------------------------------------------------------------------------------------------------------

CURSOR_DISCOUNTS, CURSOR_CODES = "discounts", "discount_codes"
MAX_QUERY_CHARS = 120


async def discounts_by_ids(discount_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch("SELECT * FROM discounts WHERE id = ANY($1)", list(discount_ids))
    return {row["id"]: row for row in rows}


async def codes_by_ids(code_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch("SELECT * FROM discount_codes WHERE id = ANY($1)", list(code_ids))
    return {row["id"]: row for row in rows}


async def discounts_page(
    request: PageRequest,
    *,
    status: DiscountStatus | None = None,
    automatic: bool | None = None,
    name: str | None = None,
    count: bool,
) -> PageResult[db.Record]:
    """Newest first. `name` is a part of one, in any case. Raises DomainError(TOO_LONG | INVALID)."""
    if name and (wrong := check_text(name, MAX_QUERY_CHARS, ["name"])):
        raise wrong
    only = """
        ($1::text IS NULL OR status = $1) AND ($2::boolean IS NULL OR automatic = $2)
        AND ($3::text IS NULL OR position(lower($3) IN lower(name)) > 0)
    """
    filters = (status.value if status else None, automatic, name)
    rows = await db.fetch(
        f"SELECT * FROM discounts WHERE {only} AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5",
        *filters,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM discounts WHERE {only}", *filters) if count else None
    return _page(rows, request, CURSOR_DISCOUNTS, total)


async def codes_page(
    request: PageRequest,
    *,
    discount_id: uuid.UUID | None = None,
    profile_id: uuid.UUID | None = None,
    code: str | None = None,
    job_id: uuid.UUID | None = None,
    used: bool | None = None,
    count: bool,
) -> PageResult[db.Record]:
    """Newest first. `code` is what one begins with, in any case. Raises DomainError(TOO_LONG | INVALID)."""
    if code and (wrong := check_text(code, MAX_QUERY_CHARS, ["code"])):
        raise wrong
    only = """
        ($1::uuid IS NULL OR discount_id = $1) AND ($2::uuid IS NULL OR profile_id = $2)
        AND ($3::text IS NULL OR starts_with(upper(code), upper($3))) AND ($4::uuid IS NULL OR job_id = $4)
        AND ($5::boolean IS NULL OR (used_count > 0) = $5)
    """
    filters = (discount_id, profile_id, code, job_id, used)
    rows = await db.fetch(
        f"SELECT * FROM discount_codes WHERE {only} AND ($6::uuid IS NULL OR id < $6) ORDER BY id DESC LIMIT $7",
        *filters,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM discount_codes WHERE {only}", *filters) if count else None
    return _page(rows, request, CURSOR_CODES, total)


def _page(rows: list[Mapping[str, Any]], request: PageRequest, order: str, total: int | None) -> PageResult[db.Record]:
    return page_of(rows, [encode_cursor([row["id"].hex], order) for row in rows], request, total)
