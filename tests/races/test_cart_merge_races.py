"""Two carts and many hands: no line and no unit is lost or doubled, whoever merges what into which."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.cart import merging
from app.cart.service import CartKey
from tests.api.cart_operations import ADD
from tests.api.test_cart_merge import MERGE
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, shipping
from tests.factories import cart as carts
from tests.factories.cart import MadeCart
from tests.factories.shop import shop

UPDATE = """mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {
    cartLinesUpdate(cartId: $id, lines: $lines) { userErrors { code } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


async def send(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    result = await api.query(document, variables)
    assert not result.errors, result.errors
    assert result.data is not None
    (answer,) = result.data.values()
    return answer  # type: ignore[no-any-return]


async def units() -> dict[Any, int]:
    """Over all carts, by variant and attributes."""
    rows = await db.fetch("SELECT variant_id, attributes, sum(quantity) AS units FROM cart_lines GROUP BY 1, 2")
    return {(row["variant_id"], row["attributes"]): row["units"] for row in rows}


async def test_ten_merges_and_additions_to_both_carts(api: Api) -> None:
    pens = [await catalogue.product(stock=None) for _ in range(4)]
    first = await carts.cart(*((pen.variant_id, 3) for pen in pens[:3]))
    second = await carts.cart(*((pen.variant_id, 2) for pen in pens[1:]))
    before = sum((await units()).values())

    def add(cart: MadeCart, number: int) -> Awaitable[dict[str, Any]]:
        line = {"variantId": pens[number % 4].variant_gid, "quantity": 1}
        if number % 3 == 0:
            line["attributes"] = [{"key": "n", "value": str(number)}]
        return send(api, ADD, id=cart.gid, lines=[line])

    merges = [send(api, MERGE, id=first.gid, into=second.gid) for _ in range(10)]
    adds = [add(cart, number) for number in range(8) for cart in (first, second)]
    mixed = [one for pair in zip(merges, adds, strict=False) for one in pair] + adds[10:]
    answers = await asyncio.gather(*mixed)
    assert [answer["userErrors"] for answer in answers] == [[]] * 26
    assert sum((await units()).values()) == before + 16
    cart = (await send(api, MERGE, id=first.gid, into=second.gid))["cart"]
    assert cart["totalQuantity"] == before + 16
    # One line for each variant and attributes: 4 plain ones, and those of the numbers 0, 3 and 6.
    assert cart["lines"]["totalCount"] == 4 + 3
    assert await db.fetchval("SELECT count(*) FROM cart_lines") == 4 + 3


async def test_two_carts_merged_into_each_other_at_once(api: Api) -> None:
    pen, ink = await catalogue.product(stock=None), await catalogue.product(stock=None)
    first, second = await carts.cart((pen.variant_id, 3)), await carts.cart((pen.variant_id, 2), (ink.variant_id, 1))
    before = sum((await units()).values())
    pairs = [(first, second), (second, first)] * 5
    answers = await asyncio.gather(*(send(api, MERGE, id=one.gid, into=other.gid) for one, other in pairs))
    assert [answer["userErrors"] for answer in answers] == [[]] * 10
    assert sum((await units()).values()) == before
    assert await db.fetchval("SELECT count(DISTINCT cart_id) FROM cart_lines") == 1


async def test_the_cart_with_the_lower_id_is_locked_first_whichever_is_emptied(api: Api) -> None:
    pen = await catalogue.product(stock=None)
    lower, higher = await carts.cart((pen.variant_id, 1)), await carts.cart((pen.variant_id, 1))
    assert lower.id < higher.id
    for source, target in ((lower, higher), (higher, lower)):
        holding, release = asyncio.Event(), asyncio.Event()

        async def hold(holding: asyncio.Event = holding, release: asyncio.Event = release) -> None:
            async with db.unit_of_work():
                await db.execute("SELECT FROM carts WHERE id = $1 FOR UPDATE", lower.id)
                holding.set()
                await release.wait()

        holder = asyncio.create_task(hold())
        await holding.wait()
        merge = asyncio.create_task(send(api, MERGE, id=source.gid, into=target.gid))
        while not await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
        # Who waits for the first holds nothing yet that somebody else could wait for.
        async with db.unit_of_work():
            await db.execute("SELECT FROM carts WHERE id = $1 FOR UPDATE NOWAIT", higher.id)
        release.set()
        await holder
        assert (await merge)["userErrors"] == []


async def test_a_change_that_was_decided_before_a_merge_is_decided_again(api: Api) -> None:
    pen = await catalogue.product(stock=None)
    for _ in range(5):
        first, second = await carts.cart((pen.variant_id, 3)), await carts.cart()
        update = send(api, UPDATE, id=first.gid, lines=[{"id": first.line_gids[0], "quantity": 5}])
        changed, _merged = await asyncio.gather(update, send(api, MERGE, id=first.gid, into=second.gid))
        cart = (await send(api, MERGE, id=first.gid, into=second.gid))["cart"]
        # Either it came first, or the line was gone.
        assert cart["totalQuantity"] == (3 if changed["userErrors"] else 5)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[asyncio.Event, asyncio.Event]]:
    """A merge that has both carts locked waits there."""

    def arrange() -> tuple[asyncio.Event, asyncio.Event]:
        locked, release = asyncio.Event(), asyncio.Event()
        merge = merging._merge

        async def delayed(*args: Any) -> Any:
            locked.set()
            await release.wait()
            return await merge(*args)

        monkeypatch.setattr(merging, "_merge", delayed)
        return locked, release

    return arrange


@pytest.mark.parametrize("which", ["source", "target"])
async def test_an_order_that_begins_during_a_merge_sells_what_was_merged_or_nothing(
    api: Api, which: str, held: Callable[[], tuple[asyncio.Event, asyncio.Event]]
) -> None:
    await shipping.zone("US")
    pen, ink = await catalogue.product(stock=10), await catalogue.product(stock=10)
    source = await carts.cart((pen.variant_id, 2))
    given = await checkout.ready_input(api, (ink, 1))
    made = str(given["cartId"])
    pair = {"id": made, "into": source.gid} if which == "source" else {"id": source.gid, "into": made}
    locked, release = held()
    merge = asyncio.create_task(send(api, MERGE, **pair))
    await locked.wait()
    order = asyncio.create_task(checkout.complete(api, given))
    while not await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
        await asyncio.sleep(0.01)
    release.set()
    assert (await merge)["userErrors"] == []
    # The cart was empty by then, or its shipping was promised for other lines.
    errors = [error["code"] for error in (await order)["userErrors"]]
    assert errors
    assert set(errors) <= {"CART_EMPTY", "QUOTE_NOT_APPLICABLE", "TOTAL_CHANGED", "REQUIRED", "INVALID"}
    assert sum((await units()).values()) == 3
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


async def test_two_devices_that_sign_in_at_once_end_with_one_cart(api: Api) -> None:
    pen = await catalogue.product(stock=None)
    ada = await accounts.signed_in()
    made = [await carts.cart((pen.variant_id, n)) for n in range(1, 7)]
    kept = await asyncio.gather(
        *(merging.keep_for_customer(CartKey(cart.id, cart.secret), ada.id) for cart in made for _ in range(2))
    )
    assert Counter(warning.code.value for one in kept for warning in one.warnings) == {}
    shown = (await api.ok("{ me { carts { totalQuantity } } }", token=ada.token))["me"]["carts"]
    assert shown == [{"totalQuantity": 21}]


async def test_two_people_whose_carts_are_merged_crosswise(api: Api) -> None:
    """Both are told of it: neither merge waits for the other's people while it holds its own."""
    pen = await catalogue.product(stock=None)

    async def cart(email: str) -> MadeCart:
        return await carts.cart((pen.variant_id, 1), email=email)

    pairs = []
    for _ in range(6):
        pairs += [(await cart("ada@example.com"), await cart("bob@example.com"))]
        pairs += [(await cart("bob@example.com"), await cart("ada@example.com"))]
    answers = await asyncio.gather(*(send(api, MERGE, id=one.gid, into=other.gid) for one, other in pairs))
    assert [answer["userErrors"] for answer in answers] == [[]] * 12
    assert sum((await units()).values()) == 24
