"""Money without an order, and orders without their money: found, settled, told; nothing is guessed."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db, invariants
from app.checkout import settlement
from app.kit.ids import new_id
from app.payments import reconciling, test_gateway, test_ledger
from app.payments.gateway import Authorisation, GatewayRefusedError, GatewayState, GatewayUnavailableError
from app.payments.reconciling import Reconciled
from app.payments.test_gateway import TestGateway
from tests.client import Api
from tests.factories import catalogue, checkout, inventory
from tests.factories.catalogue import MadeProduct
from tests.factories.fulfillments import fulfill
from tests.patience import patience

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

LIST = "{ paymentDiscrepancies(open: %s) { nodes { kind settlement detail orderId } totalCount } }"
CLOSE = """mutation ($id: ID!) { paymentDiscrepancyClose(id: $id) {
    paymentDiscrepancy { settlement settledAt } userErrors { code } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await checkout.shop_that_ships()
    monkeypatch.setattr(reconciling, "GRACE", timedelta(0))


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    return await catalogue.product(stock=5)


async def reconcile() -> Reconciled:
    return await reconciling.reconcile(TestGateway())


async def discrepancies() -> list[tuple[str, str | None]]:
    rows = await db.fetch("SELECT kind, settlement FROM payment_discrepancies ORDER BY id")
    return [(row["kind"], row["settlement"]) for row in rows]


async def nobody_tells_the_shop() -> None:
    """The watch, the timers and the webhooks of the checkouts under way are all lost."""
    about_money = "'^(checkout\\.(attempt|hold)|payment|refund\\.|test_gateway)'"
    await db.execute(f"DELETE FROM events WHERE acknowledged_at IS NULL AND type ~ {about_money}")
    await db.execute(f"DELETE FROM timers WHERE kind ~ {about_money}")
    await checkout.expire_lease()


async def test_all_is_well(api: Api, product: MadeProduct, drain: Drain) -> None:
    await checkout.placed(api, (product, 1))
    await drain()
    for _ in range(2):
        assert (await reconcile()).compared == 1
    assert await discrepancies() == []


async def test_money_of_a_checkout_that_still_stands_becomes_its_order(
    api: Api, product: MadeProduct, drain: Drain
) -> None:
    """The gateway took it, the answer was lost, and so was everything that should have looked again."""
    given = await checkout.ready_input(api, (product, 2), payment={**checkout.CARD, "token": "tok_timeout"})
    assert (await checkout.complete(api, given))["userErrors"][0]["code"] == "IN_PROGRESS"
    await nobody_tells_the_shop()
    assert (await reconcile()).found["MONEY_WITHOUT_ORDER"] == 1
    order = (await checkout.complete(api, given))["order"]
    assert order["paymentStatus"] == "AUTHORIZED"
    assert await discrepancies() == [("MONEY_WITHOUT_ORDER", "PLACED")]
    await drain()
    assert await invariants.check() == []


async def test_money_of_a_checkout_that_was_refused_goes_back(
    api: Api, product: MadeProduct, drain: Drain, advance: Advance
) -> None:
    """It was called off, and approved at the provider's in the same moment: nothing told the shop."""
    given = await checkout.ready_input(api, (product, 2), payment={**checkout.CARD, "token": "tok_requires_action"})
    await checkout.complete(api, given)
    await advance("PT16M")
    assert (await checkout.complete(api, given))["userErrors"][0]["code"] == "PAYMENT_EXPIRED"
    await db.execute("UPDATE test_gateway_payments SET state = 'CAPTURED', captured_minor = amount_minor")
    await reconcile()
    assert await discrepancies() == [("MONEY_WITHOUT_ORDER", None)]
    await drain()
    await reconcile()
    assert await discrepancies() == [("MONEY_WITHOUT_ORDER", "REFUNDED")]
    row = await db.fetchrow("SELECT captured_minor, refunded_minor FROM test_gateway_payments")
    assert row is not None
    assert row["captured_minor"] == row["refunded_minor"] == 4597
    assert await db.fetchval("SELECT source FROM refunds") == "RECONCILIATION"
    assert await inventory.available(product.variant_id) == 5
    assert await invariants.check() == []


async def test_money_that_the_shop_has_no_record_of_is_for_a_person(api: Api, staff_token: str, drain: Drain) -> None:
    """Another shop may use the same account: nothing is given back on a guess."""
    request = Authorisation(payment_id=new_id(), amount_minor=500, currency="USD", token="tok_success")
    await test_ledger.open_payment(request, "tok_success", GatewayState.CAPTURED)
    for _ in range(2):
        await reconcile()
    await drain()
    assert await discrepancies() == [("MONEY_WITHOUT_ORDER", None)]
    assert await db.fetchval("SELECT refunded_minor FROM test_gateway_payments") == 0
    (found,) = (await api.ok(LIST % "true", token=staff_token))["paymentDiscrepancies"]["nodes"]
    assert "no record" in found["detail"]
    mail = await db.fetchval("SELECT count(*) FROM dev_messages WHERE template = 'staff_notice'")
    assert mail == 1, "told once"
    closed_id = await db.fetchval("SELECT id FROM payment_discrepancies")
    closed = await api.ok(CLOSE, {"id": f"pdis_{closed_id.hex}"}, token=staff_token)
    assert closed["paymentDiscrepancyClose"]["paymentDiscrepancy"]["settlement"] == "BY_STAFF"
    assert (await api.ok(LIST % "true", token=staff_token))["paymentDiscrepancies"]["nodes"] == []


async def test_an_order_whose_money_is_gone_is_told(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain
) -> None:
    """Called off at the provider's dashboard."""
    gid = (await checkout.placed(api, (product, 1)))["order"]["id"]
    await db.execute("UPDATE test_gateway_payments SET state = 'VOIDED'")
    await reconcile()
    order = (await api.ok("query ($id: ID!) { order(id: $id) { status paymentStatus } }", {"id": gid},
                          token=staff_token))["order"]  # fmt: skip
    assert order == {"status": "OPEN", "paymentStatus": "PENDING"}
    assert await discrepancies() == [("ORDER_WITHOUT_MONEY", None)]
    await fulfill(api, staff_token, gid, allowUnpaid=True)
    await drain()
    await api.ok("mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }", {"id": gid},
                 token=staff_token)  # fmt: skip
    await reconcile()
    assert await discrepancies() == [("ORDER_WITHOUT_MONEY", "PAID")]
    assert await invariants.check() == []


async def test_what_is_set_aside_lapses(api: Api, staff_token: str, product: MadeProduct, advance: Advance) -> None:
    gid = (await checkout.placed(api, (product, 1)))["order"]["id"]
    await advance("P6DT1H")
    await reconcile()
    assert await discrepancies() == [("LAPSING", None)]
    await advance("P1D")
    await reconcile()
    assert await discrepancies() == [("LAPSING", "VOIDED"), ("ORDER_WITHOUT_MONEY", None)]
    shown = (await api.ok("query ($id: ID!) { order(id: $id) { paymentStatus outstanding { amount } } }", {"id": gid},
                          token=staff_token))["order"]  # fmt: skip
    assert shown == {"paymentStatus": "PENDING", "outstanding": {"amount": "25.98"}}
    assert await invariants.check() == []


async def test_captured_and_refunded_at_the_dashboard(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain
) -> None:
    gid = (await checkout.placed(api, (product, 1)))["order"]["id"]
    payment_id = await db.fetchval("SELECT id FROM payments")
    assert await test_ledger.capture(payment_id, uuid.uuid4(), 2598, is_final=True)
    assert await test_gateway.refund_at_dashboard(payment_id, 98)
    await nobody_tells_the_shop()
    await reconcile()
    order = (await api.ok("query ($id: ID!) { order(id: $id) { paymentStatus refunds { source amount { amount } } } }",
                          {"id": gid}, token=staff_token))["order"]  # fmt: skip
    assert order["paymentStatus"] == "PARTIALLY_REFUNDED"
    assert [(one["source"], one["amount"]["amount"]) for one in order["refunds"]] == [("PROVIDER", "0.98")]
    assert {how for _, how in await discrepancies()} == {"RECORDED"}
    await drain()
    assert await invariants.check() == []


async def test_what_was_given_up_on_is_asked_for_again(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain, advance: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = (await checkout.placed(api, (product, 1)))["order"]["id"]
    await fulfill(api, staff_token, gid)

    async def broken(*args: Any) -> Any:
        raise GatewayUnavailableError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(TestGateway, "capture", broken)
        await drain()
    await nobody_tells_the_shop()
    await advance("PT61M")
    await reconcile()
    assert await discrepancies() == [("UNANSWERED", None)]
    await checkout.watches_due()
    await drain()
    await reconcile()
    assert await discrepancies() == [("UNANSWERED", "CONFIRMED")]
    assert await db.fetchval("SELECT payment_status FROM orders") == "PAID"
    assert await invariants.check() == []


async def test_nothing_is_concluded_while_the_gateway_is_away(
    api: Api, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await checkout.ready_input(api, (product, 2), payment={**checkout.CARD, "token": "tok_timeout"})
    await checkout.complete(api, given)
    await nobody_tells_the_shop()

    async def away(*args: Any) -> Any:
        raise GatewayUnavailableError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(test_ledger, "changed_since", away)
        assert not (await reconcile()).is_complete
    assert await discrepancies() == []
    assert await db.fetchval("SELECT count(*) FROM gateway_watermarks") == 0, "the next one begins where this one did"
    assert await db.fetchval("SELECT state FROM checkout_attempts") == "PROCESSING"
    await reconcile()
    assert (await checkout.complete(api, given))["order"]


async def test_many_at_once_settle_once(api: Api, product: MadeProduct, drain: Drain) -> None:
    given = [
        await checkout.ready_input(api, (product, 1), payment={**checkout.CARD, "token": "tok_timeout"})
        for _ in range(3)
    ]
    for each in given:
        await checkout.complete(api, each)
    await nobody_tells_the_shop()
    await asyncio.gather(*(reconcile() for _ in range(5)))
    assert await db.fetchval("SELECT count(*) FROM orders") == 3
    assert {how for _, how in await discrepancies()} == {"PLACED"}
    await drain()
    assert await invariants.check() == []


async def test_a_refused_capture_is_told_and_leaves_the_order_as_it_is(
    api: Api, staff_token: str, product: MadeProduct, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = (await checkout.placed(api, (product, 1)))["order"]["id"]

    async def refuses(*args: Any) -> Any:
        raise GatewayRefusedError("capture_disabled")

    with monkeypatch.context() as patch:
        patch.setattr(TestGateway, "capture", refuses)
        await fulfill(api, staff_token, gid)
        await drain()
    assert await db.fetchval("SELECT state FROM payments") == "AUTHORIZED"
    assert await discrepancies() == [("AMOUNT_DIFFERS", None)]
    assert await db.fetchval("SELECT payment_status FROM orders") == "AUTHORIZED"
    assert await invariants.check() == []


async def test_the_operators_command_tells_what_is_open(api: Api, product: MadeProduct) -> None:
    request = Authorisation(payment_id=new_id(), amount_minor=500, currency="USD", token="tok_success")
    await test_ledger.open_payment(request, "tok_success", GatewayState.CAPTURED)
    answer = subprocess.run(
        [sys.executable, "-m", "app.cli", "reconcile", "--days", "1"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(20),
    )
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "test: 1 payments compared, 1 MONEY_WITHOUT_ORDER." in answer.stdout
    assert "the shop has no record" in answer.stdout


async def test_the_watermark_goes_on_by_real_time(api: Api, product: MadeProduct) -> None:
    before = datetime.now(UTC)
    await reconcile()
    reached = await db.fetchval("SELECT compared_until FROM gateway_watermarks")
    assert before <= reached <= datetime.now(UTC)


async def test_a_checkout_under_way_is_left_alone(
    api: Api, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "GRACE", timedelta(minutes=2))
    conclude = settlement.conclude

    async def meanwhile(attempt: Any, word: Any) -> Any:
        assert (await reconcile()).found == {}
        return await conclude(attempt, word)

    monkeypatch.setattr(settlement, "conclude", meanwhile)
    await checkout.placed(api, (product, 1))
    assert await discrepancies() == []
