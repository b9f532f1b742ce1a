import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue.shopify_csv import values


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("50", "USD", 5000),
        ("69.99", "USD", 6999),
        ("1,299.00", "USD", 129900),
        ("1,234,567.5", "USD", 123456750),
        ("1,299", "USD", 129900),
        (".5", "USD", 50),
        ("0", "USD", 0),
        ("0.00", "USD", 0),
        ("1500", "JPY", 1500),
        ("1500.00", "JPY", 1500),
        ("1.250", "KWD", 1250),
    ],
)
def test_prices_as_exports_write_them(text: str, currency: str, minor: int) -> None:
    assert values.price_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        ("12,50", "USD", "decimal comma"),
        ("1.299,00", "USD", "decimal comma"),
        ("1.299", "USD", "more digits"),
        ("9.999", "USD", "more digits"),
        ("12.50", "JPY", "more digits"),
        ("1,299", "KWD", "could mean"),
        ("12,34,567", "USD", "not a price"),
        ("$12.00", "USD", "not a price"),
        ("1 299.00", "USD", "not a price"),
        ("-5", "USD", "negative"),
        ("free", "USD", "not a price"),
        ("NaN", "USD", "not a price"),
        ("1e3", "USD", "not a price"),
        ("٣", "USD", "not a price"),
        ("99999999999999999", "USD", "larger"),
    ],
)
def test_a_price_that_could_be_wrong_is_refused_with_its_reason(text: str, currency: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        values.price_minor(text, currency)


@given(st.integers(min_value=0, max_value=10**13))
def test_a_price_survives_being_written(minor: int) -> None:
    assert values.price_minor(f"{minor // 100}.{minor % 100:02}", "USD") == minor
    assert values.price_minor(f"{minor // 100:,}.{minor % 100:02}", "USD") == minor


@pytest.mark.parametrize(
    ("text", "grams"), [("0", 0), ("0.0", 0), ("4.1", 4), ("4.6", 5), ("0.3", 1), ("1.5E+03", 1500), ("1000", 1000)]
)
def test_weights(text: str, grams: int) -> None:
    assert values.grams(text) == grams


@pytest.mark.parametrize("text", ["-1", "1 kg", "1,5", "999999999", "nan", ""])
def test_wrong_weights_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"weight|negative|tonnes"):
        values.grams(text)


@pytest.mark.parametrize(("text", "quantity"), [("10", 10), ("10.0", 10), ("-3", 0), ("0", 0)])
def test_quantities(text: str, quantity: int) -> None:
    assert values.quantity(text) == quantity


@pytest.mark.parametrize("text", ["1.5", "many", "1,000", "99999999999"])
def test_wrong_quantities_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|larger"):
        values.quantity(text)


def test_booleans_as_spreadsheets_of_several_languages_write_them() -> None:
    assert all(values.boolean(text) for text in ("true", "TRUE", "True", "yes", "1", "WAHR"))
    assert not any(values.boolean(text) for text in ("false", "FALSE", "no", "0", "FALSCH", "faux"))
    with pytest.raises(ValueError, match="neither"):
        values.boolean("maybe")


def test_continue_selling_in_both_generations_of_the_column() -> None:
    assert values.continues_selling("continue")
    assert values.continues_selling("TRUE")
    assert not values.continues_selling("DENY")
    assert not values.continues_selling("false")
    with pytest.raises(ValueError, match="neither continue nor deny"):
        values.continues_selling("sometimes")


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("ocean-blue-shirt", "ocean-blue-shirt"),
        ("Ocean Blue  Shirt", "ocean-blue-shirt"),
        ("T-Shirt_v2.0", "t-shirt-v2-0"),
        ("Größe-Süß", "grösse-süss"),
        ("größe-süß", "größe-süß"),
        ("t_shirt.v2", "t_shirt.v2"),
        ("東京-コーヒー", "東京-コーヒー"),
    ],
)
def test_handles_become_addresses(text: str, handle: str) -> None:
    assert values.handle(text) == handle
    assert values.handle(handle) == handle


@pytest.mark.parametrize("text", ["---", "<p>", 'a"b', "a,b", "a\nb", "…"])
def test_what_cannot_be_a_handle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a handle"):
        values.handle(text)


def test_tags_once_each_in_order() -> None:
    assert values.tags(" Gold, gold ,Leather,,  Long  Chain ") == ["Gold", "Leather", "Long Chain"]


@pytest.mark.parametrize("tags", [["a, b", "c"], ["back\\", "slash"], ["\\,", ",\\"], ["plain"], []])
def test_tags_with_commas_come_back_as_they_were(tags: list[str]) -> None:
    assert values.tags(values.joined(tags)) == tags


def test_a_spreadsheet_s_apostrophe_is_no_part_of_an_sku() -> None:
    assert values.sku("'25970") == "25970"
    assert values.sku("O'NEIL-1") == "O'NEIL-1"


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "ftp://a.example/b.jpg", "//a.example/b.jpg", "b.jpg", "https://", "https://a b/c"]
)
def test_image_addresses_that_no_page_should_load(text: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        values.image_url(text)


def test_image_addresses_of_this_server_and_others() -> None:
    for url in ("https://cdn.example/a.jpg?v=1", "http://cdn.example/a@2x.jpg", "/media/sample/a.webp"):
        assert values.image_url(url) == url
