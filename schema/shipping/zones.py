"""Zones and methods, for staff."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.kit import ids
from app.shipping import queries, zone_editing
from app.shipping.delivery import Delivery
from app.shipping.queries import StoredMethod, StoredZone
from app.shipping.rates import FlatRate, PerItemRate, SubtotalRate, WeightRate
from app.shop import queries as shop
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.money import Money
from schema.nodes import Node, node_loader
from schema.selection import Selection
from schema.shipping.zone_inputs import METHOD_PREFIX, ShippingRateKind, ShippingZoneInput, Weekday

ZONE_PREFIX = "szone"


@strawberry.type(description="A country or a part of it.")
class ShippingLocation:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2, or `*` for wherever no other zone ships.")
    provinces: list[str] = strawberry.field(description="Codes of its provinces; empty for all.")
    postal_codes: list[str] = strawberry.field(description="Codes, prefixes and ranges; empty for all.")


@strawberry.type(description="A step of a rate by weight or by subtotal.")
class ShippingBracket:
    price: Money = strawberry.field(description="Price within it.")
    up_to_grams: int | None = strawberry.field(
        default=None, description="For weights: up to and including; null for any weight."
    )
    from_subtotal: Money | None = strawberry.field(default=None, description="For subtotals: from this one on.")


@strawberry.type(description="What a method costs.")
class ShippingRate:
    kind: ShippingRateKind = strawberry.field(description="How it is priced.")
    price: Money | None = strawberry.field(description="For `FLAT` and `PER_ITEM`.")
    per_item: Money | None = strawberry.field(description="For `PER_ITEM`.")
    brackets: list[ShippingBracket] = strawberry.field(description="For `BY_WEIGHT` and `BY_SUBTOTAL`.")
    free_from: Money | None = strawberry.field(description="A subtotal from which on it costs nothing.")
    min_weight_grams: int | None = strawberry.field(description="Lighter orders are not taken.")
    max_weight_grams: int | None = strawberry.field(description="Heavier orders are not taken.")

    @classmethod
    def of(cls, rate: FlatRate | PerItemRate | WeightRate | SubtotalRate, currency: str) -> "ShippingRate":
        def money(amount_minor: int | None) -> Money | None:
            return None if amount_minor is None else Money.of(amount_minor, currency)

        brackets: list[ShippingBracket] = []
        if isinstance(rate, WeightRate):
            brackets = [
                ShippingBracket(price=Money.of(bracket.price_minor, currency), up_to_grams=bracket.up_to_grams)
                for bracket in rate.brackets
            ]
        elif isinstance(rate, SubtotalRate):
            brackets = [
                ShippingBracket(
                    price=Money.of(bracket.price_minor, currency), from_subtotal=Money.of(bracket.from_minor, currency)
                )
                for bracket in rate.brackets
            ]
        return cls(
            kind=ShippingRateKind(rate.kind),
            price=money(rate.price_minor) if isinstance(rate, (FlatRate, PerItemRate)) else None,
            per_item=money(rate.per_item_minor) if isinstance(rate, PerItemRate) else None,
            brackets=brackets,
            free_from=money(rate.free_from_minor),
            min_weight_grams=rate.min_weight_grams,
            max_weight_grams=rate.max_weight_grams,
        )


@strawberry.type(description="How long a method takes, in working days.")
class ShippingDelivery:
    transit_days_min: int = strawberry.field(description="The carrier's shortest time.")
    transit_days_max: int = strawberry.field(description="The carrier's longest time.")
    handling_days_min: int = strawberry.field(description="The warehouse's shortest time to hand over.")
    handling_days_max: int = strawberry.field(description="The warehouse's longest time to hand over.")
    cutoff: str = strawberry.field(description="Local time, `HH:MM`, until which an order is handled the same day.")
    time_zone: str | None = strawberry.field(description="Null for the warehouse's own.")
    handling_weekdays: list[Weekday] = strawberry.field(description="When the warehouse hands over.")
    transit_weekdays: list[Weekday] = strawberry.field(description="When the carrier delivers.")
    holidays: list[dt.date] = strawberry.field(description="Days on which neither works.")

    @classmethod
    def of(cls, delivery: Delivery) -> "ShippingDelivery":
        return cls(
            transit_days_min=delivery.transit_days_min,
            transit_days_max=delivery.transit_days_max,
            handling_days_min=delivery.handling_days_min,
            handling_days_max=delivery.handling_days_max,
            cutoff=delivery.cutoff.isoformat("minutes"),
            time_zone=delivery.time_zone,
            handling_weekdays=[Weekday(day) for day in sorted(delivery.handling_weekdays)],
            transit_weekdays=[Weekday(day) for day in sorted(delivery.transit_weekdays)],
            holidays=sorted(delivery.holidays),
        )


@strawberry.type(description="A way to ship within a zone.")
class ShippingMethod:
    id: strawberry.ID = strawberry.field(description="For changing it with its zone.")
    carrier: str = strawberry.field(description="Who carries it.")
    service: str = strawberry.field(description="The carrier's service, as shoppers see it.")
    rate: ShippingRate = strawberry.field(description="What it costs.")
    delivery: ShippingDelivery | None = strawberry.field(description="How long it takes; null promises no dates.")
    active: bool = strawberry.field(description="Whether shoppers are offered it.")

    @classmethod
    def of(cls, stored: StoredMethod, currency: str) -> "ShippingMethod":
        method = stored.method
        return cls(
            id=strawberry.ID(ids.encode(METHOD_PREFIX, method.id)),
            carrier=method.carrier,
            service=method.service,
            rate=ShippingRate.of(method.rate, currency),
            delivery=ShippingDelivery.of(method.delivery) if method.delivery else None,
            active=stored.is_active,
        )


@strawberry.type(
    description="Where the shop ships to, and how. A destination belongs to the zone that names it most closely: a "
    "postal code counts more than a province, a province more than a country."
)
class ShippingZone(Node):
    name: str = strawberry.field(description="For staff.")
    locations: list[ShippingLocation] = strawberry.field(description="Where it is.")
    methods: list[ShippingMethod] = strawberry.field(description="How the shop ships there, in its order.")
    position: int = strawberry.field(description="Of zones that name a place equally closely, the lowest wins.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def of(cls, stored: StoredZone, currency: str) -> "ShippingZone":
        return cls(
            id=strawberry.ID(ids.encode(ZONE_PREFIX, stored.id)),
            name=stored.name,
            locations=[
                ShippingLocation(
                    country=location.country,
                    provinces=list(location.provinces),
                    postal_codes=list(location.postal_codes),
                )
                for location in stored.locations
            ],
            methods=[ShippingMethod.of(method, currency) for method in stored.methods],
            position=stored.position,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
        )


@strawberry.type(description="Answer to `shippingZoneCreate` and `shippingZoneUpdate`.")
class ShippingZonePayload:
    shipping_zone: ShippingZone | None = strawberry.field(default=None, description="The zone as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `shippingZoneDelete`.")
class ShippingZoneDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the zone that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _zones(zone_ids: Sequence[uuid.UUID] | None = None) -> list[ShippingZone]:
    currency = (await shop.current()).currency_code
    return [ShippingZone.of(zone, currency) for zone in await queries.stored_zones(zone_ids)]


@node_loader(ZONE_PREFIX)
async def load_zones(info: Info, texts: Sequence[str], selection: Selection) -> list[Node | None]:
    """Staff's own: for everybody else there are no zones."""
    if info.context.staff is None or not info.context.staff.may(Permission.SHIPPING_WRITE):
        return [None for _ in texts]
    zones = {zone.id: zone for zone in await _zones([ids.decode(ZONE_PREFIX, text, ["id"]) for text in texts])}
    return [zones.get(strawberry.ID(text)) for text in texts]


@strawberry.type
class ZoneQueries:
    @query(access=STAFF(Permission.SHIPPING_WRITE), description="Staff: every shipping zone with its methods.")
    async def shipping_zones(self, info: Info) -> list[ShippingZone]:
        return await _zones()


@strawberry.type
class ZoneMutations:
    @mutation(access=STAFF(Permission.SHIPPING_WRITE), description="Staff: ship to somewhere new.")
    async def shipping_zone_create(
        self, info: Info, input: Annotated[ShippingZoneInput, strawberry.argument(description="The new zone.")]
    ) -> ShippingZonePayload:
        zone_id = await zone_editing.create_zone(input.draft((await shop.current()).currency_code))
        return ShippingZonePayload(shipping_zone=(await _zones([zone_id]))[0])

    @mutation(
        access=STAFF(Permission.SHIPPING_WRITE),
        description="Staff: change a zone and its methods. Quotes that shoppers hold stay good.",
    )
    async def shipping_zone_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the zone.")],
        input: Annotated[ShippingZoneInput, strawberry.argument(description="What changes.")],
    ) -> ShippingZonePayload:
        zone_id = ids.decode(ZONE_PREFIX, id, ["id"])
        await zone_editing.update_zone(zone_id, input.draft((await shop.current()).currency_code))
        return ShippingZonePayload(shipping_zone=next(iter(await _zones([zone_id])), None))

    @mutation(
        access=STAFF(Permission.SHIPPING_WRITE),
        description="Staff: stop shipping by a zone. Quotes that shoppers hold stay good.",
    )
    async def shipping_zone_delete(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the zone.")]
    ) -> ShippingZoneDeletePayload:
        await zone_editing.delete_zone(ids.decode(ZONE_PREFIX, id, ["id"]))
        return ShippingZoneDeletePayload(deleted_id=id)
