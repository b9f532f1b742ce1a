"""Goods, prices, stock, settings and the shop's own texts: about nobody. Their secrets are encrypted or hashed."""

from app.privacy.tables import shop

TABLES = (
    shop(
        "campaigns",
        "id name status channel segment_id template_key scheduled_at local_time per_minute audience "
        "enlisted_until revision created_at updated_at started_at finished_at",
    ),
    shop("collection_products", "id position collection_id product_id"),
    shop(
        "collections",
        "id slug name description description_html image_url image_alt_text seo_title seo_description "
        "is_published position created_at updated_at",
    ),
    shop("consent_texts", "id channel language version text created_at"),
    shop("crm_connections", "id adapter name enabled configuration credentials created_at updated_at"),
    shop("customer_group_price_lists", "id group_id price_list_id"),
    shop("customer_groups", "id name created_at updated_at"),
    shop(
        "discounts",
        "id name status automatic percentage amount_minor currency_code minimum_subtotal_minor usage_limit "
        "usage_limit_per_customer used_count starts_at ends_at rule reads_products source_key created_at updated_at",
    ),
    shop("flow_versions", "id flow_id number definition created_by created_at published_at"),
    shop(
        "flows",
        "id key name status priority latest_version published_version_id first_published_at paused_at "
        "created_at updated_at",
    ),
    shop("invoice_series", "id market_id kind prefix next_number created_at"),
    shop(
        "invoice_settings",
        "id issue attached vat_number registration footer restore_mark retired_prefixes updated_at",
    ),
    shop("market_countries", "country_code market_id", key="country_code"),
    shop("market_hidden_products", "id market_id product_id"),
    shop(
        "marketing_settings",
        "id email_cap_hours sms_cap_hours quiet_from quiet_until double_opt_in attribution_days voice_enabled "
        "utm_source help_text updated_at",
    ),
    shop(
        "markets",
        "id code name is_default price_list_id languages prices_include_tax minimum_order_minor rounding_minor "
        "position created_at updated_at",
    ),
    shop(
        "message_template_versions",
        "id template_id language number subject preheader mjml text created_by created_at published_at",
    ),
    shop("message_templates", "id key name channel purpose trigger created_at updated_at"),
    shop("price_list_prices", "id price_list_id variant_id min_quantity price_minor compare_at_price_minor updated_at"),
    shop("price_list_products", "id price_list_id product_id lowest_minor shop_minor"),
    shop(
        "price_lists",
        "id name currency_code adjustment_percentage exchange_rate round_to_minor ending_minor factor created_at "
        "updated_at",
    ),
    shop("product_images", "id position url alt_text width height product_id"),
    shop("product_options", "id position name values product_id"),
    shop(
        "product_variants",
        "id position name option_values sku barcode price_minor compare_at_price_minor cost_minor "
        "weight_grams requires_shipping taxable track_inventory inventory_policy metadata created_at "
        "updated_at image_id product_id removed_at available_from restock_expected_at",
    ),
    shop(
        "products",
        "id slug name status kind description description_html vendor product_type tags seo_title "
        "seo_description metadata tax_class_id min_price_minor max_price_minor created_at updated_at",
    ),
    shop(
        "referral_program",
        "id enabled friend_percentage friend_amount_minor reward_percentage reward_amount_minor "
        "reward_valid_days updated_at",
    ),
    shop("retention_periods", "kind days updated_at", key="kind"),
    shop(
        "segments",
        "id key name condition revision status depends_on time_dependent created_at updated_at built_through "
        "job_id failure failed_at",
    ),
    shop("shipping_methods", "id carrier service rate delivery is_active position zone_id"),
    shop("shipping_zones", "id name locations position created_at updated_at"),
    shop(
        "shop",
        "id name currency_code countries legal_name postal_address contact_email contact_phone time_zone "
        "locale available_quantity_limit reservation_minutes reservation_max_minutes reservation_unit_limit "
        "minimum_order_minor age_check updated_at",
    ),
    shop("shop_policies", "id kind title body body_html updated_at"),
    shop("staff_roles", "id name permissions is_owner"),
    shop("stock_levels", "id available reserved backordered updated_at variant_id warehouse_id"),
    shop("stock_movements", "id available_delta reason reference_id created_at stock_level_id"),
    shop(
        "stock_reservations",
        "id attempt_id checkout_id variant_id quantity backordered state shipped_quantity expires_at created_at "
        "stock_level_id",
    ),
    shop("upload_chunks", "id position content upload_id"),
    shop("uploads", "id filename size_bytes sha256 created_by created_at completed_at content_type expires_at"),
    shop("download_links", "id upload_id actor_id permission created_at expires_at used_at"),
    shop(
        "warehouses",
        "id code name is_default priority country_code time_zone pickup_enabled address opening_hours "
        "pickup_instructions pickup_ready_hours created_at",
    ),
    shop(
        "product_terms",
        "product_id customizations minimum_quantity maximum_quantity quantity_step minimum_age allowed_regions "
        "forbidden_regions updated_at",
        key="product_id",
    ),
    shop(
        "webhook_endpoints",
        "id name url event_types secret_generation enabled failing_since disabled_reason created_at "
        "updated_at secret_rotated_at",
    ),
)
