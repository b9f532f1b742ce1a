"""The sample shop: complete, true to itself, and loaded once."""

import csv
import time

import pytest

from app import db, invariants
from app.catalogue.importing.service import import_file
from app.catalogue.shopify_csv import check_file, read_products
from app.sample.loading import FOLDER, IMAGES_FOLDER, IMAGES_PATH, load_sample_shop
from tests.client import Api
from tests.factories import shop as shop_factory
from tests.patience import patience


def rows() -> list[dict[str, str]]:
    with (FOLDER / "shop.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_reads_without_a_problem() -> None:
    with (FOLDER / "shop.csv").open("rb") as source:
        check = check_file(source)
        source.seek(0)
        products = list(read_products(source, check, "USD"))
    assert [problem for product in products for problem in product.problems] == []
    assert len(products) >= 60
    assert check.columns.ignored == ["Variant Fulfillment Service", "Variant Weight Unit"]


def test_every_picture_is_there_and_every_picture_is_used() -> None:
    named = {row[column] for row in rows() for column in ("Image Src", "Variant Image") if row[column]}
    files = {f"{IMAGES_PATH}/{path.name}" for path in IMAGES_FOLDER.glob("*.webp")}
    assert named <= files
    assert all("/collection-" in path for path in files - named)
    assert max(path.stat().st_size for path in IMAGES_FOLDER.glob("*.webp")) < 40_000


def test_no_sku_is_used_twice_and_every_picture_is_described() -> None:
    skus = [row["Variant SKU"] for row in rows() if row["Variant SKU"]]
    assert len(skus) == len(set(skus))
    assert all(row["Image Alt Text"] for row in rows() if row["Image Src"])


@pytest.fixture
async def empty_shop(clean_database: None) -> None:
    """As migrations leave it."""
    await shop_factory.shop(name="My shop", countries=["US"])


@pytest.fixture
async def sample_shop(api: Api, empty_shop: None) -> Api:
    assert await load_sample_shop()
    return api


async def test_it_loads_quickly_and_once(empty_shop: None) -> None:
    start = time.perf_counter()
    assert await load_sample_shop()
    assert time.perf_counter() - start < patience(2)
    before = await db.fetchval("SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM shipping_zones)")
    assert not await load_sample_shop()
    after = await db.fetchval("SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM shipping_zones)")
    assert after == before


async def test_an_interrupted_load_leaves_an_empty_shop(empty_shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.sample import loading

    async def broken() -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(loading, "_collect_last_chances", broken)
        with pytest.raises(RuntimeError):
            await load_sample_shop()
    for table in ("products", "collections", "shipping_zones", "staff_users", "stock_levels"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert await load_sample_shop()


async def test_a_shop_that_has_products_is_left_alone(empty_shop: None) -> None:
    with (FOLDER.parents[1] / "tests/fixtures/shopify/apparel.csv").open("rb") as source:
        await import_file(source)
    assert not await load_sample_shop()
    assert await db.fetchval("SELECT name FROM shop") == "My shop"
    assert await db.fetchval("SELECT count(*) FROM staff_users") == 0


DESTINATIONS = {
    'countryCode: "US", provinceCode: "OR", postalCode: "97209"': "By bicycle, the same or the next day",
    'countryCode: "US"': "Ground Advantage",
    'countryCode: "US", provinceCode: "HI"': "Priority Mail",
    'countryCode: "CA"': "Standard",
    'countryCode: "GB"': "Parcel International",
    'countryCode: "DE"': "Parcel International",
    'countryCode: "FR"': "Express Worldwide",
    'countryCode: "JP"': "Express Worldwide",
}


async def services(api: Api, sku: str, destination: str) -> list[str]:
    variant = await db.fetchval("SELECT id FROM product_variants WHERE sku = $1", sku)
    data = await api.ok(
        f"""
        query {{
            shippingQuotes(input: {{lines: [{{variantId: "var_{variant.hex}"}}], address: {{{destination}}}}}) {{
                quotes {{ service price {{ amount }} }} userErrors {{ code message }}
            }}
        }}
        """
    )
    return [quote["service"] for quote in data["shippingQuotes"]["quotes"]]


async def test_it_ships_where_it_says_furniture_by_freight_and_keeps_a_store(sample_shop: Api) -> None:
    for destination, service in DESTINATIONS.items():
        assert service in await services(sample_shop, "MUG-FOR", destination), destination
    assert await services(sample_shop, "DSK-OAK", 'countryCode: "US"') == [
        "Two people, room of your choice",
        "Portland",
    ]


async def test_it_sells_in_four_currencies(sample_shop: Api) -> None:
    product = """query @inContext(country: %s) { products(first: 100) { nodes {
        priceRange { min { amount currencyCode } } } } localization { market { code } pricesIncludeTax } }"""
    endings = {"US": "", "GB": "", "DE": ".95", "CH": ("0", "5"), "JP": "80"}
    for country, ending in endings.items():
        data = await sample_shop.ok(product % country)
        prices = [node["priceRange"]["min"]["amount"] for node in data["products"]["nodes"]]
        assert len(prices) >= 60
        assert all(price.endswith(ending) for price in prices if not price.startswith("0")), country
    assert data["localization"] == {"market": {"code": "jp"}, "pricesIncludeTax": True}


async def test_it_has_every_kind_of_thing_and_an_owner_who_may_do_everything(sample_shop: Api) -> None:
    kinds = await db.fetch("SELECT DISTINCT kind FROM products")
    assert {row["kind"] for row in kinds} == {"PHYSICAL", "DIGITAL", "SERVICE", "GIFT_CARD"}
    sizes = await db.fetch("SELECT count(*) AS size FROM collection_products GROUP BY collection_id")
    assert len(sizes) == 8
    assert min(row["size"] for row in sizes) >= 5
    sold_out = await db.fetchval("SELECT count(*) FROM stock_levels WHERE available = 0")
    reduced = await db.fetchval("SELECT count(*) FROM product_variants WHERE compare_at_price_minor > price_minor")
    assert min(sold_out, reduced) >= 10
    assert await db.fetchval("SELECT count(*) FROM product_variants WHERE inventory_policy = 'CONTINUE'") >= 1
    data = await sample_shop.ok(
        """
        mutation {
            staffLogin(input: {email: "owner@example.com", password: "tradewind-dev"}) {
                accessToken userErrors { code }
            }
        }
        """
    )
    token = data["staffLogin"]["accessToken"]
    assert await invariants.check() == []
    found = await sample_shop.ok("{ deadLetters { totalCount } }", token=token)
    assert found["deadLetters"]["totalCount"] == 0


async def test_pictures_are_served_for_a_month(api: Api) -> None:
    response = await api.http.get(f"{IMAGES_PATH}/enamel-camp-mug-forest.webp")
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["cache-control"] == "public, max-age=2592000"
    again = await api.http.get(
        f"{IMAGES_PATH}/enamel-camp-mug-forest.webp", headers={"If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304
    assert (await api.http.get(f"{IMAGES_PATH}/../loading.py")).status_code == 404
    assert (await api.http.get(f"{IMAGES_PATH}/%2e%2e/loading.py")).status_code == 404
