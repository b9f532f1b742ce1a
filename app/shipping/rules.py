"""What shipping costs an order, decided from what is given: no database, no clock."""

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.addresses.countries import spelling
from app.addresses.locations import Location
from app.addresses.postal import Destination
from app.addresses.postal_patterns import comparable
from app.shipping.delivery import DateRange, Delivery
from app.shipping.rates import Consignment, FlatRate, PerItemRate, SubtotalRate, WeightRate
from app.terms.dates import AvailabilityStatus, Dated, availability


class Shippable(Dated, Protocol):
    """What shipping needs to know of a line. A cart's lines have it, and so have an order's."""

    @property
    def variant_id(self) -> uuid.UUID: ...
    @property
    def quantity(self) -> int: ...
    @property
    def weight_grams(self) -> int: ...
    @property
    def requires_shipping(self) -> bool: ...
    @property
    def unit_price_minor(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ShippableLine:
    """A bare variant in some quantity. What it says of stock and dates is as in a cart."""

    variant_id: uuid.UUID
    quantity: int
    weight_grams: int
    requires_shipping: bool
    unit_price_minor: int
    available_quantity: int = 0
    track_inventory: bool = False
    sells_beyond_stock: bool = False
    available_from: dt.datetime | None = None
    restock_expected_at: dt.datetime | None = None

    @property
    def stock_limit(self) -> int | None:
        return self.available_quantity if self.track_inventory and not self.sells_beyond_stock else None

    @property
    def for_sale(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Method:
    id: uuid.UUID
    carrier: str
    service: str
    rate: FlatRate | PerItemRate | WeightRate | SubtotalRate
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class Zone:
    id: uuid.UUID
    locations: tuple[Location, ...]
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A method that takes the order, at its price."""

    method: Method
    price_minor: int
    delivery: DateRange | None


def consignment_of(lines: Iterable[Shippable]) -> Consignment | None:
    """What has to be shipped, added up; None when nothing has."""
    shipped = [line for line in lines if line.requires_shipping and line.quantity > 0]
    if not shipped:
        return None
    return Consignment(
        item_count=sum(line.quantity for line in shipped),
        weight_grams=sum(line.weight_grams * line.quantity for line in shipped),
        subtotal_minor=sum(line.unit_price_minor * line.quantity for line in shipped),
    )


def sent_from(lines: Iterable[Shippable], now: dt.datetime) -> dt.datetime | None:
    """When all of it can be sent: now, or once what is ordered ahead or back-ordered is there. None: nobody knows."""
    shipped = [line for line in lines if line.requires_shipping and line.quantity > 0]
    units: Counter[uuid.UUID] = Counter()
    for line in shipped:
        units[line.variant_id] += line.quantity
    latest = now
    for line in shipped:
        status, expected = availability(line, units[line.variant_id], now)
        if status is AvailabilityStatus.BACK_ORDER and expected is None:
            return None
        # What is sold out cannot be ordered; until it can, its dates are those of what is there.
        if expected is not None and status is not AvailabilityStatus.SOLD_OUT:
            latest = max(latest, expected)
    return latest


def offers(zone: Zone, consignment: Consignment, now: dt.datetime | None, warehouse_time_zone: str) -> list[Offer]:
    """The zone's methods that take the consignment, the cheapest first, equals in the shop's order.

    Args:
        now: when it can be sent; None promises no date.
    """
    found = []
    for method in zone.methods:
        price_minor = method.rate.price_minor_of(consignment)
        if price_minor is not None:
            delivery = method.delivery.estimate(now, warehouse_time_zone) if method.delivery and now else None
            found.append(Offer(method, price_minor, delivery))
    return sorted(found, key=lambda offer: offer.price_minor)


def fingerprint_of_lines(lines: Iterable[Shippable]) -> str:
    """The same for the same variants in the same quantities, however they are spread over lines.

    Lines that need no shipping do not count: a download added to the cart leaves a quote as it was.
    """
    quantities: Counter[str] = Counter()
    for line in lines:
        if line.requires_shipping:
            quantities[line.variant_id.hex] += line.quantity
    return _digest(f"{variant}:{quantity}" for variant, quantity in sorted(quantities.items()))


DESTINATION_FIELDS = ("country", "province", "postalCode", "city")


def destination_parts(destination: Destination) -> tuple[str | None, str | None, str | None, str | None]:
    """As they are compared: a ZIP code without its extension, a town without case, accents and punctuation."""
    return (
        destination.country_code,
        destination.province_code,
        comparable(destination.postal_code, destination.country_code),
        spelling(destination.city) if destination.city else None,
    )


def known_fields(destination: Destination) -> list[int]:
    """Which of `DESTINATION_FIELDS` the destination has."""
    return [place for place, part in enumerate(destination_parts(destination)) if part is not None]


def fingerprint_of_destination(destination: Destination, fields: Sequence[int]) -> str:
    """Over some of `DESTINATION_FIELDS`: a quote that knew the country alone is bound to the country alone."""
    parts = destination_parts(destination)
    return _digest(f"{DESTINATION_FIELDS[place]}={parts[place] or ''}" for place in fields)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
