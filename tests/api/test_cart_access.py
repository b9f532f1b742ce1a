"""Who may see and change a cart, and until when."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app import db
from app.keys import keyring
from app.kit import ids
from app.settings import get_settings
from tests.api.cart_operations import (
    ADD,
    BUYER,
    CART,
    CLEAR,
    DETAILS,
    NODE,
    REMOVE,
    UPDATE,
    codes,
    payload,
    quantities,
    read,
    refused,
)
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue
from tests.factories.shop import shop
from tests.written_logs import logging_as_served


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


def every_change(cart_id: str, line_id: str, variant_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (ADD, {"id": cart_id, "lines": [{"variantId": variant_id}]}),
        (UPDATE, {"id": cart_id, "lines": [{"id": line_id, "quantity": 2}]}),
        (REMOVE, {"id": cart_id, "lines": [line_id]}),
        (CLEAR, {"id": cart_id}),
        (DETAILS, {"id": cart_id, "input": {"note": "x"}}),
        (BUYER, {"id": cart_id, "buyer": {"email": "eve@example.com"}}),
    ]


async def test_without_the_secret_a_cart_is_not_there(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    wrong = "A" * len(made.secret)
    cart_id = ids.encode_with_secret("cart", made.id, wrong)
    line_id = ids.encode_with_secret("cline", made.line_ids[0], wrong)
    nowhere = ids.encode_with_secret("cart", uuid.uuid4(), wrong)
    answers = []
    for cart in (cart_id, nowhere):
        changes = every_change(cart, line_id, pen.variant_gid)
        answers.append([await refused(api, document, **variables) for document, variables in changes])
        assert await read(api, cart) is None
        assert (await api.ok(NODE, {"id": cart}))["node"] is None
    assert answers[0] == answers[1]
    assert {tuple(codes(errors)[0][1]) for errors in answers[0]} == {("cartId",)}
    assert {errors[0]["code"] for errors in answers[0]} == {"NOT_FOUND"}
    assert (await api.ok(NODE, {"id": line_id}))["node"] is None
    # The id without its secret is no id.
    bare = ids.encode("cart", made.id)
    assert (await api.query(CART, {"id": bare})).codes == ["INVALID_ID"]
    assert codes(await refused(api, CLEAR, id=bare)) == [("INVALID_ID", ["cartId"])]


async def test_node_finds_carts_and_lines(api: Api) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 4))
    assert (await api.ok(NODE, {"id": made.gid}))["node"] == await read(api, made.gid)
    assert (await api.ok(NODE, {"id": made.line_gids[0]}))["node"] == {"id": made.line_gids[0], "quantity": 4}
    document = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
        ... on CartLine { variant { id } cost { total { amount } } } } }"""
    wrong = ids.encode_with_secret("cline", made.line_ids[0], "A" * 22)
    nodes = (await api.ok(document, {"ids": [wrong, made.line_gids[0], made.gid]}))["nodes"]
    assert nodes == [
        None,
        {"id": made.line_gids[0], "variant": {"id": pen.variant_gid}, "cost": {"total": {"amount": "79.96"}}},
        {"id": made.gid},
    ]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("COMPLETED", "CART_COMPLETED"),
        ("PROCESSING", "CHECKOUT_IN_PROGRESS"),
        ("REQUIRES_ACTION", "CHECKOUT_IN_PROGRESS"),
    ],
)
async def test_a_cart_that_is_ordered_or_being_paid_for_cannot_change(api: Api, state: str, code: str) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    if state == "COMPLETED":
        await carts.complete(made.id)
    else:
        await carts.begin_payment(made.id, state)
    for document, variables in every_change(made.gid, made.line_gids[0], pen.variant_gid):
        assert codes(await refused(api, document, **variables)) == [(code, ["cartId"])]
    cart = await read(api, made.gid)
    assert (quantities(cart), cart["state"]) == ([1], "COMPLETED" if state == "COMPLETED" else "OPEN")


async def test_a_cart_outlives_the_key_that_made_its_secret(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await carts.cart()
    rotated = get_settings().model_copy(update={"secret_keys": ["another key, put in front of the ring's old one"]})
    with monkeypatch.context() as patch:
        patch.setattr("app.keys.get_settings", lambda: rotated)
        keyring.cache_clear()
        assert (await read(api, made.gid))["id"] == made.gid
        assert (await payload(api, DETAILS, id=made.gid, input={"note": "Still mine"}))["cart"]["id"] == made.gid
        assert keyring().derive_token("cart", made.id) != made.secret
    keyring.cache_clear()


async def test_the_secret_is_stored_as_a_hash_only(api: Api) -> None:
    made = await carts.cart()
    row = await db.fetchrow("SELECT row_to_json(c)::text AS text FROM carts c")
    assert row is not None
    assert made.secret not in row["text"]
    assert made.secret.encode().hex() not in row["text"]


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What a server would have written so far, at its most talkative."""
    with logging_as_served(get_settings(), log_format="console"):
        yield lambda: "".join(capfd.readouterr())


async def test_the_secret_is_in_no_log_and_no_cache(
    api: Api, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    made = await carts.cart()
    response = await api.http.post("/graphql", json={"query": CART, "variables": {"id": made.gid}})
    assert made.secret in response.text
    assert response.headers["cache-control"] == "no-store"

    async def fail(*_: object) -> None:
        await db.fetchval("SELECT 1 / 0")

    monkeypatch.setattr("app.cart.queries.show_cart", fail)
    failed = await api.http.post("/graphql", json={"query": CART, "variables": {"id": made.gid}})
    assert made.secret not in failed.text
    text = logged()
    assert "DivisionByZeroError" in text
    assert made.secret not in text
