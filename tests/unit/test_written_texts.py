"""Addresses and prices as people read them in mails, on pages and invoices."""

import pytest
from babel import Locale

from app.addresses.lines import address_lines
from app.addresses.postal import AddressFields, normalise_address
from app.messaging.formats import money_text


@pytest.mark.parametrize(
    ("country_code", "province_code", "postal_code", "street", "city", "lines"),
    [
        ("JP", "13", "100-0001", "1-1 Chiyoda", "Chiyoda-ku", ["1-1 Chiyoda, Chiyoda-ku, Tokyo", "100-0001", "Japan"]),
        ("AE", "Dubai", None, "1 Creek Road", "Deira", ["1 Creek Road", "Deira, Dubai", "United Arab Emirates"]),
        ("AE", "Dubai", None, "1 Creek Road", "Dubai", ["1 Creek Road", "Dubai", "United Arab Emirates"]),
        ("HK", "Kowloon", None, "1 Nathan Rd", "Jordan", ["1 Nathan Rd", "Jordan", "Kowloon", "Hong Kong SAR China"]),
        ("SG", None, "018956", "10 Bayfront Ave", "Singapore", ["10 Bayfront Ave", "SINGAPORE 018956", "Singapore"]),
        ("US", "MA", "02108", "1 Beacon Street", "Boston", ["1 Beacon Street", "Boston, MA 02108", "United States"]),
    ],
)  # fmt: skip
def test_towns_stand_before_their_provinces_in_latin_letters(
    country_code: str, province_code: str | None, postal_code: str | None, street: str, city: str, lines: list[str]
) -> None:
    fields = AddressFields(
        first_name="Ada", last_name="Sato", address1=street, city=city,
        province_code=province_code, postal_code=postal_code, country_code=country_code,
    )  # fmt: skip
    assert address_lines(normalise_address(fields)) == ["Ada Sato", *lines]


def test_a_japanese_address_begins_with_the_largest_place() -> None:
    fields = AddressFields(
        last_name="佐藤", address1="千代田1-1", city="千代田区",
        province_code="東京都", postal_code="100-0001", country_code="JP",
    )  # fmt: skip
    assert address_lines(normalise_address(fields)) == ["100-0001", "東京都 千代田区", "千代田1-1", "佐藤", "Japan"]


@pytest.mark.parametrize(
    ("currency", "english", "german"),
    [
        ("CHF", "-CHF\N{NO-BREAK SPACE}56.15", "-56,15\N{NO-BREAK SPACE}CHF"),
        ("KWD", "-KWD\N{NO-BREAK SPACE}5.615", "-5,615\N{NO-BREAK SPACE}KWD"),
        ("CAD", "-CA$56.15", "-56,15\N{NO-BREAK SPACE}CA$"),
        ("USD", "-$56.15", "-56,15\N{NO-BREAK SPACE}$"),
    ],
)
def test_a_currency_of_letters_keeps_its_distance_from_digits(currency: str, english: str, german: str) -> None:
    assert money_text(-5615, currency, Locale("en", "US")) == english
    assert money_text(-5615, currency, Locale("de", "DE")) == german
