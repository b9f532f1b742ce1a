"""Sold gift cards whose payment is disputed: they stay off until every dispute of their order is won."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db
from app.gift_cards import selling
from app.kit import ids
from app.payments import disputes
from app.payments.gateway import GatewayDispute, GatewayRefusedError
from app.payments.models import DisputeState
from app.payments.test_gateway import TestGateway
from schema.gift_cards.types import GIFT_CARD_PREFIX
from tests.client import Api
from tests.factories import catalogue, checkout, refunds

Drain = Callable[[], Awaitable[None]]
SWITCH = "mutation ($id: ID!) { giftCard%s(id: $id) { userErrors { code } } }"


@pytest.fixture
async def order(api: Api, drain: Drain) -> str:
    """Of one gift card, which is paid and issued."""
    await checkout.shop_that_ships()
    product = await catalogue.product(price_minor=2500, kind="GIFT_CARD", requires_shipping=False, stock=None)
    placed = await checkout.placed(api, (product, 1), shippingQuoteId=None, shippingAddress=None)
    await drain()
    order_id: str = placed["order"]["id"]
    return order_id


async def told(state: DisputeState, reference: str = "du_1") -> None:
    """What the gateway says of a dispute."""
    payment: Any = await db.fetchrow("SELECT id, gateway FROM payments")
    said = GatewayDispute(
        reference=reference, state=state, amount_minor=2500, currency="USD", opened_at=datetime.now(UTC),
        payment_id=payment["id"],
    )  # fmt: skip
    now: datetime = await db.fetchval("SELECT clock_timestamp()")
    assert await disputes.record(payment["gateway"], said, now + timedelta(milliseconds=1))


async def status() -> str:
    found: str = await db.fetchval("SELECT status FROM stored_values")
    return found


async def switched(api: Api, token: str, way: str) -> list[str]:
    card = ids.encode(GIFT_CARD_PREFIX, await db.fetchval("SELECT id FROM gift_cards"))
    answer = (await api.query(SWITCH % way, {"id": card}, token=token)).data
    assert answer is not None
    return [error["code"] for error in answer[f"giftCard{way}"]["userErrors"]]


async def test_a_refund_that_fails_for_a_dispute_gives_no_card_back(
    api: Api, order: str, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*args: Any) -> Any:
        raise GatewayRefusedError("charge_disputed")

    monkeypatch.setattr(TestGateway, "refund", refuses)
    assert (await refunds.create(api, staff_token, order, amount=refunds.usd("25.00")))["userErrors"] == []
    await told(DisputeState.NEEDS_RESPONSE)
    await drain()
    assert await db.fetchval("SELECT state FROM refunds") == "FAILED"
    assert await status() == "DISABLED"
    assert await switched(api, staff_token, "Enable") == ["GIFT_CARD_DISABLED"]
    await told(DisputeState.WON)
    assert await status() == "ACTIVE"


async def test_what_the_first_of_two_disputes_froze_waits_for_the_second(
    api: Api, order: str, staff_token: str
) -> None:
    await told(DisputeState.NEEDS_RESPONSE)
    await told(DisputeState.NEEDS_RESPONSE, "du_2")
    await told(DisputeState.WON)
    assert await status() == "DISABLED"
    assert await switched(api, staff_token, "Enable") == ["GIFT_CARD_DISABLED"]
    await told(DisputeState.WON, "du_2")
    assert await status() == "ACTIVE"


async def test_what_staff_switch_off_between_two_disputes_stays_off(api: Api, order: str, staff_token: str) -> None:
    await told(DisputeState.NEEDS_RESPONSE)
    await told(DisputeState.NEEDS_RESPONSE, "du_2")
    await told(DisputeState.WON)
    assert await switched(api, staff_token, "Disable") == []
    await told(DisputeState.WON, "du_2")
    assert await status() == "DISABLED"
    assert await switched(api, staff_token, "Enable") == []


@pytest.mark.parametrize("how", ["UNITS", "ALL", "AT_PROVIDER"])
async def test_what_was_refunded_to_settle_an_inquiry_is_no_card_when_it_is_closed(
    api: Api, order: str, staff_token: str, drain: Drain, how: str
) -> None:
    await told(DisputeState.INQUIRY)
    line: Any = await db.fetchval("SELECT id FROM order_lines")
    given: dict[str, Any] = {"amount": refunds.usd("25.00")}
    if how == "UNITS":
        given = {"lines": [{"orderLineId": ids.encode("oline", line), "quantity": 1}]}
    if how == "AT_PROVIDER":
        refund_id = await refunds.row(ids.decode("ord", order))
        await db.execute("UPDATE orders SET payment_status = 'REFUNDED'")
        async with db.unit_of_work():
            await selling.switch_off_refunded(ids.decode("ord", order), refund_id)
    else:
        assert (await refunds.create(api, staff_token, order, **given))["userErrors"] == []
        await drain()
        assert await db.fetchval("SELECT state FROM refunds") == "SUCCEEDED"
    await told(DisputeState.WON)
    assert await status() == "DISABLED", "the buyer has the money"


async def test_a_bank_that_thinks_again_gives_the_card_back(api: Api, order: str, drain: Drain) -> None:
    for state, expected in ((DisputeState.LOST, "DISABLED"), (DisputeState.WON, "ACTIVE")):
        await told(state)
        await drain()
        assert await status() == expected
