"""Where which taxes are due."""

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.kit import ids
from app.staff.permissions import Permission
from app.tax import queries, zone_editing
from app.tax.settings import settings
from app.tax.terms import TaxSettings
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields
from schema.taxes.classes import CLASS_PREFIX, TaxClass
from schema.taxes.enums import ShippingTax

ZONE_PREFIX = "tzone"
_WRITE = STAFF(Permission.TAXES_WRITE)
ZoneId = Annotated[strawberry.ID, strawberry.argument(description="Id of the zone.")]


@strawberry.type(description="A country or a part of it.")
class TaxLocation:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2, or `*` for wherever no other zone is.")
    provinces: list[str] = strawberry.field(description="Codes of its provinces; empty for all.")
    postal_codes: list[str] = strawberry.field(description="Codes, prefixes and ranges; empty for all.")


@strawberry.type(description="A tax on what is of one class.")
class TaxRate:
    tax_class: TaxClass = strawberry.field(description="What it is due on.")
    name: str = strawberry.field(description="As shoppers and invoices have it: `VAT`, `New York State`.")
    percentage: Decimal = strawberry.field(description="Of 100: `19`, `8.875`.")
    compound: bool = strawberry.field(description="Whether it is levied on the price and the rates before it.")
    code: str | None = strawberry.field(description="For the bookkeeping.")


@strawberry.type(
    description="Where which taxes are due. A destination belongs to the zone that names it most closely: a postal "
    "code counts more than a province, a province more than a country. The rates of that zone are due, and no others."
)
class TaxZone:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    name: str = strawberry.field(description="For staff.")
    locations: list[TaxLocation] = strawberry.field(description="Where it is.")
    rates: list[TaxRate] = strawberry.field(
        description="Its taxes, of each class in the order of being levied. A class without any is not taxed there."
    )
    shipping: ShippingTax | None = strawberry.field(description="Null for what `taxSettings.shipping` says.")
    position: int = strawberry.field(description="Of zones that name a place equally closely, the lowest wins.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def of(cls, stored: queries.StoredZone, known: TaxSettings) -> "TaxZone":
        classes = {one.id: one for one in known.classes}
        return cls(
            id=strawberry.ID(ids.encode(ZONE_PREFIX, stored.id)),
            name=stored.name,
            locations=[
                TaxLocation(
                    country=location.country,
                    provinces=list(location.provinces),
                    postal_codes=list(location.postal_codes),
                )
                for location in stored.locations
            ],
            rates=[
                TaxRate(
                    tax_class=TaxClass.of(classes[rate.tax_class_id]),
                    name=rate.name,
                    percentage=rate.percentage,
                    compound=rate.compound,
                    code=rate.code,
                )
                for rate in stored.rates
                if rate.tax_class_id in classes
            ],
            shipping=stored.shipping,
            position=stored.position,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
        )


@strawberry.input(description="A country or a part of it. With provinces and postal codes, one of each has to match.")
class TaxLocationInput:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2, or `*` for wherever no other zone is.")
    provinces: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Codes or names of states, provinces or prefectures."
    )
    postal_codes: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Codes (`SW1A 1AA`), prefixes (`SW1*`) and ranges (`10000-19999`, `100-0001 - 102-9999`).",
    )

    def stored(self) -> dict[str, Any]:
        return {
            "country": self.country,
            "provinces": self.provinces or [],
            "postal_codes": self.postal_codes or [],
        }


@strawberry.input(description="A tax on what is of one class.")
class TaxRateInput:
    tax_class_id: strawberry.ID = strawberry.field(description="What it is due on.")
    name: str = strawberry.field(description="As shoppers and invoices have it, up to 120 characters.")
    percentage: Decimal = strawberry.field(description="Of 100, with up to six digits after the point.")
    compound: bool = strawberry.field(
        default=False, description="Whether it is levied on the price and the rates of its class before it."
    )
    code: str | None = strawberry.field(
        default=strawberry.UNSET, description="For the bookkeeping, up to 64 characters."
    )

    def draft(self, field: list[str | int]) -> zone_editing.RateDraft:
        return zone_editing.RateDraft(
            tax_class_id=ids.decode(CLASS_PREFIX, self.tax_class_id, [*field, "taxClassId"]),
            name=self.name,
            percentage=self.percentage,
            compound=self.compound,
            code=self.code or None,
        )


@strawberry.input(description="A tax zone. In an update, what is left out stays as it is.")
class TaxZoneInput:
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="For staff, up to 120 characters; a new zone needs one."
    )
    locations: list[TaxLocationInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Where it is; a new zone needs one."
    )
    rates: list[TaxRateInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All of its taxes, of each class in the order of being levied; they take the place of those that "
        "the zone has. Up to 200.",
    )
    shipping: ShippingTax | None = strawberry.field(
        default=strawberry.UNSET, description="What decides the tax on shipping here; null for the shop's own choice."
    )
    position: int | None = strawberry.field(
        default=strawberry.UNSET, description="Of zones that name a place equally closely, the lowest wins."
    )

    def draft(self) -> zone_editing.ZoneDraft:
        """Raises DomainError(INVALID_ID)."""
        given = given_fields(self)
        locations, rates = given.get("locations"), given.get("rates")
        return zone_editing.ZoneDraft(
            name=given.get("name"),
            locations=None if locations is None else [one.stored() for one in locations],
            rates=None if rates is None else [one.draft(["input", "rates", at]) for at, one in enumerate(rates)],
            shipping=(given["shipping"] or ()) if "shipping" in given else None,
            position=given.get("position"),
        )


@strawberry.type(description="Answer to `taxZoneCreate` and `taxZoneUpdate`.")
class TaxZonePayload:
    tax_zone: TaxZone | None = strawberry.field(default=None, description="The zone as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `taxZoneDelete`.")
class TaxZoneDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the zone that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _zones(zone_ids: Sequence[uuid.UUID] | None = None) -> list[TaxZone]:
    known = await settings.current()
    return [TaxZone.of(zone, known) for zone in await queries.stored_zones(zone_ids)]


@strawberry.type
class TaxZoneQueries:
    @query(access=_WRITE, description="Staff: every tax zone with its rates.")
    async def tax_zones(self, info: Info) -> list[TaxZone]:
        return await _zones()


@strawberry.type
class TaxZoneMutations:
    @mutation(access=_WRITE, description="Staff: charge tax somewhere new.")
    async def tax_zone_create(
        self, info: Info, input: Annotated[TaxZoneInput, strawberry.argument(description="The new zone.")]
    ) -> TaxZonePayload:
        zone_id = await zone_editing.create_zone(input.draft())
        return TaxZonePayload(tax_zone=next(iter(await _zones([zone_id])), None))

    @mutation(
        access=_WRITE,
        description="Staff: change a zone and its rates. Carts are taxed anew at once; orders keep what they were "
        "charged.",
    )
    async def tax_zone_update(
        self,
        info: Info,
        id: ZoneId,
        input: Annotated[TaxZoneInput, strawberry.argument(description="What changes.")],
    ) -> TaxZonePayload:
        zone_id = ids.decode(ZONE_PREFIX, id, ["id"])
        await zone_editing.update_zone(zone_id, input.draft())
        return TaxZonePayload(tax_zone=next(iter(await _zones([zone_id])), None))

    @mutation(access=_WRITE, description="Staff: charge no tax by a zone any more. Orders keep what they were charged.")
    async def tax_zone_delete(self, info: Info, id: ZoneId) -> TaxZoneDeletePayload:
        await zone_editing.delete_zone(ids.decode(ZONE_PREFIX, id, ["id"]))
        return TaxZoneDeletePayload(deleted_id=id)
