"""Reading terms of sale: parts of other domains' statements, so that they cost none of their own."""

import uuid

import orjson

from app import db
from app.kit.wanted import Wanted
from app.terms.rules import ProductTerms, terms_of


def sql_of_terms(product: str) -> str:
    """SQL: the terms of the product with this alias as JSON for `rules.terms_of`; NULL where it has none."""
    return f"(SELECT row_to_json(terms) FROM product_terms terms WHERE terms.product_id = {product}.id)"


def product_columns(row: str, wanted: Wanted) -> list[str]:
    """What a document of the product with this alias holds of its terms."""
    of_row = f"FROM product_terms t WHERE t.product_id = {row}.id"
    columns = {
        "customizations": f"coalesce((SELECT t.customizations {of_row}), '[]') AS customizations",
        "quantityRule": f"""(
            SELECT json_build_object(
                'minimum', coalesce(t.minimum_quantity, 1), 'maximum', t.maximum_quantity,
                'multiple_of', coalesce(t.quantity_step, 1)
            ) {of_row} AND num_nonnulls(t.minimum_quantity, t.maximum_quantity, t.quantity_step) > 0
        ) AS quantity_rule""",
        "minimumAge": f"(SELECT t.minimum_age {of_row}) AS minimum_age",
        "allowedRegions": f"coalesce((SELECT t.allowed_regions {of_row}), '{{}}') AS allowed_regions",
        "forbiddenRegions": f"coalesce((SELECT t.forbidden_regions {of_row}), '{{}}') AS forbidden_regions",
    }
    return [column for name, column in columns.items() if name in wanted]


def availability_column(row: str, product: str, units: str) -> str:
    """Whether and when a variant is delivered, as in `app.terms.dates`.

    Args:
        row, product: aliases of the variant and its product.
        units: SQL of what there is of it.
    """
    return f"""CASE
        WHEN {product}.status <> 'ACTIVE' OR {row}.removed_at IS NOT NULL
            OR {row}.track_inventory AND {row}.inventory_policy <> 'CONTINUE' AND {units} <= 0
        THEN json_build_object('status', 'SOLD_OUT', 'expected_at', CASE
            WHEN {row}.removed_at IS NULL AND {product}.status = 'ACTIVE'
                AND greatest({row}.available_from, {row}.restock_expected_at) > business_now()
            THEN greatest({row}.available_from, {row}.restock_expected_at) END)
        WHEN {row}.available_from > business_now()
        THEN json_build_object('status', 'PRE_ORDER', 'expected_at', {row}.available_from)
        WHEN {row}.track_inventory AND {units} <= 0
        THEN json_build_object('status', 'BACK_ORDER', 'expected_at', CASE
            WHEN {row}.restock_expected_at > business_now() THEN {row}.restock_expected_at END)
        ELSE json_build_object('status', 'IN_STOCK', 'expected_at', null)
    END AS availability"""


async def of_product(product_id: uuid.UUID) -> ProductTerms:
    text: str | None = await db.fetchval(
        "SELECT row_to_json(terms) FROM product_terms terms WHERE product_id = $1", product_id
    )
    return terms_of(orjson.loads(text) if text else None)
