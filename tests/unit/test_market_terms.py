"""Which market somebody is in, and which of its languages they read."""

import uuid
from decimal import Decimal

import pytest

from app.errors import DomainError
from app.markets.terms import Markets, MarketTerms, Wish, best_language
from schema.in_context import accepted_languages


def terms(code: str, currency: str, *countries: str, rate: str = "1") -> MarketTerms:
    return MarketTerms(
        id=uuid.uuid5(uuid.NAMESPACE_DNS, code), code=code, name=code, currency_code=currency, country_codes=countries,
        languages=("en",), is_default=code == "home", shop_currency_code="USD", exchange_rate=Decimal(rate),
    )  # fmt: skip


HOME, EU, CH = terms("home", "USD", "US"), terms("eu", "EUR", "DE", rate="0.9"), terms("ch", "CHF", "CH", rate="0.88")
ANOTHER_EURO = terms("ie", "EUR", "IE", rate="0.95")
ALL = Markets(
    (HOME, EU, CH, ANOTHER_EURO),
    sold_to=frozenset({"US", "CA", "DE", "CH", "IE"}),
    by_country={"DE": EU, "CH": CH, "IE": ANOTHER_EURO},
)


@pytest.mark.parametrize(
    ("wishes", "market", "country"),
    [
        ([], HOME, None),
        ([Wish("DE")], EU, "DE"),
        ([Wish("CA")], HOME, "CA"),
        ([Wish("BR")], HOME, None),  # not sold to
        ([Wish("BR"), Wish("DE")], HOME, None),  # and what was said first decides
        ([Wish(), Wish("CH")], CH, "CH"),
        ([Wish("CH", (), "EUR")], CH, "CH"),
        ([Wish(None, (), "EUR"), Wish("CH")], EU, None),
        ([Wish(None, (), "EUR"), Wish("IE")], ANOTHER_EURO, "IE"),
        ([Wish(None, (), "EUR"), Wish(None, ("de",)), Wish("IE")], ANOTHER_EURO, "IE"),
    ],
)
def test_the_first_that_says_anything_of_the_place_decides(
    wishes: list[Wish], market: MarketTerms, country: str | None
) -> None:
    found = ALL.resolve(wishes)
    assert (found.market, found.country_code) == (market, country)


def test_a_currency_that_decides_has_to_be_sold_in() -> None:
    with pytest.raises(DomainError):
        ALL.resolve([Wish(None, (), "SEK")])
    with pytest.raises(DomainError):
        ALL.resolve([Wish("DE", (), "SEK")])
    # One that was overruled decides nothing.
    assert ALL.resolve([Wish("DE"), Wish(None, (), "SEK")]).market == EU


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ([], "de-CH"),
        (["fr"], "fr-CH"),
        (["FR-fr"], "fr-CH"),
        (["it", "fr-CH"], "fr-CH"),
        (["zh-Hant-TW"], "zh"),
        (["de"], "de-CH"),
        (["tlh", ""], "de-CH"),
    ],
)
def test_the_nearest_language_that_is_offered(wanted: list[str], language: str) -> None:
    assert best_language(wanted, ("de-CH", "fr-CH", "zh")) == language


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("de", ("de",)),
        ("fr;q=0.5, de-CH, en;q=0.8", ("de-CH", "en", "fr")),
        ("de;q=0, en", ("en",)),
        ("*, , ;q=1, en_US, de;q=2, " + "x" * 2000, ()),
    ],
)
def test_accept_language_is_read_as_browsers_write_it(header: str, tags: tuple[str, ...]) -> None:
    assert accepted_languages(header) == tags


def test_amounts_of_the_shop_in_the_market_s_currency() -> None:
    assert HOME.from_shop_currency(599) == 599
    assert EU.from_shop_currency(599) == 539
    assert terms("jp", "JPY", "JP", rate="150").from_shop_currency(599) == 899
