"""The shop's own row, and the warehouse that everything ships from."""

import uuid
from collections.abc import Sequence

from app import db
from app.markets import current
from tests.factories import inventory

COUNTRIES = ("US", "CA", "GB", "DE", "FR", "JP")


async def shop(
    *,
    name: str = "Tradewind Supply",
    currency: str = "USD",
    countries: Sequence[str] = COUNTRIES,
    time_zone: str = "UTC",
    locale: str = "en-US",
    available_quantity_limit: int = 20,
    contact_email: str = "hello@tradewind.example",
) -> uuid.UUID:
    """The one shop, as asked for, and a default warehouse; returns the warehouse's id."""
    await db.execute(
        """
        INSERT INTO shop (id, name, currency_code, countries, legal_name, postal_address, contact_email,
                          contact_phone, time_zone, locale, available_quantity_limit, updated_at)
        VALUES (1, $1, $2, $3, 'Tradewind Supply, Inc.', E'1 Harbor Way\nPortland, OR 97201', $4, '', $5, $6, $7,
                clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET
            name = EXCLUDED.name, currency_code = EXCLUDED.currency_code, countries = EXCLUDED.countries,
            contact_email = EXCLUDED.contact_email, time_zone = EXCLUDED.time_zone, locale = EXCLUDED.locale,
            available_quantity_limit = EXCLUDED.available_quantity_limit
        """,
        name,
        currency,
        list(countries),
        contact_email,
        time_zone,
        locale,
        available_quantity_limit,
    )
    await current.now()  # as a process that has answered before: statements can be counted
    return await inventory.default_warehouse()


async def policy(kind: str, title: str, body: str) -> None:
    """A policy such as DELIVERY or RETURNS; a second one of the same kind takes its place."""
    await db.execute(
        """
        INSERT INTO shop_policies (id, kind, title, body, body_html, updated_at)
        VALUES (gen_random_uuid(), $1, $2, $3, '<p>' || $3 || '</p>', clock_timestamp())
        ON CONFLICT (kind) DO UPDATE SET title = EXCLUDED.title, body = EXCLUDED.body, body_html = EXCLUDED.body_html
        """,
        kind,
        title,
        body,
    )
