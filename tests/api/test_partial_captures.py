"""Money follows the goods, part by part."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.payments.gateway import GatewayUnavailableError
from app.payments.test_gateway import TestGateway
from tests.client import Api
from tests.factories import catalogue, checkout, gift_cards
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill

Drain = Callable[[], Awaitable[None]]

SETTINGS = (
    """mutation ($input: PaymentSettingsInput!) { paymentSettingsUpdate(input: $input) { userErrors { code } } }"""
)
LINES = "query ($id: ID!) { order(id: $id) { paymentStatus status lines { nodes { id } } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    """19.99 each; shipping is 5.99."""
    return await catalogue.product(stock=10)


async def bought(api: Api, token: str, product: MadeProduct) -> tuple[str, str]:
    """An order of three, by card; its id and its line's."""
    gid = (await checkout.placed(api, (product, 3)))["order"]["id"]
    return gid, (await api.ok(LINES, {"id": gid}, token=token))["order"]["lines"]["nodes"][0]["id"]


async def captured() -> list[int]:
    rows = await db.fetch("SELECT amount_minor FROM test_gateway_operations WHERE kind = 'CAPTURE' ORDER BY created_at")
    return [row["amount_minor"] for row in rows]


async def ship_one(api: Api, token: str, gid: str, line: str) -> None:
    await fulfill(api, token, gid, lines=[{"orderLineId": line, "quantity": 1}])


async def test_each_parcel_brings_its_own_money(api: Api, staff_token: str, product: MadeProduct, drain: Drain) -> None:
    gid, line = await bought(api, staff_token, product)
    statuses = []
    for _ in range(3):
        await ship_one(api, staff_token, gid, line)
        await drain()
        order = (await api.ok(LINES, {"id": gid}, token=staff_token))["order"]
        statuses.append((order["status"], order["paymentStatus"]))
    assert await captured() == [1999 + 599, 1999, 1999]
    assert statuses == [("OPEN", "PARTIALLY_PAID"), ("OPEN", "PARTIALLY_PAID"), ("COMPLETED", "PAID")]
    assert await invariants.check() == []


async def test_parcels_that_leave_while_the_gateway_is_away_are_not_forgotten(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid, line = await bought(api, staff_token, product)

    async def away(*args: Any) -> Any:
        raise GatewayUnavailableError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(TestGateway, "capture", away)
        for _ in range(3):
            await ship_one(api, staff_token, gid, line)
            await drain()
    await checkout.watches_due()
    await drain()
    assert sum(await captured()) == 6596
    assert (await api.ok(LINES, {"id": gid}, token=staff_token))["order"]["status"] == "COMPLETED"
    assert await invariants.check() == []


async def test_the_first_parcel_brings_all_where_that_is_the_policy(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain
) -> None:
    await api.ok(SETTINGS, {"input": {"capturePolicy": "FIRST_SHIPMENT"}}, token=staff_token)
    gid, line = await bought(api, staff_token, product)
    await ship_one(api, staff_token, gid, line)
    await drain()
    assert await captured() == [6596]
    await fulfill(api, staff_token, gid)
    await drain()
    assert await captured() == [6596]
    assert await invariants.check() == []


async def test_a_gateway_that_captures_once_takes_all_with_the_first(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TestGateway, "captures_in_parts", False)
    gid, line = await bought(api, staff_token, product)
    await ship_one(api, staff_token, gid, line)
    await drain()
    assert await captured() == [6596]
    assert await invariants.check() == []


async def test_what_a_gift_card_paid_comes_first(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain
) -> None:
    card = await gift_cards.gift_card(2_000)
    given = await checkout.ready_input(api, (product, 3))
    codes = """mutation ($id: ID!, $codes: [String!]!) {
        cartGiftCardCodesUpdate(cartId: $id, codes: $codes) { userErrors { code } }
    }"""
    await api.ok(codes, {"id": given["cartId"], "codes": [card.code]})
    gid = (await checkout.complete(api, given))["order"]["id"]
    line = (await api.ok(LINES, {"id": gid}, token=staff_token))["order"]["lines"]["nodes"][0]["id"]
    for _ in range(3):
        await ship_one(api, staff_token, gid, line)
        await drain()
    assert await captured() == [1999 + 599 - 2000, 1999, 1999]
    assert await invariants.check() == []
