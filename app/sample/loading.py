"""Puts the sample shop into an empty database, all of it or nothing."""

from pathlib import Path

from app import db
from app.catalogue import collections
from app.catalogue.collections import CollectionGiven
from app.catalogue.importing.service import import_file
from app.flows import recipes
from app.inventory import warehouses
from app.sample import shipping
from app.sample.companies import make_company
from app.sample.markets import make_markets
from app.sample.selling import set_up_selling
from app.shipping import zone_editing
from app.shop import service as shop
from app.shop.models import ShopPolicyKind
from app.shop.service import PolicyGiven, ShopGiven
from app.staff import service as staff

FOLDER = Path(__file__).resolve().parent
IMAGES_FOLDER = FOLDER / "images"
IMAGES_PATH = "/media/sample"
"""Where the API serves the pictures."""

OWNER_EMAIL = "owner@example.com"
OWNER_PASSWORD = "tradewind-dev"  # noqa: S105 - known to everybody, for development alone
TIME_ZONE = "America/Los_Angeles"

# Name, description, what the picture shows.
_COLLECTIONS = (
    ("Clothing", "Things to wear for years, in colours that go with each other.", "A jacket, a hat and socks"),
    ("Furniture", "Solid wood, honest joints, made in small numbers.", "A chair, a stool and a lamp"),
    ("Pantry", "Coffee, tea and groceries, by weight, from people we can name.", "Coffee, oil and honey"),
    ("Books", "Cookbooks, novels and field guides from one small press.", "Two books, standing"),
    ("Kitchen & Table", "Tools for cooking and plates for afterwards.", "A kettle and a mug"),
    ("Outdoors", "For a day's walk, a night out, or the end of the garden.", "A tent with a backpack and a lantern"),
    ("Gifts & Services", "Gift cards, downloads, and people who repair things.", "A gift card in an envelope"),
)
_LAST_CHANCE = ("Last Chance", "The end of a season, at a fair price, while it lasts.", "A scarf and a shirt")
_LAST_CHANCE_TAG = "last-chance"


async def load_sample_shop() -> bool:
    """Fill a database that has no products yet; False where it has some, which are then left alone.

    It is one transaction, so a start that is interrupted leaves an empty shop for the next one to fill.
    """
    async with db.unit_of_work():
        # Two starts on one database wait for each other here.
        await db.execute("SELECT FROM shop WHERE id = 1 FOR UPDATE")
        if await db.fetchval("SELECT EXISTS (SELECT FROM products)"):
            return False
        await _set_up_shop()
        await make_markets()
        for zone in shipping.zones():
            await zone_editing.create_zone(zone)
        for name, description, alt_text in _COLLECTIONS:
            await collections.create_collection(_collection(name, description, alt_text))
        with (FOLDER / "shop.csv").open("rb") as source:
            await import_file(source)
        await _collect_last_chances()
        await set_up_selling()
        await make_company()
        await recipes.install(publish=True)
        if not await db.fetchval("SELECT true FROM staff_users WHERE lower(email) = $1", OWNER_EMAIL):
            await staff.create_owner(OWNER_EMAIL, "Sam Owner", OWNER_PASSWORD)
    return True


async def _set_up_shop() -> None:
    policies: list[PolicyGiven] = [
        {"kind": kind, "title": title, "body_html": (FOLDER / "policies" / file).read_text(encoding="utf-8")}
        for kind, title, file in (
            (ShopPolicyKind.DELIVERY, "Delivery", "delivery.html"),
            (ShopPolicyKind.RETURNS, "Returns", "returns.html"),
            (ShopPolicyKind.PRIVACY, "Privacy", "privacy.html"),
            (ShopPolicyKind.TERMS, "Terms of sale", "terms.html"),
        )
    ]
    given: ShopGiven = {
        "name": "Tradewind Supply",
        "currency_code": "USD",
        "countries": shipping.COUNTRIES,
        "legal_name": "Tradewind Supply, Inc.",
        "postal_address": "1204 Harbor Way\nPortland, OR 97209\nUnited States",
        "contact_email": "hello@tradewind.example",
        "contact_phone": "+1 503 555 0142",
        "time_zone": TIME_ZONE,
        "locale": "en-US",
        "policies": policies,
    }
    await shop.update_shop(given)
    warehouse_id = await db.fetchval("SELECT id FROM warehouses WHERE is_default")
    await warehouses.update_warehouse(
        warehouse_id, {"code": "PDX", "name": "Portland", "country_code": "US", "time_zone": TIME_ZONE}
    )


def _collection(name: str, description: str, alt_text: str) -> CollectionGiven:
    slug = "-".join(name.lower().replace("&", " ").split())
    return {
        "name": name,
        "slug": slug,
        "description": description,
        "image_url": f"{IMAGES_PATH}/collection-{slug}.webp",
        "image_alt_text": alt_text,
        "seo_title": f"{name} | Tradewind Supply",
        "seo_description": description,
    }


async def _collect_last_chances() -> None:
    rows = await db.fetch("SELECT id FROM products WHERE $1 = ANY(tags) ORDER BY id", _LAST_CHANCE_TAG)
    await collections.create_collection(_collection(*_LAST_CHANCE), [row["id"] for row in rows])
