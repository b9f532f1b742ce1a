"""Erasing somebody who is at it: nothing is lost that was sold, and nothing of the person is left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.kit import ids
from app.messaging.dev_inbox import DevEmailTransport
from app.privacy import batches, erasing
from tests.client import Api
from tests.factories import accounts, catalogue, checkout
from tests.factories import cart as carts
from tests.security.test_privacy_erased import ERASE, REQUEST, everything, found

pytestmark = pytest.mark.long

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

EMAIL, NAME, STREET = "canary.7731@customer.example", "Canaria7731", "7731 Canary Street"
CANARIES = [EMAIL, NAME, STREET]
ADDRESS = {**checkout.ADDRESS, "firstName": NAME, "lastName": NAME, "address1": STREET}
CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }"
ORDERS = "{ orders(first: 100) { nodes { id status } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def erase(api: Api, token: str, profile: str) -> str:
    answer = (await api.ok(ERASE, {"id": profile}, token=token))["privacyErase"]
    assert answer["userErrors"] == []
    request: str = answer["privacyRequest"]["id"]
    return request


async def known() -> str:
    """Somebody whom the shop knows by their email alone; the profile's id."""
    account = await accounts.signed_in(EMAIL)
    assert account.profile_id
    return ids.encode("prof", account.profile_id)


async def end_all_orders(api: Api, token: str) -> None:
    for order in (await api.ok(ORDERS, token=token))["orders"]["nodes"]:
        if order["status"] == "OPEN":
            await api.ok(CANCEL, {"id": order["id"]}, token=token)


async def nothing_is_left(api: Api, token: str, drain: Drain, advance: Advance) -> None:
    await drain()
    await checkout.watches_due()
    await drain()
    await end_all_orders(api, token)
    await drain()
    await advance("P33D")
    await drain()
    assert found(await everything(), CANARIES) == []
    assert [str(violation) for violation in await invariants.check()] == []
    states = await db.fetch("SELECT status FROM privacy_requests")
    assert {row["status"] for row in states} == {"DONE"}


@pytest.mark.parametrize("payment", [checkout.CARD, checkout.CASH], ids=["card", "cash"])
async def test_an_erasure_while_the_same_person_buys(
    api: Api, staff_token: str, drain: Drain, advance: Advance, payment: dict[str, Any]
) -> None:
    product = await catalogue.product()
    for turn in range(6):
        profile = await known()
        cart = await carts.cart((product.variant_id, 1))
        given = {
            "cartId": cart.gid, "idempotencyKey": checkout.new_key(), "email": EMAIL, "shippingAddress": ADDRESS,
            "payment": payment, "shippingQuoteId": await checkout.quote_for(api, cart.gid),
        }  # fmt: skip
        await api.ok(
            "mutation ($i: CheckoutCreateInput!) { checkoutCreate(input: $i) { userErrors { code } } }",
            {"i": {"cartId": cart.gid, "email": EMAIL}},
        )

        async def later(given: dict[str, Any] = given, wait: float = 0.004 * turn) -> Any:
            await asyncio.sleep(wait)
            return await checkout.complete(api, given)

        await asyncio.gather(later(), erase(api, staff_token, profile))
        await drain()
    assert await db.fetchval("SELECT count(*) FROM orders") > 0, "somebody got to buy"
    await nothing_is_left(api, staff_token, drain, advance)


async def test_two_erasures_of_one_person_at_once_are_one(
    api: Api, staff_token: str, drain: Drain, advance: Advance
) -> None:
    profile = await known()
    await checkout.placed(api, email=EMAIL, shippingAddress=ADDRESS)
    requests = await asyncio.gather(*(erase(api, staff_token, profile) for _ in range(6)))
    assert len(set(requests)) == 1
    request = ids.decode("priv", requests[0], [])
    await asyncio.gather(*(erasing.run(request) for _ in range(3)))
    assert await db.fetchval("SELECT count(*) FROM privacy_requests") == 1
    await nothing_is_left(api, staff_token, drain, advance)


async def test_an_order_keeps_what_fulfilment_needs_until_it_is_closed_for_long_enough(
    api: Api, staff_token: str, drain: Drain, advance: Advance
) -> None:
    profile = await known()
    order = (await checkout.placed(api, email=EMAIL, shippingAddress=ADDRESS))["order"]["id"]
    await drain()
    request = await erase(api, staff_token, profile)
    await drain()

    async def shown() -> tuple[str, str | None, list[str]]:
        seen = (await api.ok(REQUEST, {"id": request}, token=staff_token))["privacyRequest"]
        query = "query ($id: ID!) { order(id: $id) { shippingAddress { lastName } } }"
        address = (await api.ok(query, {"id": order}, token=staff_token))["order"]["shippingAddress"]
        return seen["status"], address["lastName"], seen["waitingFor"]

    status, name, waiting = await shown()
    assert (status, name) == ("RUNNING", NAME)
    assert "orders" in waiting
    await advance("P40D")
    assert (await shown())[:2] == ("RUNNING", NAME), "an open order waits for as long as it takes"
    await api.ok(CANCEL, {"id": order}, token=staff_token)
    await drain()
    told = "SELECT count(*) FROM messages WHERE template = 'order_cancelled' AND state = 'SENT' AND recipient = $1"
    assert await db.fetchval(told, EMAIL) == 1, "they are told what becomes of it"
    await advance("P20D")
    assert (await shown())[:2] == ("RUNNING", NAME)
    await advance("P12D")
    assert await shown() == ("SUCCEEDED", "", [])


async def test_an_erasure_that_was_killed_in_the_middle_goes_on(
    api: Api, staff_token: str, drain: Drain, advance: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = await known()
    await checkout.placed(api, email=EMAIL, shippingAddress=ADDRESS)
    await drain()
    request = ids.decode("priv", await erase(api, staff_token, profile), [])
    whole, asked = batches.one, 0

    async def dying(*arguments: Any, **more: Any) -> int:
        nonlocal asked
        asked += 1
        if asked % 9 == 0:
            raise RuntimeError("killed")
        return await whole(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "one", dying)
        for _ in range(5):
            with pytest.raises(RuntimeError, match="killed"):
                await erasing.run(request)
    await nothing_is_left(api, staff_token, drain, advance)


async def test_a_message_that_is_being_sent_is_emptied_once_it_is_out(
    api: Api, staff_token: str, drain: Drain, advance: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = await known()
    await api.ok(
        "mutation ($i: NewsletterSubscribeInput!) { newsletterSubscribe(input: $i) { userErrors { code } } }",
        {"i": {"email": EMAIL, "consent": [{"channel": "EMAIL", "granted": True}]}},
    )
    send = DevEmailTransport.send
    requests: list[str] = []

    async def slowly(self: DevEmailTransport, message: Any) -> Any:
        if not requests:
            requests.append(await erase(api, staff_token, profile))
            assert message.recipient == EMAIL
            await erasing.run(ids.decode("priv", requests[0], []))
            assert await db.fetchval("SELECT recipient FROM messages WHERE state = 'SENDING'") == EMAIL
        return await send(self, message)

    monkeypatch.setattr(DevEmailTransport, "send", slowly)
    await drain()
    assert await db.fetchval("SELECT count(*) FROM messages WHERE state = 'SENT'") == 1
    await nothing_is_left(api, staff_token, drain, advance)
