"""What the shop has configured about tax, as every process keeps it in memory."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from app.addresses.locations import EVERYWHERE, Location, zone_of
from app.addresses.postal import Destination
from app.pricing.amounts import TaxRate


class ShippingTax(StrEnum):
    """What decides the tax on shipping."""

    AS_GOODS = "AS_GOODS"
    """Ancillary to the goods: it bears their taxes, in proportion to their value."""
    SHIPPING_CLASS = "SHIPPING_CLASS"
    NOT_TAXED = "NOT_TAXED"


class TaxIdCheck(StrEnum):
    FORMAT = "FORMAT"
    ONLINE = "ONLINE"


class TaxIdFallback(StrEnum):
    """What a VAT number is worth while the register has not answered."""

    ACCEPT = "ACCEPT"
    CHARGE_TAX = "CHARGE_TAX"


class TaxEngineFallback(StrEnum):
    """What happens when an outside engine does not answer."""

    OWN_RATES = "OWN_RATES"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True)
class TaxClass:
    id: uuid.UUID
    name: str
    code: str
    """Short and unique, for imports and for outside engines."""
    is_default: bool


@dataclass(frozen=True, slots=True)
class TaxZone:
    """`rates` by tax class, in the order of being levied; `shipping` None is the shop's own choice."""

    id: uuid.UUID
    name: str
    locations: tuple[Location, ...]
    rates: Mapping[uuid.UUID, tuple[TaxRate, ...]]
    shipping: ShippingTax | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTerms:
    """The outside engine in use. `credentials` are encrypted under the key ring."""

    name: str
    configuration: Mapping[str, str] = field(default_factory=dict)
    credentials: bytes | None = None
    timeout_ms: int = 2000
    fallback: TaxEngineFallback = TaxEngineFallback.OWN_RATES


@dataclass(frozen=True, kw_only=True)
class TaxSettings:
    """The defaults are those of a shop that has configured nothing: no tax anywhere.

    Attributes:
        home_country_code: where the seller is established and ships from.
        tax_id: the seller's own number, in the form of `app.tax.tax_ids`.
        gross_price_stays: an inclusive price is the same at every rate of tax (the seller bears the difference).
            Else its net part stays, and the destination's tax takes the place of the home country's.
        untaxed_price_stays: an inclusive price is charged in full also where no tax is due (exports, reverse charge,
            exemptions). Else the home country's tax comes out of it.
        gift_wrap_class_id: None taxes wrapping as the goods.
    """

    home_country_code: str | None = None
    tax_id: str | None = None
    gross_price_stays: bool = True
    untaxed_price_stays: bool = False
    shipping: ShippingTax = ShippingTax.AS_GOODS
    shipping_class_id: uuid.UUID | None = None
    gift_wrap_class_id: uuid.UUID | None = None
    tax_id_check: TaxIdCheck = TaxIdCheck.FORMAT
    tax_id_fallback: TaxIdFallback = TaxIdFallback.CHARGE_TAX
    engine: EngineTerms | None = None
    classes: tuple[TaxClass, ...] = ()
    zones: tuple[TaxZone, ...] = ()

    @cached_property
    def default_class_id(self) -> uuid.UUID | None:
        return next((one.id for one in self.classes if one.is_default), None)

    @cached_property
    def _zones_by_country(self) -> Mapping[str, tuple[TaxZone, ...]]:
        countries = {location.country for zone in self.zones for location in zone.locations}
        return {
            code: tuple(
                zone for zone in self.zones if any(place.country in (code, EVERYWHERE) for place in zone.locations)
            )
            for code in countries
        }

    def zone_at(self, destination: Destination) -> TaxZone | None:
        """The most specific zone that names the destination, of equals the first by position; None for none."""
        by_country = self._zones_by_country
        candidates = by_country.get(destination.country_code)
        return zone_of(destination, by_country.get(EVERYWHERE, ()) if candidates is None else candidates)


NOTHING = TaxSettings()
"""Of a shop that has configured nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """That somebody pays no tax: everywhere, in a country, or in a part of one."""

    country_code: str | None = None
    province_code: str | None = None
    certificate_number: str
    valid_until: date | None = None

    def covers(self, destination: Destination) -> bool:
        return self.country_code is None or (
            self.country_code == destination.country_code
            and (self.province_code is None or self.province_code == destination.province_code)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxBuyer:
    """Who buys, as far as taxes care.

    Attributes:
        tax_id: the VAT number, with its country's prefix.
        tax_id_counts: whether it is good enough for not charging VAT: see `app.tax.rules.tax_id_counts`.
        exemptions: those that hold today.
    """

    tax_id: str | None = None
    tax_id_counts: bool = False
    exemptions: tuple[Exemption, ...] = ()


NOBODY = TaxBuyer()
