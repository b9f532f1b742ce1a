"""A draft order and everybody who does something with it at the same moment: one order, one charge, one price."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.assisted import completing
from app.assisted.queries import TOKEN_PURPOSE
from app.keys import keyring
from app.kit import ids
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, deposits, drafts

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
PAYPAL = {"method": "PAYPAL"}
OF_THE_MOMENT = ("IN_PROGRESS", "CONFLICT")


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


def outcome(payload: dict[str, Any]) -> str:
    return str(payload["userErrors"][0]["code"]) if payload["userErrors"] else "DONE"


async def until_told(ask: Callable[[], Awaitable[dict[str, Any]]]) -> str:
    """As a client does: what is of the moment is asked again."""
    for _ in range(100):
        if (said := outcome(await ask())) not in OF_THE_MOMENT:
            return said
        await asyncio.sleep(0.01)
    raise AssertionError("of the moment for ever")


async def taken() -> tuple[int, int]:
    """Orders, and what of all payments was taken or set aside at the gateway or noted by hand."""
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM orders) AS orders, coalesce((
            SELECT sum(CASE WHEN state = 'AUTHORIZED' THEN amount_minor ELSE captured_minor END)::int FROM payments
            WHERE state IN ('AUTHORIZED', 'CAPTURED')
        ), 0) AS minor
        """
    )
    assert row
    return row["orders"], row["minor"]


async def send(api: Api, token: str, **given: Any) -> tuple[str, str]:
    """The draft, of 50.00 unless told otherwise, and its link's token."""
    draft = await drafts.created(api, token, **given)
    return draft["id"], await drafts.sent(api, token, draft["id"])


async def test_many_buyers_and_staff_place_it_at_once(api: Api, staff_token: str, drain: Drain) -> None:
    draft, link = await send(api, staff_token)
    asks: list[Callable[[], Awaitable[dict[str, Any]]]] = [
        lambda: drafts.complete(api, link, key="one", payment=checkout.CARD),
        lambda: drafts.complete(api, link, key="one", payment=checkout.CARD),
        lambda: drafts.complete(api, link, key="two", payment=checkout.CARD),
        lambda: drafts.complete(api, link, key="three", payment=checkout.CARD),
        lambda: drafts.marked_complete(api, staff_token, draft, paidBy="BANK_TRANSFER"),
    ]
    said = await asyncio.gather(*(until_told(ask) for ask in asks))
    assert said.count("DONE") == (2 if said[0] == "DONE" else 1), said
    assert set(said) <= {"DONE", "DRAFT_ORDER_NOT_OPEN"}
    assert await taken() == (1, 5000)
    await checkout.watches_due()
    await drain()
    assert await taken() == (1, 5000)
    assert await invariants.check() == []


async def test_a_deposit_is_taken_once(api: Api, staff_token: str, drain: Drain) -> None:
    _, link = await send(api, staff_token, deposit=drafts.usd("20"))
    said = await asyncio.gather(
        *(until_told(lambda: drafts.complete(api, link, payment=checkout.CARD)) for _ in range(4))
    )
    assert sorted(said) == ["DONE", *["DRAFT_ORDER_NOT_OPEN"] * 3]
    assert await taken() == (1, 2000)
    # The rest is paid by the buyer and noted by staff at the same time: never more than is due.
    order_id = ids.encode("ord", await db.fetchval("SELECT id FROM orders"))
    bought = {"order": {"id": order_id}, "orderToken": await checkout.order_token(order_id)}
    await asyncio.gather(
        *(until_told(lambda: deposits.pay(api, bought)) for _ in range(2)),
        *(until_told(lambda: deposits.note(api, staff_token, order_id)) for _ in range(2)),
    )
    assert await taken() == (1, 5000)
    await drain()
    assert await invariants.check() == []


async def test_what_is_being_paid_for_is_left_alone(api: Api, staff_token: str) -> None:
    draft, link = await send(api, staff_token)
    waiting = await drafts.complete(api, link, key="one", payment=PAYPAL)
    before = await db.fetchrow("SELECT state, content, offer, expires_at FROM draft_orders")
    refusals = [
        await drafts.update(api, staff_token, draft, lines=[drafts.custom("1")]),
        await drafts.send(api, staff_token, draft),
        await drafts.deleted(api, staff_token, draft),
        await drafts.declined(api, link, "No"),
        await drafts.marked_complete(api, staff_token, draft, paidBy="BANK_TRANSFER"),
        await drafts.complete(api, link, key="two", payment=checkout.CARD),
    ]
    assert [outcome(payload) for payload in refusals] == ["IN_PROGRESS"] * 6
    assert await db.fetchrow("SELECT state, content, offer, expires_at FROM draft_orders") == before
    await api.http.post(waiting["paymentAction"]["url"], data={"decision": "approve"})
    placed = await drafts.complete(api, link, key="one", payment=PAYPAL)
    assert placed["order"]["cost"]["total"]["amount"] == "50.00"
    assert await taken() == (1, 5000)


@pytest.mark.parametrize("change", ["update", "decline", "delete", "expire"])
async def test_what_changes_between_reading_and_paying_is_not_paid(
    api: Api, staff_token: str, advance: Advance, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The buyer's request has read the draft, and somebody is quicker with the next step."""
    draft, link = await send(api, staff_token)
    find_demands, changes = completing._demands, iter([change])

    async def meanwhile(order: Any) -> Any:
        match next(changes, None):
            case "update":
                await drafts.updated(api, staff_token, draft, lines=[drafts.custom("70")])
            case "decline":
                await drafts.declined(api, link, "No")
            case "delete":
                await drafts.deleted(api, staff_token, draft)
            case "expire":
                await advance("P15D")
        return await find_demands(order)

    monkeypatch.setattr(completing, "_demands", meanwhile)
    refused = await drafts.complete(api, link, payment=checkout.CARD)
    codes = {"delete": "NOT_FOUND", "expire": "DRAFT_ORDER_EXPIRED"}
    assert outcome(refused) == codes.get(change, "DRAFT_ORDER_NOT_OPEN")
    assert await taken() == (0, 0)
    assert await db.fetchval("SELECT count(*) FROM test_gateway_payments") == 0


async def test_who_confirms_while_it_expires_has_the_order(api: Api, staff_token: str, advance: Advance) -> None:
    draft = (await drafts.created(api, staff_token))["id"]
    link = await drafts.sent(api, staff_token, draft, daysGood=1)
    await advance("PT23H55M")
    waiting = await drafts.complete(api, link, key="one", payment=PAYPAL)
    await advance("PT6M")
    assert outcome(await drafts.complete(api, link, key="two", payment=checkout.CARD)) in {
        "DRAFT_ORDER_EXPIRED",
        "IN_PROGRESS",
    }
    await api.http.post(waiting["paymentAction"]["url"], data={"decision": "approve"})
    assert outcome(await drafts.complete(api, link, key="one", payment=PAYPAL)) == "DONE"
    assert await taken() == (1, 5000)


async def test_the_time_counts_before_the_timer_comes_by(api: Api, staff_token: str) -> None:
    """A worker that is late sells nothing at an old price."""
    _, link = await send(api, staff_token)
    await db.execute("UPDATE draft_orders SET expires_at = business_now()")
    assert (await drafts.opened(api, link) or {})["state"] == "EXPIRED"
    assert outcome(await drafts.complete(api, link, payment=checkout.CARD)) == "DRAFT_ORDER_EXPIRED"
    assert (await api.http.get(f"/offers/{link}")).status_code == 410
    assert await taken() == (0, 0)


async def test_a_link_that_was_never_sent_opens_nothing(api: Api, staff_token: str) -> None:
    """Its token is derived from a key: that it can be known does not make it an offer."""
    written = (await drafts.created(api, staff_token))["id"]
    cart = await carts.cart(((await catalogue.product()).variant_id, 1))
    ask = "mutation ($input: QuotationRequestInput!) { quotationRequest(input: $input) { quotationId } }"
    asked = await api.ok(ask, {"input": {"cartId": cart.gid, "email": checkout.EMAIL}})
    for draft in (written, asked["quotationRequest"]["quotationId"]):
        token = keyring().derive_token(TOKEN_PURPOSE, ids.decode("draft", draft, ["id"]))
        assert await drafts.opened(api, token) is None
        assert outcome(await drafts.complete(api, token, payment=checkout.CARD)) == "NOT_FOUND"
        assert (await api.http.get(f"/offers/{token}")).status_code == 404
    assert await taken() == (0, 0)
