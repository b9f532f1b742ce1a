"""The statements that read carts. Everything about a cart comes with one of them, whatever the number of lines."""

from app.configuration import VERSIONS
from app.gift_cards import rules as value
from app.gifting import terms as gifting
from app.markets.prices import sql_of_hidden, sql_of_price_breaks
from app.promotions import queries as promotions
from app.shipping.queries import sql_of_terms as sql_of_terms_to_ship
from app.tax.facts import sql_of_facts
from app.terms.queries import sql_of_terms

# The texts below are constant, and nothing in them is estimated by a parameter's value (`ANY(ARRAY(SELECT …))` is not,
# `ANY($1)` is). So PostgreSQL keeps one plan for each; making a plan costs more than running it.

_TERMS = f"""
    'variant_id', v.id, 'product_id', p.id, 'variant_name', v.name, 'sku', v.sku,
    'is_removed', v.removed_at IS NOT NULL, 'product_status', p.status, 'product_kind', p.kind,
    'unit_price_minor', v.price_minor, 'requires_shipping', v.requires_shipping, 'weight_grams', v.weight_grams,
    'taxable', v.taxable, 'tax_class_id', p.tax_class_id, 'track_inventory', v.track_inventory,
    'inventory_policy', v.inventory_policy,
    'available_from', v.available_from, 'restock_expected_at', v.restock_expected_at,
    'terms', {sql_of_terms("p")},
    'available_quantity', (
        SELECT least(greatest(coalesce(sum(s.available - s.backordered), 0), 0), 2147483647)
        FROM stock_levels s WHERE s.variant_id = v.id
    )
"""
DESCRIPTION = """,
    'product_name', p.name,
    'image_url', coalesce(
        (SELECT i.url FROM product_images i WHERE i.id = v.image_id),
        (SELECT i.url FROM product_images i WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1)
    ),
    'selected_options', (
        SELECT json_agg(json_build_object('name', o.name, 'value', v.option_values[o.position]) ORDER BY o.position)
        FROM product_options o WHERE o.product_id = p.id
    )
"""


# A company's prices and exemptions are for its members: who has left it, and still has the cart, sees everybody's.
_COMPANY = """CROSS JOIN LATERAL (
    SELECT CASE WHEN c.company_id IS NOT NULL THEN (
        SELECT m.company_id FROM company_members m
        WHERE m.company_id = c.company_id AND m.customer_id = c.customer_id
    ) END AS id OFFSET 0
) company"""


def variant_terms(market: str, customer: str, company: str) -> str:
    """What is to be known of a variant `v` of the product `p`, by who buys it and where."""
    breaks = sql_of_price_breaks("v", market=market, customer=customer, company=company)
    return f"""{_TERMS},
        'price_breaks', {breaks}, 'is_hidden', (SELECT EXISTS (SELECT FROM market_hidden_products))
            AND {sql_of_hidden("p.id", f"coalesce({market}, (SELECT id FROM markets WHERE is_default))")}
    """


_PRODUCTS = """
    SELECT held.product_id FROM cart_lines l JOIN product_variants held ON held.id = l.variant_id WHERE l.cart_id = c.id
"""
_DISCOUNTS = promotions.sql_of_offered("c.discount_codes", _PRODUCTS)
_TAX_FACTS = sql_of_facts(tax_id="c.tax_id", customer_id="c.customer_id", company_id="company.id")


def _carts(
    which: str,
    *,
    description: str = "",
    more: str = "",
    discounts: str = _DISCOUNTS,
    market: str = "c.market_id",
    beside: str = "",
    for_amounts: bool = True,
) -> str:
    terms = variant_terms(market, "c.customer_id", "company.id")
    wrap_terms, stored_value, tax_facts = gifting.sql_of_terms("c"), value.sql_of_value("c"), _TAX_FACTS
    if not for_amounts:
        discounts = wrap_terms = stored_value = tax_facts = "NULL"
    return f"""
        SELECT c.id, c.secret_hash, c.state, c.revision, c.email, c.phone, c.country_code, c.note, c.attributes,
               {market} AS priced_in, {VERSIONS} AS versions, business_now() AS read_at,
               (SELECT json_build_array(s.age_check, s.minimum_order_minor) FROM shop s WHERE s.id = 1) AS shop_terms,
               c.created_at, c.updated_at, c.profile_id, c.customer_id, c.market_id, c.company_id, c.tax_id,
               c.company_id IS NOT NULL AND company.id IS NULL AS has_left_company,
               c.gift_options, {wrap_terms} AS wrap_terms,
               c.gift_card_ids, c.use_store_credit, {stored_value} AS stored_value,
               c.discount_codes, {discounts} AS discounts, {tax_facts} AS tax_facts,
               EXISTS (
                   SELECT FROM checkout_attempts a
                   WHERE a.cart_id = c.id AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
               ) AS checkout_in_progress,
               (
                   SELECT json_build_object(
                       'id', k.id, 'email', k.email, 'phone', k.phone, 'started', k.started_event_at IS NOT NULL,
                       'reserved_until', k.reserved_until,
                       'shipping_country', k.shipping_address ->> 'country_code',
                       'shipping_province', k.shipping_address ->> 'province_code',
                       'shipping_postal_code', k.shipping_address ->> 'postal_code',
                       'shipping_city', k.shipping_address ->> 'city',
                       'held', (
                           SELECT json_object_agg(h.variant_id, h.units) FROM (
                               SELECT r.variant_id, sum(r.quantity) AS units FROM stock_reservations r
                               WHERE r.checkout_id = k.id AND r.state = 'HELD' GROUP BY r.variant_id
                           ) h
                       )
                   )
                   FROM checkouts k WHERE k.cart_id = c.id
               ) AS checkout,
               (
                   SELECT json_agg(json_build_object(
                       'id', l.id, 'quantity', l.quantity, 'attributes', l.attributes,
                       'attributes_key', l.attributes_key, 'customizations', l.customizations,
                       'gift_options', l.gift_options, {terms} {description}
                   ) ORDER BY l.id)
                   FROM cart_lines l
                   JOIN product_variants v ON v.id = l.variant_id
                   JOIN products p ON p.id = v.product_id
                   WHERE l.cart_id = c.id
               ) AS lines {more}
        FROM carts c {_COMPANY} {beside} WHERE {which}
    """


def variants_among(parameter: str, terms: str) -> str:
    return f"""(
        SELECT json_agg(json_build_object({terms}))
        FROM product_variants v JOIN products p ON p.id = v.product_id
        WHERE v.id = ANY(ARRAY(SELECT unnest({parameter}::uuid[])))
    ) AS variants"""


def _products_among(parameter: str) -> str:
    return f"SELECT product_id FROM product_variants WHERE id = ANY(ARRAY(SELECT unnest({parameter}::uuid[])))"


_OF_CART = variant_terms("c.market_id", "c.customer_id", "company.id")
DESCRIBED = _carts("c.id = $1", description=DESCRIPTION)


def carts_with(more: str, *, which: str, beside: str = "", described: bool = False, for_amounts: bool = True) -> str:
    """Carts with what another module wants to know at the same moment of a cart `c`.

    Args:
        more: columns, beginning with a comma.
        which: what is true of the cart.
        beside: joins.
        described: with names and pictures.
        for_amounts: with all that amounts depend on: discounts, taxes, wrapping, stored value. PostgreSQL sets up each
            part of a statement whether it runs or not, so who asks for the lines alone gets them for half of the time.
    """
    description = DESCRIPTION if described else ""
    return _carts(which, description=description, more=more, beside=beside, for_amounts=for_amounts)


DESCRIBED_ELSEWHERE = _carts("c.id = $1", description=DESCRIPTION, market="$2::uuid")
FOR_MARKET = _carts("c.id = $1", market="$2::uuid")
FOR_CHANGE = _carts(
    "c.id = $1",
    more=f", {variants_among('$2', _OF_CART)}",
    discounts=promotions.sql_of_offered("c.discount_codes", f"{_PRODUCTS} UNION {_products_among('$2')}"),
)
FOR_CODES = _carts("c.id = $1", discounts=promotions.sql_of_offered("$2::jsonb", _PRODUCTS))
ONE = _carts("c.id = $1")
MANY = _carts("c.id = ANY(ARRAY(SELECT unnest($1::uuid[])))")
OF_LINES = _carts("c.id IN (SELECT l.cart_id FROM cart_lines l WHERE l.id = ANY(ARRAY(SELECT unnest($1::uuid[]))))")
FOR_QUOTES = carts_with(f", {sql_of_terms_to_ship('$2', '$3')} AS shipping_terms", which="c.id = $1", for_amounts=False)


def _offer(terms: str, discounts: str, tax_facts: str) -> str:
    return f"""
        SELECT business_now() AS now, s.countries, {VERSIONS} AS versions,
               {variants_among("$1", terms)}, {discounts} AS discounts, {tax_facts} AS tax_facts
        FROM shop s WHERE s.id = 1
    """


OFFER = _offer(
    variant_terms("$2::uuid", "$4::uuid", "null::uuid"),
    promotions.sql_of_offered("$3::jsonb", _products_among("$1")),
    sql_of_facts(tax_id="$5::text", customer_id="$4::uuid", company_id="null::uuid"),
)
# For somebody who says nothing of themselves and enters no code: most carts begin so.
OFFER_TO_ANYBODY = _offer(
    variant_terms("$2::uuid", "null::uuid", "null::uuid"), promotions.sql_of_automatic(_products_among("$1")), "NULL"
)
