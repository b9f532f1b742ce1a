"""Which taxes are due: pure, from what is configured, where the goods go and who buys."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from app.addresses.postal import Destination
from app.pricing.allocation import half_up
from app.pricing.amounts import TaxRate
from app.tax.terms import NOBODY, Exemption, ShippingTax, TaxBuyer, TaxIdCheck, TaxIdFallback, TaxSettings, TaxZone
from app.tax.union import NORTHERN_IRELAND, member_at, member_of_tax_id

_ZERO = Decimal(0)
REVERSE_CHARGE_GOODS = TaxRate("Reverse charge, Art. 138 Directive 2006/112/EC", _ZERO, reverse_charge=True)
"""An exempt supply to another member state; the buyer accounts for the acquisition."""
REVERSE_CHARGE_SERVICES = TaxRate("Reverse charge, Art. 196 Directive 2006/112/EC", _ZERO, reverse_charge=True)
EXPORT = TaxRate("Export, Art. 146 Directive 2006/112/EC", _ZERO)


class TaxIdState(StrEnum):
    """What the register has said of a VAT number."""

    PENDING = "PENDING"
    VALID = "VALID"
    INVALID = "INVALID"
    UNAVAILABLE = "UNAVAILABLE"


class TaxIdStatus(StrEnum):
    """What a buyer's number is worth, as they are told."""

    ACCEPTED = "ACCEPTED"
    PENDING = "PENDING"
    INVALID = "INVALID"
    NOTED = "NOTED"


def tax_id_status(settings: TaxSettings, tax_id: str, state: TaxIdState | None) -> TaxIdStatus:
    if member_of_tax_id(tax_id) is None:
        return TaxIdStatus.NOTED
    if tax_id_counts(settings, tax_id, state):
        return TaxIdStatus.ACCEPTED
    return TaxIdStatus.INVALID if state is TaxIdState.INVALID else TaxIdStatus.PENDING


def tax_id_counts(settings: TaxSettings, tax_id: str | None, state: TaxIdState | None) -> bool:
    """Whether a number, whose format and check digits are right already, is accepted as the sign of a business.

    Where the shop asks the register, VALID counts, INVALID does not, and while there is no answer the shop's fallback
    decides. Registers are only asked for numbers of the Union; others have no part in any rule.
    """
    if tax_id is None or member_of_tax_id(tax_id) is None:
        return False
    if settings.tax_id_check is TaxIdCheck.FORMAT or state is TaxIdState.VALID:
        return True
    return state is not TaxIdState.INVALID and settings.tax_id_fallback is TaxIdFallback.ACCEPT


def rates_for(
    settings: TaxSettings,
    destination: Destination | None,
    tax_class_id: uuid.UUID | None,
    buyer: TaxBuyer = NOBODY,
    *,
    services: bool = False,
) -> tuple[TaxRate, ...]:
    """The taxes on something of a class, in the order of being levied; () where there are none.

    1. The most specific zone that names the destination has the rates: a postal code counts more than a province, a
       province more than a country, a country more than `*`; of equals the zone with the lowest position.
    2. A class that the zone has no rate for is not taxed there.
    3. Whoever is exempt there gets one rate of zero that names the certificate.
    4. Reverse charge: the seller is in one member state of the Union, the destination in another, and the buyer has a
       number of another member state than the seller's. Inside one state business pays VAT like everybody.
    5. Goods that leave the Union from a seller in it, to where no rates are configured, are an export.

    Args:
        destination: None while nobody knows: no tax.
        tax_class_id: None is the default class.
        services: what is not shipped (digital goods, services), whose rules differ in the name of the article and in
            Northern Ireland.
    """
    if destination is None or not settings.zones:
        return ()
    return _rates_in(settings.zone_at(destination), settings, destination, tax_class_id, buyer, services=services)


def _rates_in(
    zone: TaxZone | None,
    settings: TaxSettings,
    destination: Destination,
    tax_class_id: uuid.UUID | None,
    buyer: TaxBuyer,
    *,
    services: bool,
) -> tuple[TaxRate, ...]:
    rates = _rates_of(settings, zone, tax_class_id)
    if not rates:
        untaxed_place = zone is None or not zone.rates
        return (EXPORT,) if untaxed_place and not services and _leaves_union(settings, destination) else ()
    if exemption := _exemption(buyer, destination):
        return (TaxRate(f"Tax exempt, certificate {exemption.certificate_number}", _ZERO),)
    if _buyer_accounts(settings, destination, buyer, services=services):
        return (REVERSE_CHARGE_SERVICES if services else REVERSE_CHARGE_GOODS,)
    return rates


def _rates_of(settings: TaxSettings, zone: TaxZone | None, tax_class_id: uuid.UUID | None) -> tuple[TaxRate, ...]:
    class_id = tax_class_id or settings.default_class_id
    return () if zone is None or class_id is None else zone.rates.get(class_id, ())


def _exemption(buyer: TaxBuyer, destination: Destination) -> Exemption | None:
    return next((one for one in buyer.exemptions if one.covers(destination)), None)


def _buyer_accounts(settings: TaxSettings, destination: Destination, buyer: TaxBuyer, *, services: bool) -> bool:
    if buyer.tax_id is None or not buyer.tax_id_counts or settings.home_country_code is None:
        return False
    seller = member_at(Destination(settings.home_country_code), services=services)
    if seller is None or member_at(destination, services=services) in (None, seller):
        return False
    member = member_of_tax_id(buyer.tax_id)
    # Northern Ireland's numbers stand for goods alone.
    return member not in (None, seller) and not (services and member == NORTHERN_IRELAND)


def _leaves_union(settings: TaxSettings, destination: Destination) -> bool:
    home = settings.home_country_code
    return home is not None and member_at(Destination(home)) is not None and member_at(destination) is None


# --- prices that include tax ------------------------------------------------------------------------------------------


def tax_factor(rates: Sequence[TaxRate]) -> Fraction:
    """Gross as a multiple of net: 119/100 for 19 %. A compound rate is on top of those before it."""
    factor = Fraction(1)
    for rate in rates:
        factor += Fraction(rate.rate) * (factor if rate.compound else 1)
    return factor


@dataclass(frozen=True)
class Taxation:
    """Everything that a cart's prices need to know of taxes, for one destination and one buyer.

    Attributes:
        home: where the catalogue's inclusive prices have their tax from.
        prices_include_tax: of the cart's market.
        estimated: the destination is a guess, or only its country is known, or an outside engine did not answer.
    """

    settings: TaxSettings
    destination: Destination | None
    buyer: TaxBuyer = NOBODY
    home: Destination | None = None
    prices_include_tax: bool = False
    estimated: bool = False

    @cached_property
    def _zone(self) -> TaxZone | None:
        return self.settings.zone_at(self.destination) if self.destination else None

    @cached_property
    def _home_zone(self) -> TaxZone | None:
        return self.settings.zone_at(self.home) if self.home else None

    def rates(
        self, tax_class_id: uuid.UUID | None, *, services: bool = False, taxable: bool = True
    ) -> tuple[TaxRate, ...]:
        """See `rates_for`; nothing for what is not taxable at all (gift cards, variants that say so)."""
        if not taxable or self.destination is None or not self.settings.zones:
            return ()
        return _rates_in(self._zone, self.settings, self.destination, tax_class_id, self.buyer, services=services)

    def charged(
        self, price_minor: int, tax_class_id: uuid.UUID | None, *, services: bool = False, taxable: bool = True
    ) -> int:
        """What a catalogue price becomes for this buyer: itself, but for inclusive prices under another tax.

        One unit at a time, rounded half up, so that a quantity costs a multiple of the price shown.
        """
        if not (self.prices_include_tax and taxable and self.settings.zones and self.destination and self.home):
            return price_minor
        at_home = _rates_of(self.settings, self._home_zone, tax_class_id)
        here = self.rates(tax_class_id, services=services)
        factor, home_factor = tax_factor(here), tax_factor(at_home)
        stays = self.settings.gross_price_stays if factor > 1 else self.settings.untaxed_price_stays
        if stays or factor == home_factor:
            return price_minor
        return half_up(*(price_minor * factor / home_factor).as_integer_ratio())

    @property
    def shipping(self) -> ShippingTax:
        """What decides the tax on shipping at the destination."""
        return (self._zone and self._zone.shipping) or self.settings.shipping
