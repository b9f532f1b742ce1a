"""How often one client may do what is open to everybody."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from app import db, point_budget
from app.checkout import declines
from app.settings import Settings
from app.web import webhook_proofs
from schema.throttling import OPERATIONS_A_MINUTE
from tests.client import Api
from tests.factories import catalogue, checkout, shop
from tests.security.test_point_budget import limited

CART = "cartCreate(input: {}) { userErrors { code } }"
PLENTY = {"rate_limit_client_points": 10_000_000}


@pytest.fixture(autouse=True)
def no_earlier_spending() -> Iterator[None]:
    point_budget.budget.cache_clear()
    yield
    point_budget.budget.cache_clear()


async def test_each_alias_counts(settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.shop()
    monkeypatch.setitem(OPERATIONS_A_MINUTE, "cartCreate", 3)
    async with limited(settings, **PLENTY) as api:
        body = {"query": "mutation {" + " ".join(f"a{n}: {CART}" for n in range(5)) + "}"}
        response = await api.http.post("/graphql", json=body)
    codes = [[error["code"] for error in answer["userErrors"]] for answer in response.json()["data"].values()]
    assert codes == [[], [], [], ["RATE_LIMITED"], ["RATE_LIMITED"]]
    assert int(response.headers["retry-after"]) > 0
    assert await db.fetchval("SELECT count(*) FROM carts") == 3


async def test_a_query_is_refused_with_its_error(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPERATIONS_A_MINUTE, "cartRestore", 1)
    async with limited(settings, **PLENTY) as api:
        answers = [await api.query('{ cartRestore(token: "nonsense") { id } }') for _ in range(2)]
    assert [answer.codes for answer in answers] == [[], ["RATE_LIMITED"]]


# --- cards that are tried one after the other -------------------------------------------------------------------------


async def pay(api: Api, given: dict[str, Any], token: str = "tok_declined") -> list[str]:
    """The codes of the refusal."""
    payment = {**checkout.CARD, "token": token}
    payload = await checkout.complete(api, {**given, "idempotencyKey": checkout.new_key(), "payment": payment})
    return [error["code"] for error in payload["userErrors"]]


async def attempts() -> int:
    return int(await db.fetchval("SELECT count(*) FROM payments"))


async def test_declined_cards_of_one_cart(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declines, "PER_CART", 3)
    await checkout.shop_that_ships()
    product = await catalogue.product()
    given = await checkout.ready_input(api, (product, 1))
    codes = await asyncio.gather(*(pay(api, given) for _ in range(4)))
    assert sum(each == ["PAYMENT_DECLINED"] for each in codes) <= 3
    for _ in range(3):  # those of the four that met each other were not tried
        await pay(api, given)
    tried = await attempts()
    assert tried == 3
    assert await pay(api, given) == ["RATE_LIMITED"]
    assert await pay(api, given, "tok_success") == ["RATE_LIMITED"], "whoever guesses is not told by the answer"
    assert await attempts() == tried, "no gateway was asked"
    other = await checkout.ready_input(api, (product, 1))
    assert await pay(api, other, "tok_success") == []


async def test_declined_cards_of_one_client_over_many_carts(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declines, "PER_CLIENT", 2)
    await checkout.shop_that_ships()
    product = await catalogue.product()
    async with limited(settings, **PLENTY) as api:
        carts = [await checkout.ready_input(api, (product, 1)) for _ in range(4)]
        assert await pay(api, carts[0], "tok_success") == [], "what is paid costs nothing"
        codes = [await pay(api, given) for given in carts[1:]]
    assert codes == [["PAYMENT_DECLINED"], ["PAYMENT_DECLINED"], ["RATE_LIMITED"]]


async def test_one_key_sent_again_is_one_try_and_gets_its_answer(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shopper's patience and a bad connection are no guessing, and whoever has paid is told so in any case."""
    monkeypatch.setattr(declines, "PER_CART", 2)
    monkeypatch.setattr(declines, "PER_CLIENT", 2)
    await checkout.shop_that_ships()
    product = await catalogue.product()
    async with limited(settings, **PLENTY) as api:
        paid, refused, guessed = [await checkout.ready_input(api, (product, 1)) for _ in range(3)]
        refused["payment"] = {**checkout.CARD, "token": "tok_declined"}
        placed = await checkout.complete(api, paid)
        answers = [await checkout.complete(api, refused) for _ in range(8)]
        assert {error["code"] for answer in answers for error in answer["userErrors"]} == {"PAYMENT_DECLINED"}
        assert await pay(api, guessed) == ["PAYMENT_DECLINED"], "eight answers were one try"
        assert await pay(api, guessed) == ["RATE_LIMITED"]
        assert await checkout.complete(api, paid) == placed
        assert await checkout.complete(api, refused) == answers[0]


async def test_all_who_share_an_address_pay_at_once(
    settings: Settings, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declines, "PER_CLIENT", 2)
    await checkout.shop_that_ships()
    product = await catalogue.product(stock=10)
    async with limited(settings, **PLENTY) as api:
        inputs = [await checkout.ready_input(api, (product, 1)) for _ in range(6)]
        assert await asyncio.gather(*(pay(api, given, "tok_success") for given in inputs)) == [[]] * 6


async def test_whoever_only_knows_a_cart_s_id_uses_up_none_of_its_tries(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declines, "PER_CART", 1)
    await checkout.shop_that_ships()
    product = await catalogue.product()
    given = await checkout.ready_input(api, (product, 1))
    stolen = {**given, "cartId": given["cartId"][:-3] + "abc"}
    codes = await asyncio.gather(*(pay(api, stolen) for _ in range(5)), pay(api, given, "tok_success"))
    assert codes == [["NOT_FOUND"]] * 5 + [[]]


# --- files and webhooks -----------------------------------------------------------------------------------------------


async def test_uploads(api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.uploads.endpoint.UPLOADS_AN_HOUR", 2)
    headers = {"Authorization": f"Bearer {staff_token}"}
    answers = [await api.http.post("/uploads", content=b"a", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].json()["error"]["code"] == "RATE_LIMITED"
    assert int(answers[2].headers["retry-after"]) > 0
    assert await db.fetchval("SELECT count(*) FROM uploads") == 2


@pytest.mark.parametrize("path", ["/webhooks/payments/test", "/webhooks/twilio/sms", "/webhooks/ses"])
async def test_webhooks_without_a_proof(
    settings: Settings, clean_database: None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_proofs, "FAILURES", 2)
    topic = "arn:aws:sns:eu-west-1:123456789012:mail"
    async with limited(settings, trusted_proxies=1, twilio_auth_token="x" * 32, ses_topic_arns=topic) as api:
        forged = {"X-Forwarded-For": "198.51.100.1"}
        statuses = [(await api.http.post(path, content=b"{}", headers=forged)).status_code for _ in range(4)]
        other = await api.http.post(path, content=b"{}", headers={"X-Forwarded-For": "198.51.100.2"})
    assert statuses[2:] == [429, 429]
    assert 429 not in (*statuses[:2], other.status_code)
