"""What quotes are made of, in as few statements as it takes: the shop's terms for a country, and weights and prices."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypedDict

import orjson

from app import db
from app.addresses.locations import EVERYWHERE, Location
from app.configuration import version
from app.markets import current as markets
from app.markets.prices import converted, sql_of_hidden, sql_of_price_breaks
from app.markets.terms import MarketTerms
from app.shipping.delivery import read_delivery
from app.shipping.rates import RATE, in_currency
from app.shipping.rules import Method, ShippableLine, Zone

DEFAULT_TIME_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Terms:
    """How the shop ships to one country, in the currency of its market.

    `sells_there` is False where the shop does not sell to the country at all, whatever its zones say.
    """

    now: dt.datetime
    market: MarketTerms
    sells_there: bool
    time_zone: str
    zones: tuple[Zone, ...]
    has_pickup: bool = False
    """Whether there is a store in the country to fetch things from."""


def sql_of_terms(country: str, everywhere: str) -> str:
    """SQL: the shop's default warehouse, whether there are stores, and every zone that can hold the country.

    Args:
        country, everywhere: the statement's parameters: of the country's code, and of `EVERYWHERE`.
    """
    return f"""
        json_build_object(
            'has_pickup', EXISTS (
                SELECT FROM warehouses w WHERE w.pickup_enabled AND w.address ->> 'country_code' = {country}::text
            ),
            'time_zone', (SELECT time_zone FROM warehouses ORDER BY is_default DESC, priority, id LIMIT 1),
            'zones', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', z.id, 'locations', z.locations, 'methods', (
                        SELECT coalesce(json_agg(json_build_object(
                            'id', m.id, 'carrier', m.carrier, 'service', m.service,
                            'rate', m.rate, 'delivery', m.delivery) ORDER BY m.position, m.id), '[]')
                        FROM shipping_methods m WHERE m.zone_id = z.id AND m.is_active
                    )) ORDER BY z.position, z.id), '[]')
                FROM shipping_zones z
                WHERE z.locations @> jsonb_build_array(jsonb_build_object('country', {country}::text))
                   OR z.locations @> jsonb_build_array(jsonb_build_object('country', {everywhere}::text))
            )
        )
    """


_TERMS = f"SELECT business_now() AS now, {version('markets')} AS markets, {sql_of_terms('$1', '$2')} AS terms"


async def terms_for(country_code: str) -> Terms:
    """One statement."""
    row = await db.fetchrow(_TERMS, country_code, EVERYWHERE)
    if row is None:
        raise RuntimeError("the terms say nothing")
    return await terms_of(row["terms"], country_code, now=row["now"], markets_version=row["markets"])


async def terms_of(text: str, country_code: str, *, now: dt.datetime, markets_version: int | None) -> Terms:
    """What `sql_of_terms` says, together with the moment and the version of the markets that it was read with."""
    known = await markets.at(markets_version)
    market = known.of_country(country_code)
    told = _told(text, market.currency_code, market.shop_currency_code, market.exchange_rate)
    return Terms(now=now, market=market, sells_there=known.sells_to(country_code), **told)


class _Told(TypedDict):
    time_zone: str
    zones: tuple[Zone, ...]
    has_pickup: bool


# Zones hardly ever change, and reading them costs more than asking for them: the same text is the same zones.
@lru_cache(maxsize=50)
def _told(text: str, currency: str, shop_currency: str, exchange_rate: Decimal) -> _Told:
    stored = orjson.loads(text)

    def convert(amount_minor: int) -> int:
        if currency == shop_currency:
            return amount_minor
        return converted(amount_minor, exchange_rate, shop_currency, currency)

    return {
        "time_zone": stored["time_zone"] or DEFAULT_TIME_ZONE,
        "zones": tuple(_zone(zone, convert) for zone in stored["zones"]),
        "has_pickup": stored["has_pickup"],
    }


def _as_it_is(amount_minor: int) -> int:
    return amount_minor


def _zone(stored: Mapping[str, Any], convert: Callable[[int], int] = _as_it_is) -> Zone:
    return Zone(
        id=uuid.UUID(stored["id"]),
        locations=tuple(Location.read(location) for location in stored["locations"]),
        methods=tuple(
            Method(
                id=uuid.UUID(method["id"]),
                carrier=method["carrier"],
                service=method["service"],
                rate=in_currency(RATE.validate_python(method["rate"]), convert),
                delivery=read_delivery(method["delivery"]),
            )
            for method in stored["methods"]
        ),
    )


async def lines_of_variants(
    quantities: Mapping[uuid.UUID, int], country_code: str, customer_id: uuid.UUID | None = None
) -> dict[uuid.UUID, ShippableLine]:
    """By variant id, at the prices of the country's market; what is not for sale there is missing. One statement."""
    rows = await db.fetch(
        f"""
        SELECT v.id, v.weight_grams, v.requires_shipping, v.price_minor, v.track_inventory, v.inventory_policy,
               v.available_from, v.restock_expected_at, (
                   SELECT least(greatest(coalesce(sum(s.available - s.backordered), 0), 0), 2147483647)::int
                   FROM stock_levels s WHERE s.variant_id = v.id
               ) AS available_quantity,
               {sql_of_price_breaks("v", market="place.market_id", customer="$3::uuid")} AS price_breaks
        FROM (
            SELECT coalesce(
                (SELECT market_id FROM market_countries WHERE country_code = $2::text),
                (SELECT id FROM markets WHERE is_default)
            ) AS market_id
        ) place CROSS JOIN product_variants v JOIN products p ON p.id = v.product_id
        WHERE v.id = ANY($1::uuid[]) AND v.removed_at IS NULL AND p.status = 'ACTIVE'
          AND NOT {sql_of_hidden("p.id", "place.market_id")}
        """,
        list(quantities),
        country_code,
        customer_id,
    )
    return {row["id"]: _line(row, quantities[row["id"]]) for row in rows}


def _line(row: db.Record, quantity: int) -> ShippableLine:
    tiers = orjson.loads(row["price_breaks"]) if row["price_breaks"] else []
    reached = [tier["unit_price_minor"] for tier in tiers if tier["min_quantity"] <= quantity]
    return ShippableLine(
        variant_id=row["id"],
        quantity=quantity,
        weight_grams=row["weight_grams"],
        requires_shipping=row["requires_shipping"],
        unit_price_minor=reached[-1] if reached else row["price_minor"],
        available_quantity=row["available_quantity"],
        track_inventory=row["track_inventory"],
        sells_beyond_stock=row["inventory_policy"] == "CONTINUE",
        available_from=row["available_from"],
        restock_expected_at=row["restock_expected_at"],
    )


@dataclass(frozen=True, slots=True)
class StoredMethod:
    """A method as staff see it, switched off or not."""

    method: Method
    is_active: bool


@dataclass(frozen=True, slots=True)
class StoredZone:
    id: uuid.UUID
    name: str
    locations: tuple[Location, ...]
    methods: tuple[StoredMethod, ...]
    position: int
    created_at: dt.datetime
    updated_at: dt.datetime


async def stored_zones(zone_ids: Iterable[uuid.UUID] | None = None) -> list[StoredZone]:
    """For staff: some zones or all of them, in the shop's order. One statement."""
    rows = await db.fetch(
        """
        SELECT z.id, z.name, z.locations, z.position, z.created_at, z.updated_at, (
            SELECT coalesce(json_agg(json_build_object(
                'id', m.id, 'carrier', m.carrier, 'service', m.service, 'rate', m.rate, 'delivery', m.delivery,
                'is_active', m.is_active) ORDER BY m.position, m.id), '[]')
            FROM shipping_methods m WHERE m.zone_id = z.id
        ) AS methods
        FROM shipping_zones z
        WHERE $1::uuid[] IS NULL OR z.id = ANY($1)
        ORDER BY z.position, z.id
        """,
        None if zone_ids is None else list(zone_ids),
    )
    zones = []
    for row in rows:
        methods = orjson.loads(row["methods"])
        zone = _zone({"id": str(row["id"]), "locations": orjson.loads(row["locations"]), "methods": methods})
        zones.append(
            StoredZone(
                id=row["id"],
                name=row["name"],
                locations=zone.locations,
                methods=tuple(
                    StoredMethod(method, stored["is_active"])
                    for method, stored in zip(zone.methods, methods, strict=True)
                ),
                position=row["position"],
                created_at=row["created_at"],
                updated_at=row["updated_at"],
            )
        )
    return zones
