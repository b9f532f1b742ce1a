"""What can be bought at this moment, as conditions of SQL."""


def can_be_sold(variant: str) -> str:
    """Of a variant, by its alias: none is counted, or it may be sold beyond the stock, or there is some."""
    return f"""(
        NOT {variant}.track_inventory OR {variant}.inventory_policy = 'CONTINUE' OR (
            SELECT sum(s.available - s.backordered) FROM stock_levels s WHERE s.variant_id = {variant}.id
        ) > 0
    )"""


def for_sale(product: str) -> str:
    """Of a product, by its alias: it is on sale, and one of its variants can be sold."""
    return f"""{product}.status = 'ACTIVE' AND EXISTS (
        SELECT FROM product_variants v
        WHERE v.product_id = {product}.id AND v.removed_at IS NULL AND {can_be_sold("v")}
    )"""
