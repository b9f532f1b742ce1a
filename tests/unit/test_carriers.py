"""Carriers recognised from published tracking numbers, refused ones, and names that mean the same carrier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.recognition import Parcel, candidates, describe_parcel, recognise
from app.carriers.registry import normalise_carrier_name
from app.errors import CommonErrorCode, DomainError

PUBLISHED = [
    ("1Z5R89390357567127", None, "UPS"),
    ("1z 879e93 03 4683 4440", None, "UPS"),
    ("1Z999AA10123456784", None, "UPS"),
    ("9865 7878 8855", "US", "FedEx"),
    ("477179081230", "US", "FedEx"),
    ("0414 4176 0228 964", None, "FedEx"),
    ("61299998820821171811", None, "FedEx"),
    ("9611020987654312345672", None, "FedEx"),
    ("1001921334250001000300779017972697", None, "FedEx"),
    ("9622001560001234567100794808390594", None, "FedEx"),
    ("9400 1112 0108 0805 4830 16", None, "USPS"),
    ("92748931507708513018050063", None, "USPS"),
    ("420 22153 9101026837331000039521", None, "USPS"),
    ("4201028200009261290113185417468510", None, "USPS"),
    ("7112 3456 7891 2345 6787", None, "USPS"),
    ("3318810025", None, "DHL Express"),
    ("8487135506", None, "DHL Express"),
    ("JJD1410302937991", None, "DHL"),
    ("00340433836442636597", None, "DHL Paket"),
    ("8L 01234 56789 5", None, "Colissimo"),
    ("0073 9380 0054 9297", None, "Canada Post"),
    ("TBA123456789012", None, "Amazon Logistics"),
    ("RB123456785GB", None, "Royal Mail"),
    ("RB 123 456 785 US", None, "USPS"),
    ("RB123456785JP", None, "Japan Post"),
    ("RB123456785FR", None, "La Poste"),
    ("RB123456785DE", None, "DHL Paket"),
    ("RB123456785CV", None, "Post of Cape Verde"),
]


@pytest.mark.parametrize(("number", "origin", "carrier"), PUBLISHED)
def test_a_published_number_is_recognised(number: str, origin: str | None, carrier: str) -> None:
    found = recognise(number, origin)
    assert found is not None
    assert found.name == carrier


@pytest.mark.parametrize(
    "number",
    [
        "1Z5R89390357567128",
        "1Z5R8939035756712",
        "2Z5R89390357567127",
        "00340433836442636598",
        "0073938000549292",
        "RB123456786GB",
        "RB123456785XX",
        "8L01234567896",
        "3318810011",
        "9400111201080805483017",
        "4201028200009261290113185417468511",
        "61299998820821171812",
        "HELLO",
        "",
        "١٢٣٤٥٦٧٨٩٠",
    ],
)
def test_a_wrong_check_digit_or_shape_is_nobodys(number: str) -> None:
    assert candidates(number) == []


@pytest.mark.parametrize(
    ("number", "origin", "names"),
    [
        # A published Identcode of Deutsche Post that is, by chance, also right for FedEx.
        ("201298452277", None, {"FedEx", "DHL Paket"}),
        ("201298452277", "DE", {"FedEx", "DHL Paket"}),
        ("201298452277", "US", {"FedEx"}),
        # Three Japanese carriers compute the same check digit over the same twelve digits.
        ("123456789013", "JP", {"Japan Post", "Yamato Transport", "Sagawa Express"}),
        ("123456789013", "FR", set()),
    ],
)
def test_a_number_of_several_carriers_is_settled_by_its_origin_or_left_open(
    number: str, origin: str | None, names: set[str]
) -> None:
    assert {carrier.name for carrier in candidates(number, origin)} == names
    found = recognise(number, origin)
    assert ({found.name} if found else None) == (names if len(names) == 1 else None)


@given(st.text(max_size=40))
def test_no_text_breaks_recognition(text: str) -> None:
    assert isinstance(candidates(text), list)


@given(st.from_regex(r"[0-9]{10}|[0-9]{12}|[0-9]{15,16}|[0-9]{20}|[0-9]{22}|1Z[0-9A-Z]{15}[0-9]", fullmatch=True))
def test_one_mistyped_last_digit_never_keeps_the_same_carrier(number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not {carrier.code for carrier in candidates(number)} & {carrier.code for carrier in candidates(wrong)}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ups", "UPS"),
        (" UPS ", "UPS"),
        ("fed-ex", "FedEx"),
        ("royal  mail", "Royal Mail"),
        ("United States Postal Service", "USPS"),
        ("ヤマト運輸", "Yamato Transport"),
        ("Bob's  Bikes", "Bob's Bikes"),
    ],
)
def test_spellings_of_one_carrier_are_one(typed: str, name: str) -> None:
    assert normalise_carrier_name(typed) == name


def test_a_named_carrier_wins_over_what_the_number_looks_like() -> None:
    assert describe_parcel("123456789013", "yamato") == Parcel(
        "Yamato Transport",
        "123456789013",
        "https://jizen.kuronekoyamato.co.jp/jizen/servlet/crjz.b.NQ0010?id=123456789013",
    )
    assert describe_parcel("AB-12/3", "Bob's Bikes") == Parcel("Bob's Bikes", "AB-12/3", None)


def test_a_recognised_number_is_kept_without_its_spaces_and_linked() -> None:
    assert describe_parcel("1Z 999 AA1 01 2345 6784") == Parcel(
        "UPS", "1Z999AA10123456784", "https://www.ups.com/track?tracknum=1Z999AA10123456784"
    )


def test_unknown_numbers_and_missing_ones_are_kept_as_they_are() -> None:
    assert describe_parcel("XY 42") == Parcel(None, "XY 42", None)
    assert describe_parcel(None, "dhl") == Parcel("DHL", None, None)


@pytest.mark.parametrize(
    ("number", "carrier", "code", "field"),
    [
        (" ", None, CommonErrorCode.REQUIRED, ["parcels", "0", "trackingNumber"]),
        ("1" * 65, None, CommonErrorCode.TOO_LONG, ["parcels", "0", "trackingNumber"]),
        ("12\r\n34", None, CommonErrorCode.INVALID, ["parcels", "0", "trackingNumber"]),
        ('"><script>', None, CommonErrorCode.INVALID, ["parcels", "0", "trackingNumber"]),
        ("123", "  ", CommonErrorCode.REQUIRED, ["parcels", "0", "carrier"]),
        ("123", "x" * 61, CommonErrorCode.TOO_LONG, ["parcels", "0", "carrier"]),
        ("123", "U\nPS", CommonErrorCode.INVALID, ["parcels", "0", "carrier"]),
    ],
)
def test_malformed_parcels_are_refused(
    number: str, carrier: str | None, code: CommonErrorCode, field: list[str]
) -> None:
    with pytest.raises(DomainError) as refused:
        describe_parcel(
            number,
            carrier,
            number_field=["parcels", 0, "trackingNumber"],
            carrier_field=["parcels", 0, "carrier"],
        )
    assert (refused.value.code, refused.value.field) == (code, field)
