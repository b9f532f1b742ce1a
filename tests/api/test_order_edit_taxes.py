"""Taxes of orders that are edited: of another place once they go there, as they were otherwise, or an engine's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.settings import get_settings
from tests.api.test_taxes_engines import right, uses
from tests.client import Api
from tests.factories import catalogue, checkout, orders, shipping, shop, taxes
from tests.factories.orders import Bought, codes, edit, stands
from tests.http_receiver import Receiver, Reply, http_receiver

pytestmark = pytest.mark.usefixtures("clean_database")

Drain = Callable[[], Awaitable[None]]

NEW_YORK = {**checkout.ADDRESS, "city": "New York", "provinceCode": "NY", "postalCode": "10001"}
GERMANY = {"lastName": "Lovelace", "address1": "Unter den Linden 1", "city": "Berlin", "postalCode": "10117",
           "countryCode": "DE"}  # fmt: skip
FRANCE = {"lastName": "Lovelace", "address1": "1 rue de Rivoli", "city": "Paris", "postalCode": "75001",
          "countryCode": "FR"}  # fmt: skip
COST = """query ($id: ID!) { order(id: $id) { cost { subtotal { amount } shipping { amount } tax { amount }
    total { amount } taxEstimated taxLines { name amount { amount } } } } }"""


async def cost(api: Api, token: str, order: Bought, drain: Drain) -> dict[str, Any]:
    """What it costs, once everything adds up."""
    await drain()
    await stands(api, token, order.gid)
    shown: dict[str, Any] = (await api.ok(COST, {"id": order.gid}, token=token))["order"]["cost"]
    return shown


def amounts(shown: dict[str, Any]) -> tuple[str, str, list[str]]:
    return shown["tax"]["amount"], shown["total"]["amount"], [one["name"] for one in shown["taxLines"]]


async def test_another_state_taxes_at_its_own_rates_and_back_at_todays(
    api: Api, staff_token: str, drain: Drain
) -> None:
    """2 x 20.00 and shipping of 5.99: 45.99 x 10 % are 4.599, x 4 % are 1.8396, x 8 % are 3.6792."""
    await checkout.shop_that_ships()
    california = await taxes.zone({"country": "US", "provinces": ["CA"]}, standard=[("California", "10")])
    await taxes.zone({"country": "US", "provinces": ["NY"]}, standard=[("New York", "4")])
    lamp = await catalogue.product(price_minor=2000, stock=9)
    order = await orders.bought(api, (lamp, 2), payment=checkout.CASH)
    assert amounts(await cost(api, staff_token, order, drain)) == ("4.60", "50.59", ["California"])
    await db.execute("UPDATE tax_rates SET percentage = 8 WHERE zone_id = $1", california)
    # As long as it goes to the same place, at the rate that it was sold at: 65.99 x 10 %.
    lines = [{"orderLineId": order.lines[0], "quantity": 3}]
    assert codes(await edit(api, staff_token, order.gid, lines=lines)) == []
    assert amounts(await cost(api, staff_token, order, drain)) == ("6.60", "72.59", ["California"])
    lines = [{"orderLineId": order.lines[0], "quantity": 2}]
    assert codes(await edit(api, staff_token, order.gid, lines=lines, shippingAddress=NEW_YORK)) == []
    assert amounts(await cost(api, staff_token, order, drain)) == ("1.84", "47.83", ["New York"])
    assert codes(await edit(api, staff_token, order.gid, shippingAddress=checkout.ADDRESS)) == []
    assert amounts(await cost(api, staff_token, order, drain)) == ("3.68", "49.67", ["California"])


async def test_a_reverse_charge_vanishes_and_appears_with_the_place(api: Api, staff_token: str, drain: Drain) -> None:
    """A German shop sells 100.00 with shipping of 5.99 to a French business: without tax; in Germany 19 % of 105.99."""
    await shop.shop(currency="EUR", countries=("DE", "FR"))
    await shipping.zone("DE", "FR")
    await taxes.settings(home_country_code="DE", tax_id="DE136695976")
    await taxes.zone("DE", standard="19")
    await taxes.zone("FR", name="France", standard="20")
    lamp = await catalogue.product(price_minor=100_00, stock=9)
    order = await orders.bought(
        api, (lamp, 1), tax_id="FR40303265045", country="FR", shippingAddress=FRANCE, payment=checkout.CASH
    )
    first = await cost(api, staff_token, order, drain)
    assert (first["tax"]["amount"], first["total"]["amount"]) == ("0.00", "105.99")
    assert await db.fetchval("SELECT reverse_charge FROM orders")
    assert codes(await edit(api, staff_token, order.gid, shippingAddress=GERMANY)) == []
    assert amounts(await cost(api, staff_token, order, drain)) == ("20.14", "126.13", ["VAT"])
    assert not await db.fetchval("SELECT reverse_charge FROM orders")
    assert codes(await edit(api, staff_token, order.gid, shippingAddress=FRANCE)) == []
    again = await cost(api, staff_token, order, drain)
    assert again == first
    assert await db.fetchval("SELECT reverse_charge FROM orders")
    numbers = await db.fetch("SELECT number, total_minor FROM invoices ORDER BY id")
    assert [tuple(row.values()) for row in numbers] == [
        ("INV-000001", 10599),
        ("CN-000001", 10599),
        ("INV-000002", 12613),
        ("CN-000002", 12613),
        ("INV-000003", 10599),
    ]


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """4 % and 4.875 %; without it, 10 %."""
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    async with http_receiver(right) as receiver:
        await checkout.shop_that_ships()
        await taxes.zone("US", standard=[("Own", "10")])
        await uses(receiver)
        yield receiver


async def test_an_engine_decides_anew_and_where_it_is_away_the_own_rates_do(
    api: Api, staff_token: str, drain: Drain, engine: Receiver
) -> None:
    lamp = await catalogue.product(price_minor=2000, stock=9)
    order = await orders.bought(api, (lamp, 2), payment=checkout.CASH)
    # 45.99 * 0.04 = 1.8396, and 40.00 * 0.04875 = 1.95: the city does not tax shipping
    assert amounts(await cost(api, staff_token, order, drain)) == ("3.79", "49.78", ["State", "City"])

    async def to(quantity: int) -> dict[str, Any]:
        lines = [{"orderLineId": order.lines[0], "quantity": quantity}]
        assert codes(await edit(api, staff_token, order.gid, lines=lines)) == []
        return await cost(api, staff_token, order, drain)

    shown = await to(3)
    # 65.99 * 0.04 = 2.6396, and 60.00 * 0.04875 = 2.925
    assert (amounts(shown), shown["taxEstimated"]) == (("5.57", "71.56", ["State", "City"]), False)
    engine.answer = lambda request: Reply(503)
    shown = await to(1)
    # What it was sold at stays: 25.99 * 0.04 = 1.0396, and 20.00 * 0.04875 = 0.975
    assert (amounts(shown)[1], shown["taxEstimated"]) == ("28.01", True)
