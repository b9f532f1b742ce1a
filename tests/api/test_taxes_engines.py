"""An outside tax engine: asked by checkouts, never waited for longer than its time, never in the way of an order."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from standardwebhooks import Webhook

from app import db
from app.cache import cache
from app.keys import keyring
from app.pricing.amounts import TaxRate
from app.settings import get_settings
from app.tax.engines import asking
from app.tax.engines.amounts import rate_for
from app.tax.engines.engine import TaxAnswer, TaxQuestion
from app.tax.engines.http import HttpEngine
from app.tax.engines.registry import engines
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, taxes
from tests.http_receiver import Received, Receiver, Reply, http_receiver

pytestmark = pytest.mark.usefixtures("clean_database")

SECRET = "a secret of an engine, long enough"
COST = "cost { tax { amount } total { amount } taxEstimated taxLines { name } }"
CHECKOUT = f"query ($id: ID!) {{ checkout(id: $id) {{ {COST} }} }}"
CREATE = f"""mutation ($input: CheckoutCreateInput!) {{ checkoutCreate(input: $input) {{
    checkout {{ id {COST} }} userErrors {{ code field message }} }} }}"""
COMPLETE = f"""mutation ($input: CheckoutCompleteInput!) {{ checkoutComplete(input: $input) {{
    order {{ id {COST} }} userErrors {{ code field message }} }} }}"""
STATE = {"name": "State", "rate": "0.04", "code": "S1"}
CITY = {"name": "City", "rate": "0.04875"}


def right(request: Received) -> Reply:
    lines = {line["id"]: ["state", "city"] for line in request.json["lines"]}
    return Reply.of({"rates": {"state": STATE, "city": CITY}, "lines": lines, "shipping": ["state"], "giftWrap": []})


@pytest.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    async with http_receiver(right) as receiver:
        await checkout.shop_that_ships()
        await taxes.zone("US", standard=[("Own", "10")])
        await uses(receiver)
        yield receiver


async def uses(receiver: Receiver, **more: object) -> None:
    credentials = keyring().encrypt(asking.PURPOSE, SECRET.encode())
    configuration = f'{{"url": "{receiver.url("/rates")}"}}'
    columns = {
        "engine": "http",
        "engine_configuration": configuration,
        "engine_credentials": credentials,
        "engine_timeout_ms": 10_000,  # the most that a shop may allow
    }
    await taxes.settings(home_country_code="US", **{**columns, **more})


async def a_checkout(api: Api) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Its id, what it shows, and the input that completes it."""
    made = await catalogue.product(price_minor=24_99, sku="MUG-1")
    given = await checkout.ready_input(api, (made, 2))
    begun = {name: given[name] for name in ("cartId", "email", "shippingAddress")}
    shown = (await api.ok(CREATE, {"input": begun}))["checkoutCreate"]["checkout"]
    return shown["id"], shown["cost"], given


async def completed(api: Api, given: dict[str, Any]) -> dict[str, Any]:
    cost: dict[str, Any] = (await api.ok(COMPLETE, {"input": given}))["checkoutComplete"]["order"]["cost"]
    return cost


async def test_the_engine_says_the_rates_and_what_was_shown_is_charged(api: Api, engine: Receiver) -> None:
    checkout_id, shown, given = await a_checkout(api)
    # 49.98 * 0.04 = 1.9992 and * 0.04875 = 2.4365
    assert (shown["tax"]["amount"], shown["total"]["amount"], shown["taxEstimated"]) == ("4.44", "54.42", False)
    assert (await api.ok(CHECKOUT, {"id": checkout_id}))["checkout"]["cost"] == shown
    assert len(engine.received) == 1  # kept
    placed = await completed(api, given)
    # With shipping of 5.99 on top: 55.97 * 0.04 = 2.2388
    assert (placed["tax"]["amount"], placed["total"]["amount"], placed["taxEstimated"]) == ("4.68", "60.65", False)
    assert [line["name"] for line in placed["taxLines"]] == ["State", "City"]
    assert await db.fetchval("SELECT tax_lines -> 0 ->> 'code' FROM orders") == "S1"
    assert not await db.fetchval("SELECT tax_estimated FROM orders")


async def test_the_question_names_nobody_and_is_signed(api: Api, engine: Receiver) -> None:
    await a_checkout(api)
    (request,) = engine.received
    line = request.json["lines"][0]
    assert request.json == {
        "version": 1,
        "currency": "USD",
        "pricesIncludeTax": False,
        "seller": {"country": "US", "taxId": None},
        "destination": {"country": "US", "province": "CA", "postalCode": "94103", "city": "San Francisco"},
        "buyer": {"taxId": None, "exemptions": []},
        "lines": [
            {
                "id": line["id"],
                "sku": "MUG-1",
                "quantity": 2,
                "amountMinor": 49_98,
                "taxClass": "standard",
                "taxable": True,
                "services": False,
            }
        ],
        "shipping": None,
        "giftWrap": None,
    }
    Webhook(SECRET.encode()).verify(request.body, request.headers)
    for private in (b"Lovelace", b"ada@", b"Market Street"):
        assert private not in request.body


def _wrong(reply: Reply) -> Any:
    return lambda request: reply


def _with_rate(request: Received, rate: str) -> Reply:
    lines = {line["id"]: ["state"] for line in request.json["lines"]}
    return Reply.of({"rates": {"state": {**STATE, "rate": rate}}, "lines": lines})


WRONG = {
    "away": _wrong(Reply(503)),
    "not JSON": _wrong(Reply(200, b"<html>")),
    "no lines": _wrong(Reply.of({"rates": {}, "lines": {}})),
    "an unknown rate": lambda request: Reply.of(
        {"rates": {}, "lines": {line["id"]: ["state"] for line in request.json["lines"]}}
    ),
    "a rate of 400 %": lambda request: _with_rate(request, "4"),
    "a negative rate": lambda request: _with_rate(request, "-0.1"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_without_an_answer_the_own_rates_are_charged_and_the_order_says_so(
    api: Api, engine: Receiver, wrong: str
) -> None:
    engine.answer = WRONG[wrong]
    _, shown, given = await a_checkout(api)
    assert (shown["tax"]["amount"], shown["taxEstimated"]) == ("5.00", True)
    placed = await completed(api, given)
    assert (placed["taxEstimated"], [line["name"] for line in placed["taxLines"]]) == (True, ["Own"])
    assert await db.fetchval("SELECT tax_estimated FROM orders")
    # Left alone for a while: the second question was not even asked.
    assert len(engine.received) == 1


async def test_a_slow_engine_is_not_waited_for(api: Api, engine: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    started = asyncio.Event()

    class Slow(HttpEngine):
        async def rates(self, question: TaxQuestion, timeout_seconds: float) -> TaxAnswer:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError("it was to be given up")

    monkeypatch.setitem(engines(), "http", Slow)  # type: ignore[arg-type]
    await uses(engine, engine_timeout_ms=100)
    _, shown, _ = await a_checkout(api)
    assert started.is_set()
    assert shown["taxEstimated"]


async def test_somebody_elses_code_may_raise_what_it_likes(
    api: Api, engine: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(HttpEngine):
        async def rates(self, question: TaxQuestion, timeout_seconds: float) -> TaxAnswer:
            raise KeyError("secret")

    monkeypatch.setitem(engines(), "http", Broken)  # type: ignore[arg-type]
    _, shown, _ = await a_checkout(api)
    assert shown["taxEstimated"]


async def test_an_engine_that_answers_amounts_is_charged_to_the_cent(
    api: Api, engine: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Stripe Tax and AvaTax do: a part of the price is taxed, and each item is rounded by itself."""

    class InAmounts(HttpEngine):
        async def rates(self, question: TaxQuestion, timeout_seconds: float) -> TaxAnswer:
            def state(tax_minor: int, price_minor: int) -> tuple[TaxRate, ...]:
                return (TaxRate("State", rate_for(tax_minor, price_minor, Decimal("0.04"))),) if price_minor else ()

            items = {item.id: state(123, item.amount_minor) for item in question.items}
            return TaxAnswer(items=items, shipping=state(24, question.shipping_minor or 0))

    monkeypatch.setitem(engines(), "http", InAmounts)  # type: ignore[arg-type]
    _, _, given = await a_checkout(api)
    placed = await completed(api, given)
    # 1.23 of 49.98 is no rate of 4 %, and 0.24 of 5.99 is.
    assert (placed["tax"]["amount"], placed["total"]["amount"]) == ("1.47", "57.44")
    assert not placed["taxEstimated"]


async def test_a_shop_that_would_rather_not_guess_sells_nothing(api: Api, engine: Receiver) -> None:
    await uses(engine, engine_fallback="REFUSE")
    engine.answer = _wrong(Reply(500))
    _, shown, given = await a_checkout(api)
    assert shown["taxEstimated"]
    before = await checkout.footprint()
    errors = await api.refused(COMPLETE, {"input": given})
    assert [error["code"] for error in errors] == ["TAX_UNAVAILABLE"]
    assert await checkout.footprint() == before
    # It is back.
    engine.answer = right
    await cache().flushdb()
    placed = await completed(api, {**given, "idempotencyKey": checkout.new_key()})
    assert not placed["taxEstimated"]


async def test_without_redis_every_question_is_asked_anew(
    api: Api, engine: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        async def mget(self, *_: object, **__: object) -> None:
            raise RedisConnectionError

        set = mget

    monkeypatch.setattr(asking, "cache", Away)
    checkout_id, shown, _ = await a_checkout(api)
    assert not shown["taxEstimated"]
    assert (await api.ok(CHECKOUT, {"id": checkout_id}))["checkout"]["cost"] == shown
    assert len(engine.received) == 2


async def test_nobody_is_asked_inside_a_transaction(
    api: Api, engine: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []

    class Watching(HttpEngine):
        async def rates(self, question: TaxQuestion, timeout_seconds: float) -> TaxAnswer:
            try:
                db.current_unit_of_work()
            except RuntimeError:
                inside.append(False)
            else:
                inside.append(True)
            return await super().rates(question, timeout_seconds)

    monkeypatch.setitem(engines(), "http", Watching)  # type: ignore[arg-type]
    _, _, given = await a_checkout(api)
    await completed(api, given)
    assert inside == [False, False]


async def test_carts_show_the_shops_own_rates(api: Api, engine: Receiver) -> None:
    made = await catalogue.product(price_minor=10_00)
    cart = await carts.cart((made.variant_id, 1), country_code="US")
    document = f"query ($id: ID!) {{ cart(id: $id) {{ {COST} }} }}"
    shown = (await api.ok(document, {"id": cart.gid}))["cart"]["cost"]
    assert (shown["tax"]["amount"], shown["taxEstimated"]) == ("1.00", True)
    assert engine.received == []
