"""SQL that makes JSON documents out of the catalogue: exactly what is wanted, to any depth.

Ids are in their public form, money is minor units of the market's currency (costs of the shop's), and what is not the
viewer's to see is left out.
"""

from collections.abc import Callable, Iterable, Mapping

from app.catalogue import orderings, prices, recommendations
from app.catalogue.availability import for_sale
from app.catalogue.orderings import Order, ProductSortKey
from app.catalogue.recommendations import DEFAULT_SUGGESTED, MAX_SUGGESTED, RecommendationIntent
from app.catalogue.rules import MAX_IMAGES
from app.catalogue.shown_prices import ShownPrice
from app.catalogue.statements import (
    PAGE_ARGUMENTS,
    Statement,
    by_arguments,
    connection,
    document,
    documents,
    prefetched,
)
from app.errors import CommonErrorCode, DomainError
from app.kit.problems import MAX_INT
from app.kit.wanted import Wanted, WantedField
from app.terms.queries import availability_column, product_columns


def selected_options(options: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names and values, in an order that does not depend on the client's."""
    return tuple(sorted((option["name"], option["value"]) for option in options))


ARGUMENTS: dict[str, Callable[[WantedField], tuple[object, ...]]] = {
    "images": by_arguments("first"),
    "variants": by_arguments(*PAGE_ARGUMENTS),
    "collections": by_arguments(*PAGE_ARGUMENTS),
    "products": by_arguments(*PAGE_ARGUMENTS, "sortKey", "reverse"),
    "recommendations": by_arguments("intent", "first"),
    "variantBySelectedOptions": lambda field: selected_options(field.arguments["options"]),
}
"""The fields that have arguments, and these, as they make up the key in a document."""


def key_in_document(name: str, field: WantedField) -> str:
    return prefetched(name, *ARGUMENTS[name](field))


def appearances(name: str, wanted: Wanted, build: Callable[[WantedField, Wanted], str]) -> list[str]:
    """A column for each set of arguments that the field is wanted with."""
    columns: dict[str, str] = {}
    for field in wanted.fields(name):
        key = key_in_document(name, field)
        if key not in columns:
            columns[key] = f'{build(field, wanted.below(name))} AS "{key}"'
    return list(columns.values())


def _public_id(prefix: str, column: str) -> str:
    return f"'{prefix}_' || replace({column}::text, '-', '')"


def _plain(row: str, wanted: Wanted, columns: dict[str, str]) -> list[str]:
    return [f"{row}.{column}" for name, column in columns.items() if name in wanted]


_SEO = "json_build_object('title', {row}.seo_title, 'description', {row}.seo_description) AS seo"
_IMAGE = "json_build_object('url', i.url, 'alt_text', i.alt_text, 'width', i.width, 'height', i.height)"
_FIRST_IMAGE = (
    f"SELECT {_IMAGE} FROM product_images i WHERE i.product_id = {{product}}.id ORDER BY i.position, i.id LIMIT 1"
)

# --- products ---------------------------------------------------------------------------------------------------------

_PRODUCT_COLUMNS = {
    "slug": "slug",
    "name": "name",
    "status": "status",
    "kind": "kind",
    "description": "description",
    "descriptionHtml": "description_html",
    "vendor": "vendor",
    "productType": "product_type",
    "tags": "tags",
    "metadata": "metadata",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


def product_fields(s: Statement, row: str, wanted: Wanted) -> tuple[list[str], str]:
    columns = [f"{_public_id('prod', f'{row}.id')} AS id", *_plain(row, wanted, _PRODUCT_COLUMNS)]
    if "seo" in wanted:
        columns.append(_SEO.format(row=row))
    ranges, joins = prices.ranges(s, row, wanted)
    columns += ranges
    if "availableForSale" in wanted:
        columns.append(f"({for_sale(row)}{s.not_hidden(row)}) AS available_for_sale")
    if "options" in wanted:
        option = f"json_build_object('id', {_public_id('opt', 'o.id')}, 'name', o.name, 'values', o.values)"
        columns.append(f"""(
            SELECT coalesce(json_agg({option} ORDER BY o.position), '[]')
            FROM product_options o WHERE o.product_id = {row}.id
        ) AS options""")
    if "featuredImage" in wanted:
        columns.append(f"({_FIRST_IMAGE.format(product=row)}) AS featured_image")
    if "taxClassId" in wanted:
        columns.append(f"{_public_id('tclass', f'{row}.tax_class_id')} AS tax_class_id")
    columns += product_columns(row, wanted)
    columns += appearances("images", wanted, lambda field, _: _images(row, field))
    columns += appearances("variants", wanted, lambda field, below: _variants(s, row, field, below))
    columns += appearances("collections", wanted, lambda field, below: _collections(s, row, field, below))
    columns += appearances(
        "variantBySelectedOptions",
        wanted,
        lambda field, below: _variant_by_options(s, row, selected_options(field.arguments["options"]), below),
    )
    columns += appearances("recommendations", wanted, lambda field, below: _recommendations(s, row, field, below))
    return columns, joins


def _images(product: str, field: WantedField) -> str:
    first = field.arguments.get("first")
    if first is not None and not 0 <= first <= MAX_IMAGES:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, f"first must be from 0 to {MAX_IMAGES}.", ["first"])
    limit = MAX_IMAGES if first is None else first
    return f"""(
        SELECT coalesce(json_agg({_IMAGE} ORDER BY i.position, i.id), '[]') FROM (
            SELECT * FROM product_images i WHERE i.product_id = {product}.id
            ORDER BY i.position, i.id LIMIT {limit}
        ) i
    )"""


def _recommendations(s: Statement, product: str, field: WantedField, wanted: Wanted) -> str:
    first = field.arguments.get("first")
    if first is not None and not 0 <= first <= MAX_SUGGESTED:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, f"first must be from 0 to {MAX_SUGGESTED}.", ["first"])
    intent = field.arguments.get("intent") or RecommendationIntent.RELATED
    count = DEFAULT_SUGGESTED if first is None else first
    chosen = recommendations.of_one(product, intent, count, shown=s.not_hidden("p"))
    row, suggested = s.alias("p"), s.alias("suggested")
    columns, joins = product_fields(s, row, wanted)
    source = f"""({chosen}) {suggested} JOIN products {row} ON {row}.id = {suggested}.id {joins}
        ORDER BY {suggested}.position"""
    return documents(source, columns)


def product_order(s: Statement, sort_key: ProductSortKey, *, reverse: bool) -> Order:
    """By the prices that are shown, where these are not the shop's own."""
    if sort_key is ProductSortKey.PRICE and s.has_own_prices:
        return ShownPrice(s.price_lists(), s.only_price_list(), reverse)
    return orderings.product_ordering(sort_key, reverse=reverse)


def product_connection(
    s: Statement, row: str, source: str, *, ordering: Order, field: WantedField, wanted: Wanted
) -> str:
    return connection(
        s,
        row,
        source,
        ordering=ordering,
        field=field,
        wanted=wanted,
        fields=lambda alias, below: product_fields(s, alias, below),
    )


# --- variants ---------------------------------------------------------------------------------------------------------

_VARIANT_COLUMNS = {
    "name": "name",
    "sku": "sku",
    "barcode": "barcode",
    "weightGrams": "weight_grams",
    "requiresShipping": "requires_shipping",
    "taxable": "taxable",
    "trackInventory": "track_inventory",
    "inventoryPolicy": "inventory_policy",
    "availableFrom": "available_from",
    "restockExpectedAt": "restock_expected_at",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
_OF_STOCK = ("availableForSale", "availableQuantity", "availability")
_OPTION_NAMES = (
    "SELECT array_agg(o.name ORDER BY o.position) AS names FROM product_options o WHERE o.product_id = {product}.id"
)
_STOCK_LEVELS = f"""(
    SELECT coalesce(json_agg(json_build_object(
        'available', s.available, 'reserved', s.reserved,
        'on_hand', least(s.available::bigint + s.reserved, {MAX_INT}),
        'backordered', s.backordered, 'updated_at', s.updated_at,
        'warehouse', json_build_object(
            'id', {_public_id("wh", "w.id")}, 'code', w.code, 'name', w.name, 'is_default', w.is_default,
            'priority', w.priority, 'country_code', w.country_code, 'time_zone', w.time_zone,
            'pickup_enabled', w.pickup_enabled, 'address', w.address, 'opening_hours', w.opening_hours,
            'pickup_instructions', w.pickup_instructions, 'pickup_ready_hours', w.pickup_ready_hours
        )
    ) ORDER BY w.priority, w.id), '[]')
    FROM stock_levels s JOIN warehouses w ON w.id = s.warehouse_id WHERE s.variant_id = {{row}}.id
) AS stock_levels"""


def variant_fields(
    s: Statement, row: str, product: str, wanted: Wanted, option_names: str | None = None
) -> tuple[list[str], str]:
    """`product` is the alias of the variant's product; `option_names` an array of SQL's, where it is at hand."""
    columns = [f"{_public_id('var', f'{row}.id')} AS id", *_plain(row, wanted, _VARIANT_COLUMNS)]
    price_columns, joins = prices.of_variant(s, row, wanted)
    columns += price_columns
    if "selectedOptions" in wanted:
        names = option_names or f"({_OPTION_NAMES.format(product=product)})"
        columns.append(f"json_build_array({names}, {row}.option_values) AS selected_options")
    if any(name in wanted for name in _OF_STOCK):
        stock = s.alias("stock")
        joins += f""" CROSS JOIN LATERAL (
            SELECT least(greatest(coalesce(sum(s.available - s.backordered), 0), 0), {MAX_INT}) AS units
            FROM stock_levels s WHERE s.variant_id = {row}.id
        ) {stock}"""
        columns.append(f"""(
            {product}.status = 'ACTIVE' AND {row}.removed_at IS NULL{s.not_hidden(product)}
            AND (NOT {row}.track_inventory OR {row}.inventory_policy = 'CONTINUE' OR {stock}.units > 0)
        ) AS available_for_sale""")
        limit = "" if s.sees_hidden else f"AND {stock}.units <= (SELECT available_quantity_limit FROM shop)"
        columns.append(f"CASE WHEN {row}.track_inventory {limit} THEN {stock}.units END AS available_quantity")
        if "availability" in wanted:
            columns.append(availability_column(row, product, f"{stock}.units"))
    if "image" in wanted:
        own_image = f"SELECT {_IMAGE} FROM product_images i WHERE i.id = {row}.image_id"
        columns.append(f"coalesce(({own_image}), ({_FIRST_IMAGE.format(product=product)})) AS image")
    if "cost" in wanted:
        columns.append(f"{row}.cost_minor AS cost" if s.sees_hidden else "null AS cost")
    if "stockLevels" in wanted:
        columns.append(_STOCK_LEVELS.format(row=row) if s.sees_hidden else "null AS stock_levels")
    if "product" in wanted:
        own = s.alias("p")
        inner, more = product_fields(s, own, wanted.below("product"))
        columns.append(f"{document(f'products {own} {more} WHERE {own}.id = {row}.product_id', inner)} AS product")
    return columns, joins


def _variants(s: Statement, product: str, field: WantedField, wanted: Wanted) -> str:
    row = s.alias("v")

    def fields(alias: str, below: Wanted) -> tuple[list[str], str]:
        if "selectedOptions" not in below:
            return variant_fields(s, alias, product, below)
        # Once for the product, not once for each variant.
        names = s.alias("names")
        columns, joins = variant_fields(s, alias, product, below, f"{names}.names")
        return columns, f"CROSS JOIN ({_OPTION_NAMES.format(product=product)}) {names} {joins}"

    source = f"product_variants {row} WHERE {row}.product_id = {product}.id AND {row}.removed_at IS NULL"
    return connection(s, row, source, ordering=orderings.VARIANTS, field=field, wanted=wanted, fields=fields)


def _variant_by_options(s: Statement, product: str, options: tuple[tuple[str, str], ...], wanted: Wanted) -> str:
    if len({name for name, _ in options}) != len(options):
        return "(SELECT null::json)"  # two values for one option: no variant has them
    row = s.alias("v")
    names = s.bind([name for name, _ in options], "text[]")
    values = s.bind([value for _, value in options], "text[]")
    columns, joins = variant_fields(s, row, product, wanted)
    source = f"""product_variants {row} {joins}
        WHERE {row}.product_id = {product}.id AND {row}.removed_at IS NULL
        AND cardinality({row}.option_values) = {len(options)}
        AND {row}.option_values = (
            SELECT coalesce(array_agg(chosen.value ORDER BY o.position), '{{}}')
            FROM unnest({names}, {values}) AS chosen (name, value)
            JOIN product_options o ON o.product_id = {product}.id AND o.name = chosen.name
        )"""
    return document(source, columns)


# --- collections ------------------------------------------------------------------------------------------------------

_COLLECTION_COLUMNS = {
    "slug": "slug",
    "name": "name",
    "description": "description",
    "descriptionHtml": "description_html",
    "isPublished": "is_published",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


def collection_fields(s: Statement, row: str, wanted: Wanted) -> tuple[list[str], str]:
    columns = [f"{_public_id('coll', f'{row}.id')} AS id", *_plain(row, wanted, _COLLECTION_COLUMNS)]
    if "seo" in wanted:
        columns.append(_SEO.format(row=row))
    if "image" in wanted:
        columns.append(f"""CASE WHEN {row}.image_url IS NOT NULL THEN json_build_object(
            'url', {row}.image_url, 'alt_text', {row}.image_alt_text, 'width', null, 'height', null
        ) END AS image""")
    columns += appearances("products", wanted, lambda field, below: _products_of(s, row, field, below))
    return columns, ""


def _products_of(s: Statement, collection: str, field: WantedField, wanted: Wanted) -> str:
    row = s.alias("p")
    sort_key: ProductSortKey | None = field.arguments.get("sortKey")
    reverse = bool(field.arguments.get("reverse"))
    if sort_key is None:
        ordering: Order = orderings.as_arranged(reverse=reverse)
    else:
        ordering = product_order(s, sort_key, reverse=reverse)
    source = f"""collection_products entry JOIN products {row} ON {row}.id = entry.product_id
        WHERE entry.collection_id = {collection}.id AND {s.product_is_visible(row)}"""
    return product_connection(s, row, source, ordering=ordering, field=field, wanted=wanted)


def _collections(s: Statement, product: str, field: WantedField, wanted: Wanted) -> str:
    row = s.alias("c")
    source = f"""collection_products entry JOIN collections {row} ON {row}.id = entry.collection_id
        WHERE entry.product_id = {product}.id AND {s.collection_is_visible(row)}"""
    return collection_connection(s, row, source, field=field, wanted=wanted)


def collection_connection(s: Statement, row: str, source: str, *, field: WantedField, wanted: Wanted) -> str:
    return connection(
        s,
        row,
        source,
        ordering=orderings.COLLECTIONS,
        field=field,
        wanted=wanted,
        fields=lambda alias, below: collection_fields(s, alias, below),
    )
