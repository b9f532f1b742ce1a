"""Addresses of real public places pass and are written as their country does; wrong ones name the wrong field."""

from contextlib import suppress
from dataclasses import replace

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from app.addresses.contact import email_key, normalise_email, normalise_phone
from app.addresses.countries import country
from app.addresses.errors import AddressErrorCode
from app.addresses.postal import (
    AddressFields,
    Destination,
    PostalAddress,
    normalise_address,
    normalise_destination,
)
from app.errors import CommonErrorCode, DomainError, DomainErrors

WHITE_HOUSE = AddressFields(
    first_name="Ada",
    last_name="Lovelace",
    address1="1600 Pennsylvania Avenue NW",
    city="Washington",
    province_code="DC",
    postal_code="20500",
    country_code="US",
)

PUBLIC_PLACES = [
    pytest.param(WHITE_HOUSE, "DC", "20500", id="US White House"),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="1 Dr Carlton B Goodlett Pl", city="San Francisco",
            province_code="California", postal_code="941024604", country_code="us",
        ), "CA", "94102-4604", id="US City Hall, state by name",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="10 Downing Street", city="London",
            province_code="Greater London", postal_code="sw1a2aa", country_code="GB",
        ), None, "SW1A 2AA", id="GB Downing Street, county ignored",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="Platz der Republik 1", city="Berlin",
            postal_code="11011", country_code="DE",
        ), None, "11011", id="DE Bundestag",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="55 Rue du Faubourg Saint-Honoré", city="Paris",
            postal_code="75 008", country_code="FR",
        ), None, "75008", id="FR Élysée",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="80 Wellington Street", city="Ottawa",
            province_code="CA-ON", postal_code="k1a0a2", country_code="CA",
        ), "ON", "K1A 0A2", id="CA Office of the Prime Minister",
    ),
    pytest.param(
        AddressFields(
            last_name="愛田", first_name="太郎", address1="永田町1-7-1", city="千代田区",
            province_code="東京都", country_code="JP",
            postal_code="１０００014",  # noqa: RUF001
        ), "13", "100-0014", id="JP National Diet, prefecture in Japanese",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="1 Chome-1-2 Oshiage", city="Sumida City",
            province_code="JP-13", postal_code="131-0045", country_code="JP",
        ), "13", "131-0045", id="JP Skytree, prefecture by ISO code",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="Upper Merrion Street", city="Dublin 2",
            province_code="Dublin", postal_code="d02r583", country_code="IE",
        ), "D", "D02 R583", id="IE Government Buildings",
    ),
    pytest.param(
        AddressFields(
            last_name="Ada", address1="1 Tim Mei Avenue", city="Tamar",
            province_code="Hong Kong Island", postal_code="00000", country_code="HK",
        ), "Hong Kong Island", None, id="HK has no postal codes",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "province_code", "postal_code"), PUBLIC_PLACES)
def test_a_real_address_is_written_as_its_country_does(
    raw: AddressFields, province_code: str | None, postal_code: str | None
) -> None:
    address = normalise_address(raw)
    assert (address.province_code, address.postal_code) == (province_code, postal_code)
    assert address.country_code == raw.country_code.upper()
    assert normalise_address(AddressFields(**_raw_again(address))) == address
    assert PostalAddress.from_json(address.to_json()) == address


def _raw_again(address: PostalAddress) -> dict[str, str]:
    return {name: value for name, value in address.to_json().items() if name != "province"}


def _problems(raw: AddressFields) -> dict[str, object]:
    with pytest.raises(DomainErrors) as refused:
        normalise_address(raw, at=["shippingAddress"])
    assert all(error.field and error.field[0] == "shippingAddress" for error in refused.value.errors)
    return {error.field[1]: error.code for error in refused.value.errors if error.field}


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"country_code": "XX"}, {"countryCode": AddressErrorCode.INVALID_COUNTRY}),
        ({"country_code": "ZZ"}, {"countryCode": AddressErrorCode.INVALID_COUNTRY}),
        ({"country_code": "../us"}, {"countryCode": AddressErrorCode.INVALID_COUNTRY}),
        ({"province_code": None}, {"provinceCode": CommonErrorCode.REQUIRED}),
        ({"province_code": "ZZ"}, {"provinceCode": AddressErrorCode.INVALID_PROVINCE}),
        ({"postal_code": None}, {"postalCode": CommonErrorCode.REQUIRED}),
        ({"postal_code": "2050"}, {"postalCode": AddressErrorCode.INVALID_POSTAL_CODE}),
        ({"postal_code": "90210"}, {"postalCode": AddressErrorCode.INVALID_POSTAL_CODE}),
        ({"postal_code": "20500\n"}, {"postalCode": CommonErrorCode.INVALID}),
        ({"last_name": "  "}, {"lastName": CommonErrorCode.REQUIRED}),
        ({"last_name": "x" * 101}, {"lastName": CommonErrorCode.TOO_LONG}),
        ({"first_name": "Ada\r\nBcc: x@example.com"}, {"firstName": CommonErrorCode.INVALID}),
        ({"address1": "line\u2028two"}, {"address1": CommonErrorCode.INVALID}),
        ({"address2": "\u202eright to left"}, {"address2": CommonErrorCode.INVALID}),
        ({"company": "nul\x00"}, {"company": CommonErrorCode.INVALID}),
        ({"company": "half \ud800"}, {"company": CommonErrorCode.INVALID}),
        ({"phone": "12"}, {"phone": AddressErrorCode.INVALID_PHONE}),
        (
            {"address1": "", "city": " ", "postal_code": None, "phone": "abc"},
            {
                "address1": CommonErrorCode.REQUIRED,
                "city": CommonErrorCode.REQUIRED,
                "postalCode": CommonErrorCode.REQUIRED,
                "phone": AddressErrorCode.INVALID_PHONE,
            },
        ),
    ],
)
def test_every_wrong_field_is_named_at_once(changes: dict[str, str | None], problems: dict[str, object]) -> None:
    assert _problems(replace(WHITE_HOUSE, **changes)) == problems  # type: ignore[arg-type]


def test_a_destination_may_know_the_country_alone_but_what_it_knows_is_checked() -> None:
    assert normalise_destination("us") == Destination("US")
    assert normalise_destination("GB", postal_code="ec1a1bb", city=" London ") == Destination(
        "GB", None, "EC1A 1BB", "London"
    )
    with pytest.raises(DomainErrors) as refused:
        normalise_destination("US", province_code="NY", postal_code="90210", at=["input", "address"])
    assert [error.field for error in refused.value.errors] == [["input", "address", "postalCode"]]


def test_every_countrys_own_examples_of_postal_codes_are_accepted_as_printed() -> None:
    checked = 0
    for code in Locale("en").territories:
        place = country(str(code))
        for example in place.postal_code_examples if place else ():
            assert place is not None
            assert place.postal_code(example) == example
            assert place.postal_code(f"{example} EXTRA") is None
            checked += 1
    assert checked > 300


_PLACES = st.sampled_from([("US", "DC", "20500"), ("JP", "13", "1000014"), ("GB", "", "SW1A 2AA"), ("AE", "Dubai", "")])


@given(st.text(max_size=30), st.text(max_size=30), _PLACES)
def test_whatever_is_typed_is_refused_or_kept_on_one_line(city: str, name: str, place: tuple[str, str, str]) -> None:
    country_code, province, postal_code = place
    typed = replace(
        WHITE_HOUSE,
        city=city,
        last_name=name,
        country_code=country_code,
        province_code=province,
        postal_code=postal_code,
    )
    try:
        address = normalise_address(typed)
    except DomainErrors as refused:
        fields = {error.field[0] for error in refused.errors if error.field}
        assert fields <= {"city", "lastName"}
        return
    assert address.city == " ".join(address.city.split()) != ""
    assert len(address.city.splitlines()) == 1
    assert normalise_address(AddressFields(**_raw_again(address))) == address


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=2))
def test_no_province_or_postal_code_breaks_the_check(province: str, postal_code: str, country_code: str) -> None:
    for code in (country_code, "US", "JP", "CN"):
        with suppress(DomainErrors):
            normalise_destination(code, province, postal_code)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ada@EXAMPLE.com", "Ada@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("ada@bücher.de", "ada@xn--bcher-kva.de"),
        ("ada+tag@mail.example.test", "ada+tag@mail.example.test"),
    ],
)
def test_an_email_address_is_kept_as_mail_servers_take_it(typed: str, stored: str) -> None:
    assert normalise_email(typed) == stored
    assert normalise_email(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "ada", "ada@", "@example.com", "ada@test", "ada@localhost", "ada@example", "ada@example..com",
        "ada@example.com\r\nBcc: x@example.com", "Ada <ada@example.com>", "ada@exa mple.com", '"a b"@example.com',
        "ada@[127.0.0.1]", "ädä@example.com", "a" * 65 + "@example.com", "ada@example.com\x00",
    ],
)  # fmt: skip
def test_what_mail_cannot_be_sent_to_is_refused(typed: str) -> None:
    with pytest.raises(DomainError) as refused:
        normalise_email(typed, ["email"])
    assert (refused.value.code, refused.value.field) == (AddressErrorCode.INVALID_EMAIL, ["email"])


@pytest.mark.parametrize(
    ("country_code", "said"),
    [
        ("US", "“?” is not a ZIP code of the United States, such as 95014."),
        ("CH", "“?” is not a postal code of Switzerland, such as 2544."),
    ],
)
def test_countries_are_named_as_in_a_sentence(country_code: str, said: str) -> None:
    with pytest.raises(DomainErrors) as refused:
        normalise_destination(country_code, postal_code="?")
    assert [error.message for error in refused.value.errors] == [said]


def test_blank_and_overlong_contacts_say_so() -> None:
    for normalise, code, text in (
        (normalise_email, CommonErrorCode.REQUIRED, " "),
        (normalise_email, CommonErrorCode.TOO_LONG, "a" * 250 + "@example.com"),
        (normalise_phone, CommonErrorCode.REQUIRED, ""),
        (normalise_phone, CommonErrorCode.TOO_LONG, "1" * 33),
    ):
        with pytest.raises(DomainError) as refused:
            normalise(text)
        assert refused.value.code is code


def test_two_spellings_of_a_mailbox_have_one_key() -> None:
    assert email_key("ADA@Example.com ") == email_key("ada@example.COM") == "ada@example.com"
    assert email_key("not an address") == "not an address"


@pytest.mark.parametrize(
    ("typed", "country_code", "stored"),
    [
        ("(202) 555-0100", "US", "+12025550100"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("03-3211-2111", "JP", "+81332112111"),
        ("+33 1 42 68 53 00", None, "+33142685300"),
        ("+49 30 12345-67", "US", "+49301234567"),
        ("+44 7700 900123", None, "+447700900123"),
    ],
)
def test_a_phone_number_is_kept_in_international_form(typed: str, country_code: str | None, stored: str) -> None:
    assert normalise_phone(typed, country_code) == stored


@pytest.mark.parametrize(
    ("typed", "country_code"),
    [("020 7946 0018", None), ("12", "US"), ("+1 2", None), ("call me", "US"), ("+1202\n5550100", None)],
)
def test_what_is_no_phone_number_is_refused(typed: str, country_code: str | None) -> None:
    with pytest.raises(DomainError) as refused:
        normalise_phone(typed, country_code, ["phone"])
    assert (refused.value.code, refused.value.field) == (AddressErrorCode.INVALID_PHONE, ["phone"])
