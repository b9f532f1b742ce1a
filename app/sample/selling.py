"""How the sample shop sells: taxes where it has markets, a code and an automatic discount, gift wraps, a store to fetch
things from, engravings made to order, and the bank account that transfers go to."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from app import db
from app.addresses.postal import PostalAddress
from app.gifting import settings as gifting
from app.gifting.settings import GiftSettings, WrapPrice
from app.inventory import warehouses
from app.inventory.warehouses import OpeningHours
from app.invoices import settings as invoices
from app.kit.money import Money
from app.payments import payment_settings
from app.promotions.requests import EMPTY, BuyXGetYRequest, DiscountChange, ItemsRequest
from app.promotions.service import create_discount
from app.tax.starting import load_starter, starters
from app.terms import service as terms
from app.terms.models import CustomizationType

TAXED = ("eu", "ch", "jp", "gb", "ca")
"""In the United States it charges none: where a shop has to depends on how much it sells in each state."""
CODE = "HELLO10"

_OPEN: list[OpeningHours] = [{"weekday": day, "opens": "09:00", "closes": "18:00"} for day in range(1, 7)]
_WRAPS = (("USD", 450, 250), ("EUR", 450, 250), ("CHF", 500, 250), ("JPY", 600, 350))
"""Currency, and minor units for an order in one wrap and for a unit in its own."""


async def set_up_selling() -> None:
    """In the open unit of work, after the products and the markets."""
    known = starters()
    for name in TAXED:
        await load_starter(known[name])
    await _make_discounts()
    prices = [WrapPrice(Money(order, currency), Money(unit, currency)) for currency, order, unit in _WRAPS]
    await gifting.update(GiftSettings(wrapping_enabled=True, wrapping_label="Paper and string", prices=prices))
    await _open_the_store()
    await _take_orders_for_engraving()
    # The account of the examples in the registry of IBANs: nobody's.
    await payment_settings.update(
        {
            "bank_transfer": True,
            "bank_account_holder": "Tradewind Supply, Inc.",
            "bank_name": "Sample Bank",
            "bank_iban": "DE89370400440532013000",
            "bank_instructions": "Please write the order's number on the transfer.",
        }
    )
    await invoices.update({"registration": "Oregon registry 0000000-00", "footer": "Thank you for buying from us."})


async def _make_discounts() -> None:
    welcome: DiscountChange = {"name": "Ten percent for a hello", "percentage": Decimal(10)}
    await create_discount({**EMPTY, **welcome}, CODE)
    socks = ItemsRequest(product_ids=await _products("merino-hiking-socks"))
    three_for_two: DiscountChange = {
        "name": "Three pairs of socks for two",
        "buy_x_get_y": BuyXGetYRequest(buy_quantity=2, buys=socks, gets=socks),
    }
    await create_discount({**EMPTY, **three_for_two}, None)


async def _open_the_store() -> None:
    store = PostalAddress(
        last_name="Tradewind Supply",
        address1="1204 Harbor Way",
        city="Portland",
        province_code="OR",
        province="Oregon",
        postal_code="97209",
        country_code="US",
    )
    await warehouses.update_warehouse(
        await db.fetchval("SELECT id FROM warehouses WHERE is_default"),
        {
            "pickup_enabled": True,
            "address": store,
            "opening_hours": _OPEN,
            "pickup_instructions": "Ring at the green door, and bring the order's number.",
            "pickup_ready_hours": 4,
        },
    )


async def _take_orders_for_engraving() -> None:
    for product_id in await _products("brass-compass", "chefs-knife"):
        await terms.set_terms(
            product_id,
            {
                "customizations": [
                    {
                        "key": "engraving",
                        "label": "Engraving",
                        "type": CustomizationType.TEXT,
                        "price": Decimal("12.00"),
                        "max_length": 20,
                    },
                ]
            },
        )


async def _products(*slugs: str) -> Sequence[uuid.UUID]:
    return [row["id"] for row in await db.fetch("SELECT id FROM products WHERE slug = ANY($1) ORDER BY id", slugs)]
