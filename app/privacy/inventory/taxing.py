"""Taxes: the shop's rates, who is exempt, and what registers said of businesses' numbers."""

from app.privacy.tables import Table, Whose, columns, shop

TABLES = (
    shop("tax_classes", "id name code is_default created_at updated_at"),
    shop("tax_zones", "id name locations shipping position created_at updated_at"),
    shop("tax_rates", "id zone_id tax_class_id name percentage compound code position"),
    shop(
        "tax_settings",
        "id home_country_code tax_id gross_price_stays untaxed_price_stays shipping "
        "shipping_class_id gift_wrap_class_id tax_id_check tax_id_fallback engine engine_configuration "
        "engine_credentials engine_timeout_ms engine_fallback updated_at",
    ),
    Table(
        "tax_exemptions",
        Whose.PERSON,
        columns(
            id="id customer_id company_id created_by",
            text="certificate_number",
            fact="country_code province_code valid_until created_at",
        ),
        rows="t.customer_id = ANY(:customers)",
        section="taxExemptions",
    ),
    Table(
        "tax_id_checks",
        Whose.PERSON,
        columns(
            id="id",
            text="tax_id",
            fact="state requested_at checked_at consultation_number requester",
        ),
        rows="t.tax_id IN (SELECT o.tax_id FROM orders o WHERE o.id IN :orders)",
        section="taxIdChecks",
        kept={"tax_id": "Proof for sales without VAT: of a business, and as long as the order that names it."},
    ),
)
