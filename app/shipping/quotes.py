"""A shipping quote: a signed promise that the client carries and that nothing stores until an order is placed."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.addresses.postal import Destination
from app.errors import DomainError
from app.keys import keyring
from app.shipping.delivery import DateRange
from app.shipping.errors import ShippingErrorCode
from app.shipping.pickup import CARRIER, PickupLocation
from app.shipping.rules import (
    Offer,
    Shippable,
    fingerprint_of_destination,
    fingerprint_of_lines,
    known_fields,
)

ID_PREFIX = "quote_"
MAX_ID_CHARS = 2000
_PURPOSE = "shipping-quote"
_VERSION = 1
_PICKUP = 2


class QuoteKind(StrEnum):
    DELIVERY = "DELIVERY"
    PICKUP = "PICKUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What was promised: this service at this price, for these lines, to this destination, until a time.

    Attributes:
        expires_at: business time; at it the quote is no longer good.
        lines: fingerprint of the lines, see `fingerprint_of_lines`.
        destination_fields: which parts of the destination were known, as places in `rules.DESTINATION_FIELDS`.
        destination: fingerprint over those parts.
    """

    zone_id: uuid.UUID
    method_id: uuid.UUID
    carrier: str
    service: str
    price_minor: int
    currency: str
    delivery: DateRange | None
    expires_at: dt.datetime
    lines: str
    destination_fields: tuple[int, ...]
    destination: str
    kind: QuoteKind = QuoteKind.DELIVERY
    ready_at: dt.datetime | None = None
    """For PICKUP: from when on it can be fetched. Zone and method are the store's id then, and the destination is
    nothing."""
    location: PickupLocation | None = None
    """The store as it is now, once it has been looked up; not signed."""

    @property
    def id(self) -> str:
        """The promise itself, signed. It names no address."""
        if self.kind is QuoteKind.PICKUP and self.ready_at:
            ends = [int(self.ready_at.timestamp()), int(self.expires_at.timestamp())]
            store = [_PICKUP, self.zone_id.hex, self.service, self.currency, *ends, self.lines]
            return ID_PREFIX + keyring().sign(_PURPOSE, store)
        delivery = self.delivery and [self.delivery.first.isoformat(), self.delivery.last.isoformat()]
        promise = [
            _VERSION,
            self.zone_id.hex,
            self.method_id.hex,
            self.carrier,
            self.service,
            self.price_minor,
            self.currency,
            delivery,
            int(self.expires_at.timestamp()),
            self.lines,
            list(self.destination_fields),
            self.destination,
        ]
        return ID_PREFIX + keyring().sign(_PURPOSE, promise)

    @property
    def name(self) -> str:
        return f"{self.carrier} {self.service}"

    def to_json(self) -> dict[str, object]:
        """What an order keeps of it, and what its tracking shows."""
        delivery = self.delivery
        if self.location and self.ready_at:
            return {
                "kind": self.kind.value,
                "carrier": self.carrier,
                "service": self.service,
                "priceMinor": 0,
                "currencyCode": self.currency,
                "estimatedDelivery": None,
                "readyAt": self.ready_at.isoformat(),
                "locationId": self.location.id.hex,
                "location": self.location.to_json(),
            }
        return {
            "carrier": self.carrier,
            "service": self.service,
            "priceMinor": self.price_minor,
            "currencyCode": self.currency,
            "estimatedDelivery": delivery and {"from": delivery.first.isoformat(), "to": delivery.last.isoformat()},
            "zoneId": self.zone_id.hex,
            "methodId": self.method_id.hex,
        }


def promise(
    offer: Offer,
    zone_id: uuid.UUID,
    lines: Iterable[Shippable],
    destination: Destination,
    *,
    currency: str,
    expires_at: dt.datetime,
) -> Quote:
    fields = known_fields(destination)
    return Quote(
        zone_id=zone_id,
        method_id=offer.method.id,
        carrier=offer.method.carrier,
        service=offer.method.service,
        price_minor=offer.price_minor,
        currency=currency,
        delivery=offer.delivery,
        # Whole seconds, as they are signed: what the client is shown is exactly what is checked later.
        expires_at=expires_at.replace(microsecond=0),
        lines=fingerprint_of_lines(lines),
        destination_fields=tuple(fields),
        destination=fingerprint_of_destination(destination, fields),
    )


def promise_pickup(
    location: PickupLocation,
    lines: Iterable[Shippable],
    *,
    currency: str,
    ready_at: dt.datetime,
    expires_at: dt.datetime,
) -> Quote:
    promised = _pickup(location.id, location.name, currency, fingerprint_of_lines(lines), (ready_at, expires_at))
    return replace(promised, location=location)


def _pickup(
    location_id: uuid.UUID, name: str, currency: str, lines: str, times: tuple[dt.datetime, dt.datetime]
) -> Quote:
    ready_at, expires_at = times
    return Quote(
        zone_id=location_id,
        method_id=location_id,
        carrier=CARRIER,
        service=name,
        price_minor=0,
        currency=currency,
        delivery=None,
        expires_at=expires_at.replace(microsecond=0),
        lines=lines,
        destination_fields=(),
        destination="",
        kind=QuoteKind.PICKUP,
        ready_at=ready_at.replace(microsecond=0),
    )


def read_quote(quote_id: str, field: Sequence[str | int] | None = None) -> Quote:
    """The promise behind an id. Raises DomainError(QUOTE_INVALID) for anything that was not signed here."""
    signed = quote_id.removeprefix(ID_PREFIX)
    known = len(quote_id) <= MAX_ID_CHARS and signed != quote_id
    promised = keyring().unsign(_PURPOSE, signed) if known else None
    # Only this module signs for this purpose, so that the shape is right once signature and version are.
    if isinstance(promised, list) and promised[:1] == [_PICKUP]:
        _, store, name, currency, ready, expires, lines = promised
        times = (dt.datetime.fromtimestamp(ready, dt.UTC), dt.datetime.fromtimestamp(expires, dt.UTC))
        return _pickup(uuid.UUID(hex=store), name, currency, lines, times)
    if not isinstance(promised, list) or promised[:1] != [_VERSION]:
        raise DomainError(ShippingErrorCode.QUOTE_INVALID, "This is not a shipping quote of this shop.", field)
    _, zone, method, carrier, service, price, currency, delivery, expires, lines, fields, destination = promised
    return Quote(
        zone_id=uuid.UUID(hex=zone),
        method_id=uuid.UUID(hex=method),
        carrier=carrier,
        service=service,
        price_minor=price,
        currency=currency,
        delivery=DateRange(*map(dt.date.fromisoformat, delivery)) if delivery else None,
        expires_at=dt.datetime.fromtimestamp(expires, dt.UTC),
        lines=lines,
        destination_fields=tuple(fields),
        destination=destination,
    )
