"""Shops' taxes for tests of pure rules."""

import uuid
from decimal import Decimal

from app.addresses.locations import Location
from app.pricing.amounts import TaxRate
from app.tax.terms import ShippingTax, TaxClass, TaxSettings, TaxZone

STANDARD = uuid.UUID(int=1)
REDUCED = uuid.UUID(int=2)
ZERO = uuid.UUID(int=3)
SHIPPING = uuid.UUID(int=4)

CLASSES = (
    TaxClass(STANDARD, "Standard", "standard", True),
    TaxClass(REDUCED, "Reduced", "reduced", False),
    TaxClass(ZERO, "Zero", "zero", False),
    TaxClass(SHIPPING, "Shipping", "shipping", False),
)


def percent(name: str, percentage: str, *, compound: bool = False) -> TaxRate:
    return TaxRate(name, Decimal(percentage) / 100, compound=compound)


def zone(
    *locations: str | Location,
    standard: tuple[TaxRate, ...] | str = (),
    reduced: tuple[TaxRate, ...] | str = (),
    zero: tuple[TaxRate, ...] | str = (),
    shipping: tuple[TaxRate, ...] | str = (),
    shipping_tax: ShippingTax | None = None,
    name: str = "",
) -> TaxZone:
    """Rates as percentages of one VAT, or as they are. A location is a country, or `US-NY`."""
    classes = {STANDARD: standard, REDUCED: reduced, ZERO: zero, SHIPPING: shipping}
    return TaxZone(
        id=uuid.uuid4(),
        name=name,
        locations=tuple(_location(one) for one in locations),
        rates={
            class_id: (percent("VAT", rates),) if isinstance(rates, str) else rates
            for class_id, rates in classes.items()
            if rates
        },
        shipping=shipping_tax,
    )


def _location(written: str | Location) -> Location:
    if isinstance(written, Location):
        return written
    country, _, province = written.partition("-")
    return Location(country=country, provinces=(province,) if province else ())


GERMANY = zone("DE", standard="19", reduced="7", zero="0", name="Germany")
FRANCE = zone("FR", standard="20", reduced="5.5", name="France")


def european(*zones: TaxZone, home: str = "DE", **more: object) -> TaxSettings:
    """A shop in the Union, German unless told otherwise."""
    return TaxSettings(home_country_code=home, classes=CLASSES, zones=zones or (GERMANY, FRANCE), **more)  # type: ignore[arg-type]
