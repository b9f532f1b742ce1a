"""How a parcel is told to shoppers: who carries it, under which number, on which page it can be followed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.carriers.recognition import Parcel, candidates, describe_parcel
from app.carriers.registry import carrier_named
from app.errors import CommonErrorCode, DomainError

MAX_PARCELS = 100
UNKNOWN_CARRIER = "Other"


@dataclass(frozen=True, slots=True)
class ParcelDetails:
    """What staff know of a parcel.

    Attributes:
        field: path of it in the request.
    """

    carrier: str | None
    tracking_number: str | None
    field: tuple[str | int, ...] = ("input",)


def describe_parcels(
    parcels: Sequence[ParcelDetails], *, promised_carrier: str | None, origin_country: str | None
) -> list[Parcel]:
    """What is stored of each; `carrier` is always there.

    Args:
        promised_carrier: who was to bring it, in the words of the shipping quote. It stands in where staff name nobody
            and the number does not say, and decides where the number leaves several.
        origin_country: ISO 3166-1 alpha-2 of the warehouse that sends them.

    Raises:
        DomainError: TOO_MANY, and what `describe_parcel` raises.
    """
    if len(parcels) > MAX_PARCELS:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_PARCELS} parcels.", ["input", "parcels"])
    return [_describe(parcel, promised_carrier, origin_country) for parcel in parcels]


def _describe(details: ParcelDetails, promised_carrier: str | None, origin_country: str | None) -> Parcel:
    number_field, carrier_field = [*details.field, "trackingNumber"], [*details.field, "carrier"]
    parcel = describe_parcel(
        details.tracking_number,
        details.carrier,
        origin_country,
        number_field=number_field,
        carrier_field=carrier_field,
    )
    if parcel.carrier is not None:
        return parcel
    possible = candidates(parcel.tracking_number, origin_country) if parcel.tracking_number else []
    if promised_carrier and carrier_named(promised_carrier) in possible:
        return describe_parcel(parcel.tracking_number, promised_carrier, origin_country)
    # A number that only others give out says that somebody else carries it, whatever was promised.
    return replace(parcel, carrier=UNKNOWN_CARRIER if possible else promised_carrier or UNKNOWN_CARRIER)
