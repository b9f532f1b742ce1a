"""The shop's taxes out of the database, once for each process and version."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from app import db
from app.addresses.locations import Location
from app.configuration import Versioned
from app.pricing.amounts import TaxRate
from app.tax.terms import (
    NOTHING,
    EngineTerms,
    ShippingTax,
    TaxClass,
    TaxEngineFallback,
    TaxIdCheck,
    TaxIdFallback,
    TaxSettings,
    TaxZone,
)

PART = "taxes"
"""Of the configuration, in `configuration_versions`."""

_LOAD = """
    SELECT (SELECT row_to_json(s) FROM (
                SELECT home_country_code, tax_id, gross_price_stays, untaxed_price_stays, shipping,
                       shipping_class_id, gift_wrap_class_id, tax_id_check, tax_id_fallback, engine,
                       engine_configuration, engine_timeout_ms, engine_fallback
                FROM tax_settings WHERE id = 1
           ) s) AS settings,
           (SELECT engine_credentials FROM tax_settings WHERE id = 1) AS credentials,
           (SELECT json_agg(json_build_object('id', id, 'name', name, 'code', code, 'is_default', is_default)
                            ORDER BY NOT is_default, name, id) FROM tax_classes) AS classes,
           (SELECT json_agg(json_build_object(
                'id', z.id, 'name', z.name, 'locations', z.locations, 'shipping', z.shipping, 'rates', (
                    SELECT json_agg(json_build_object(
                        'class', r.tax_class_id, 'name', r.name, 'percentage', r.percentage::text,
                        'compound', r.compound, 'code', r.code) ORDER BY r.position, r.id)
                    FROM tax_rates r WHERE r.zone_id = z.id
                )) ORDER BY z.position, z.id) FROM tax_zones z) AS zones
"""


async def load() -> TaxSettings:
    """One statement. Use `settings`, which keeps what it loaded."""
    row = await db.fetchrow(_LOAD)
    if row is None:
        raise RuntimeError("a statement of sub-selects gave no row")
    stored = orjson.loads(row["settings"]) if row["settings"] else None
    classes = tuple(
        TaxClass(UUID(one["id"]), one["name"], one["code"], one["is_default"])
        for one in orjson.loads(row["classes"] or "[]")
    )
    zones = tuple(_zone(one) for one in orjson.loads(row["zones"] or "[]"))
    if stored is None:
        return TaxSettings(classes=classes, zones=zones)
    engine = None
    if stored["engine"]:
        engine = EngineTerms(
            name=stored["engine"],
            configuration=stored["engine_configuration"],
            credentials=row["credentials"],
            timeout_ms=stored["engine_timeout_ms"],
            fallback=TaxEngineFallback(stored["engine_fallback"]),
        )
    return TaxSettings(
        home_country_code=stored["home_country_code"],
        tax_id=stored["tax_id"],
        gross_price_stays=stored["gross_price_stays"],
        untaxed_price_stays=stored["untaxed_price_stays"],
        shipping=ShippingTax(stored["shipping"]),
        shipping_class_id=_uuid(stored["shipping_class_id"]),
        gift_wrap_class_id=_uuid(stored["gift_wrap_class_id"]),
        tax_id_check=TaxIdCheck(stored["tax_id_check"]),
        tax_id_fallback=TaxIdFallback(stored["tax_id_fallback"]),
        engine=engine,
        classes=classes,
        zones=zones,
    )


def _zone(stored: dict[str, Any]) -> TaxZone:
    rates: dict[UUID, tuple[TaxRate, ...]] = {}
    for one in stored["rates"] or []:
        class_id = UUID(one["class"])
        rate = TaxRate(
            name=one["name"],
            rate=fraction_of(Decimal(one["percentage"])),
            compound=one["compound"],
            code=one["code"],
        )
        rates[class_id] = (*rates.get(class_id, ()), rate)
    return TaxZone(
        id=UUID(stored["id"]),
        name=stored["name"],
        locations=tuple(Location.read(location) for location in stored["locations"]),
        rates=rates,
        shipping=ShippingTax(stored["shipping"]) if stored["shipping"] else None,
    )


def fraction_of(percentage: Decimal) -> Decimal:
    """0.19 for 19, and for 19.000000 too."""
    return (percentage / 100).normalize() + 0


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


settings: Versioned[TaxSettings] = Versioned(PART, load)
"""Use `settings_at`, or for one statement `settings.current()`."""


async def settings_at(version: int | None) -> TaxSettings:
    """The settings of the version that a statement of the caller's has just read (`app.configuration`)."""
    return NOTHING if version is None else await settings.at(version)
