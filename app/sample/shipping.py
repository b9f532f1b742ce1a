"""Where the sample shop ships to, and by which methods. Prices are US cents."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.shipping.zone_editing import MethodDraft, ZoneDraft

COUNTRIES = ["US", "CA", "GB", "DE", "FR", "AT", "NL", "CH", "JP"]

_FREIGHT_FROM_GRAMS = 20_001
_HOLIDAYS = ["2026-11-26", "2026-12-25", "2027-01-01", "2027-05-31", "2027-07-05", "2027-09-06", "2027-11-25"]


def _by_weight(*brackets: tuple[int, int], **limits: int) -> dict[str, Any]:
    return {
        "kind": "BY_WEIGHT",
        "brackets": [{"up_to_grams": grams, "price_minor": price_minor} for grams, price_minor in brackets],
        **limits,
    }


def _delivery(fewest: int, most: int, **more: Any) -> dict[str, Any]:
    return {"transit_days_min": fewest, "transit_days_max": most, "holidays": _HOLIDAYS, **more}


def _method(
    carrier: str, service: str, rate: Mapping[str, Any], delivery: Mapping[str, Any] | None = None
) -> MethodDraft:
    return MethodDraft(carrier=carrier, service=service, rate=rate, delivery=delivery)


def _within_the_states() -> list[MethodDraft]:
    return [
        _method(
            "USPS",
            "Ground Advantage",
            _by_weight((500, 495), (2_000, 795), (8_000, 1395), (20_000, 2495), free_from_minor=7500),
            _delivery(2, 5, transit_weekdays=[1, 2, 3, 4, 5, 6]),
        ),
        _method(
            "UPS",
            "2nd Day Air",
            _by_weight((500, 1495), (2_000, 1995), (8_000, 3495), (20_000, 5995)),
            _delivery(2, 2, handling_days_max=0),
        ),
        _method(
            "Tradewind Freight",
            "Two people, room of your choice",
            {"kind": "FLAT", "price_minor": 8900, "min_weight_grams": _FREIGHT_FROM_GRAMS},
            _delivery(5, 12, handling_days_min=1, handling_days_max=3),
        ),
    ]


def zones() -> Sequence[ZoneDraft]:
    """Every kind of rate is in use somewhere."""
    courier = _method(
        "Tradewind Courier",
        "By bicycle, the same or the next day",
        {"kind": "FLAT", "price_minor": 600, "free_from_minor": 6000, "max_weight_grams": 8_000},
        _delivery(0, 1, handling_days_max=0, cutoff="11:00", transit_weekdays=[1, 2, 3, 4, 5, 6]),
    )
    islands = _method(
        "USPS",
        "Priority Mail",
        _by_weight((500, 1195), (2_000, 1895), (8_000, 3995), (20_000, 7995)),
        _delivery(3, 8),
    )
    canada = [
        _method(
            "UPS",
            "Standard",
            {
                "kind": "BY_SUBTOTAL",
                "brackets": [{"from_minor": 0, "price_minor": 1495}, {"from_minor": 10_000, "price_minor": 795}],
                "free_from_minor": 20_000,
                "max_weight_grams": 20_000,
            },
            _delivery(3, 6),
        ),
    ]
    united_kingdom = [
        _method(
            "DHL",
            "Parcel International",
            {"kind": "FLAT", "price_minor": 1995, "free_from_minor": 20_000, "max_weight_grams": 20_000},
            _delivery(4, 8),
        ),
    ]
    europe = [
        _method(
            "DHL",
            "Parcel International",
            _by_weight((1_000, 1795), (5_000, 2995), (20_000, 5995), free_from_minor=25_000),
            _delivery(4, 9),
        ),
        _method("DHL", "Express Worldwide", _by_weight((1_000, 4495), (5_000, 6995), (20_000, 13995)), _delivery(2, 3)),
    ]
    japan = [
        _method(
            "DHL",
            "Express Worldwide",
            {"kind": "PER_ITEM", "price_minor": 1800, "per_item_minor": 400, "max_weight_grams": 20_000},
            _delivery(3, 5),
        ),
    ]
    portland = {"country": "US", "provinces": ["OR"], "postal_codes": ["972*"]}
    return [
        ZoneDraft(name="Portland", locations=[portland], methods=[courier, *_within_the_states()], position=1),
        ZoneDraft(name="United States", locations=[{"country": "US"}], methods=_within_the_states(), position=2),
        ZoneDraft(
            name="Alaska and Hawaii",
            locations=[{"country": "US", "provinces": ["AK", "HI"]}],
            methods=[islands],
            position=3,
        ),
        ZoneDraft(name="Canada", locations=[{"country": "CA"}], methods=canada, position=4),
        ZoneDraft(name="United Kingdom", locations=[{"country": "GB"}], methods=united_kingdom, position=5),
        ZoneDraft(
            name="Europe",
            locations=[{"country": code} for code in ("DE", "FR", "AT", "NL", "CH")],
            methods=europe,
            position=6,
        ),
        ZoneDraft(name="Japan", locations=[{"country": "JP"}], methods=japan, position=7),
    ]
