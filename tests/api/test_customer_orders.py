"""The order history of an account: its own orders, all of them, and nobody else's."""

from typing import Any

import pytest

from app import db
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, staff
from tests.factories.accounts import Account

HISTORY = """query ($first: Int, $after: String) { me {
    orders(first: $first, after: $after) { totalCount nodes { id lines { nodes { productName } } }
        pageInfo { hasNextPage endCursor } } } }"""
ORDER = "query ($id: ID!, $token: String) { order(id: $id, token: $token) { id payments { state } } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
LINES = "query ($id: ID!) { order(id: $id) { lines { nodes { id } } } }"
CUSTOMER = "query ($id: ID!) { node(id: $id) { ... on Customer { orders { nodes { id } } } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def placed(api: Api, **how: Any) -> str:
    return (await checkout.placed(api, **how))["order"]["id"]  # type: ignore[no-any-return]


async def history(api: Api, account: Account, **page: Any) -> dict[str, Any]:
    return (await api.ok(HISTORY, page, token=account.token))["me"]["orders"]  # type: ignore[no-any-return]


async def shown(api: Api, account: Account) -> list[str]:
    return [order["id"] for order in (await history(api, account))["nodes"]]


async def test_the_history_has_what_was_ordered_signed_in_whatever_the_email(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    pen = await catalogue.product(name="Pen")
    ids = [await checkout.placed(api, (pen, 1), token=ada.token, email=mail) for mail in (ada.email, bob.email)]
    await placed(api)
    assert await shown(api, ada) == [made["order"]["id"] for made in reversed(ids)]
    assert await shown(api, bob) == []
    assert (await history(api, ada))["nodes"][0]["lines"]["nodes"] == [{"productName": "Pen"}]


async def test_a_guests_order_joins_the_account_with_its_verified_address(api: Api) -> None:
    ada = await accounts.signed_in("ada@example.com")
    claim = await accounts.signed_in("bob@example.com", verified=False)
    order = await placed(api, email="Ada@Example.com")
    await placed(api, email="bob@example.com")
    assert await shown(api, ada) == [order]
    # Whoever claims an address has not shown that it is theirs.
    assert await shown(api, claim) == []


async def test_an_unverified_account_sees_what_it_did_itself(api: Api) -> None:
    claim, other = [await accounts.signed_in("ada@example.com", verified=False) for _ in range(2)]
    order = await placed(api, token=claim.token, email="ada@example.com")
    assert await shown(api, claim) == [order]
    assert await shown(api, other) == []


async def test_an_order_opens_for_its_customer_without_a_token(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    own, guests = await checkout.placed(api, token=ada.token), await checkout.placed(api, email="guest@example.com")
    own_id, guests_id = own["order"]["id"], guests["order"]["id"]
    unknown = own_id[:-4] + "0000"

    async def opens(order_id: str, account: Account, **more: Any) -> bool:
        order = (await api.ok(ORDER, {"id": order_id, **more}, token=account.token))["order"]
        # What the payments are is for staff.
        assert order is None or order["payments"] is None
        node = (await api.ok(NODE, {"id": order_id}, token=account.token))["node"]
        assert more or (node is None) == (order is None)
        return order is not None

    assert await opens(own_id, ada)
    assert not await opens(own_id, bob)
    assert not await opens(guests_id, ada)
    assert not await opens(unknown, ada)
    assert await opens(guests_id, ada, token=guests["orderToken"])


async def test_a_line_opens_for_its_orders_customer(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    order_id = await placed(api, token=ada.token)
    (line,) = (await api.ok(LINES, {"id": order_id}, token=ada.token))["order"]["lines"]["nodes"]
    assert (await api.ok(NODE, {"id": line["id"]}, token=ada.token))["node"] == line
    assert (await api.ok(NODE, {"id": line["id"]}, token=bob.token))["node"] is None
    assert (await api.ok(NODE, {"id": line["id"]}))["node"] is None


async def test_pages_of_a_history(api: Api) -> None:
    ada = await accounts.signed_in()
    orders = [await placed(api, token=ada.token) for _ in range(3)]
    first = await history(api, ada, first=2)
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    rest = await history(api, ada, first=2, after=first["pageInfo"]["endCursor"])
    assert [order["id"] for page in (first, rest) for order in page["nodes"]] == list(reversed(orders))
    assert not rest["pageInfo"]["hasNextPage"]
    wrong = await api.query(HISTORY, {"first": 101}, token=ada.token)
    assert wrong.codes == ["OUT_OF_RANGE"]


async def test_staff_see_a_history_where_they_may_see_orders(api: Api) -> None:
    ada = await accounts.signed_in()
    order = await placed(api, token=ada.token)
    both = await staff.signed_in({Permission.CUSTOMERS_READ, Permission.ORDERS_READ})
    people = await staff.signed_in({Permission.CUSTOMERS_READ})
    for token, orders in ((both, {"nodes": [{"id": order}]}), (people, None)):
        assert (await api.ok(CUSTOMER, {"id": f"cus_{ada.id.hex}"}, token=token))["node"] == {"orders": orders}


async def test_an_account_that_is_deleted_meanwhile_leaves_the_order_to_the_address(api: Api) -> None:
    """The payment takes its time; what was drafted names an account that is gone."""
    claim = await accounts.signed_in("ada@example.com", verified=False)
    given = await checkout.ready_input(
        api, (await catalogue.product(), 1), payment={**checkout.CARD, "token": "tok_requires_action"}
    )
    assert (await checkout.complete(api, given, token=claim.token))["paymentAction"]
    await db.execute("DELETE FROM customers WHERE id = $1", claim.id)
    ada = await accounts.signed_in("ada@example.com")
    await db.execute("UPDATE test_gateway_payments SET state = 'AUTHORIZED'")
    order = (await checkout.complete(api, given))["order"]["id"]
    assert await shown(api, ada) == [order]
