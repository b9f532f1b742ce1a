"""One cart, many hands at once: nothing is lost, nothing is doubled, no bound is passed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.cart import service
from app.cart.queries import load_for_change
from app.cart.rules import MAX_LINES, LineToAdd
from app.cart.snapshots import CartSnapshot
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue
from tests.factories.shop import shop

ANSWER = "{ cart { totalQuantity } warnings { code } userErrors { code field } }"
ADD = f"mutation ($id: ID!, $lines: [CartLineInput!]!) {{ cartLinesAdd(cartId: $id, lines: $lines) {ANSWER} }}"
UPDATE = (
    f"mutation ($id: ID!, $lines: [CartLineUpdateInput!]!) {{ cartLinesUpdate(cartId: $id, lines: $lines) {ANSWER} }}"
)
REMOVE = f"mutation ($id: ID!, $lines: [ID!]!) {{ cartLinesRemove(cartId: $id, lineIds: $lines) {ANSWER} }}"
NOTE = f"mutation ($id: ID!, $note: String!) {{ cartUpdate(cartId: $id, input: {{note: $note}}) {ANSWER} }}"
EMAIL = f"""mutation ($id: ID!, $email: String!) {{
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: {{email: $email}}) {ANSWER} }}"""
CART = """query ($id: ID!) { cart(id: $id) { totalQuantity note buyerIdentity { email }
    lines { totalCount nodes { id quantity variant { id } } } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


async def send(api: Api, document: str, **variables: Any) -> dict[str, Any]:
    result = await api.query(document, variables)
    assert not result.errors, result.errors
    assert result.data is not None
    (answer,) = result.data.values()
    return answer  # type: ignore[no-any-return]


async def test_fifty_additions_of_one_variant_add_up(api: Api) -> None:
    pen = await catalogue.product(stock=5000)
    made = await carts.cart()
    adds = [send(api, ADD, id=made.gid, lines=[{"variantId": pen.variant_gid, "quantity": n}]) for n in range(1, 51)]
    answers = await asyncio.gather(*adds)
    assert [answer["userErrors"] for answer in answers] == [[]] * 50
    # Each answer is a state that the cart was in.
    totals = [answer["cart"]["totalQuantity"] for answer in answers]
    assert len(set(totals)) == 50
    assert max(totals) == sum(range(1, 51))
    (line,) = (await send(api, CART, id=made.gid))["lines"]["nodes"]
    assert line["quantity"] == sum(range(1, 51))


async def test_different_changes_at_once_all_take_effect(api: Api) -> None:
    products = [await catalogue.product(stock=None) for _ in range(12)]
    kept, changed, removed, *added = products
    made = await carts.cart(*((product.variant_id, 1) for product in (kept, changed, removed)))
    await asyncio.gather(
        send(api, UPDATE, id=made.gid, lines=[{"id": made.line_gids[1], "quantity": 7}]),
        send(api, REMOVE, id=made.gid, lines=[made.line_gids[2]]),
        send(api, NOTE, id=made.gid, note="Ring twice"),
        send(api, EMAIL, id=made.gid, email="ada@example.com"),
        *(send(api, ADD, id=made.gid, lines=[{"variantId": product.variant_gid}]) for product in added),
    )
    cart = await send(api, CART, id=made.gid)
    assert (cart["note"], cart["buyerIdentity"]["email"]) == ("Ring twice", "ada@example.com")
    lines = {line["variant"]["id"]: line["quantity"] for line in cart["lines"]["nodes"]}
    assert lines == {kept.variant_gid: 1, changed.variant_gid: 7, **{product.variant_gid: 1 for product in added}}


async def test_no_more_units_than_there_are_whoever_comes_first(api: Api) -> None:
    pen = await catalogue.product(stock=7)
    made = await carts.cart()
    adds = [
        send(
            api, ADD, id=made.gid, lines=[{"variantId": pen.variant_gid, "attributes": [{"key": "n", "value": str(n)}]}]
        )
        for n in range(20)
    ]
    outcomes = Counter(tuple(error["code"] for error in answer["userErrors"]) for answer in await asyncio.gather(*adds))
    assert outcomes == {(): 7, ("INSUFFICIENT_STOCK",): 13}
    cart = await send(api, CART, id=made.gid)
    assert (cart["totalQuantity"], cart["lines"]["totalCount"]) == (7, 7)


async def test_no_more_lines_than_a_cart_holds(api: Api) -> None:
    pen, ink = await catalogue.product(stock=None), await catalogue.product(stock=None)
    room = 3
    made = await carts.cart()
    filled = [
        {"variantId": pen.variant_gid, "attributes": [{"key": "n", "value": str(n)}]} for n in range(MAX_LINES - room)
    ]
    await send(api, ADD, id=made.gid, lines=filled)
    adds = [
        send(
            api, ADD, id=made.gid, lines=[{"variantId": ink.variant_gid, "attributes": [{"key": "n", "value": str(n)}]}]
        )
        for n in range(10)
    ]
    outcomes = Counter(tuple(error["code"] for error in answer["userErrors"]) for answer in await asyncio.gather(*adds))
    assert outcomes == {(): room, ("TOO_MANY",): 10 - room}
    assert await db.fetchval("SELECT count(*) FROM cart_lines") == MAX_LINES


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[Any]]], list[bool]]:
    """Run something once, between the moment at which a change was decided and the one at which it is written."""

    def arrange(happens: Callable[[], Awaitable[Any]]) -> list[bool]:
        ran: list[bool] = []
        write = service.write_change

        async def delayed(before: CartSnapshot, after: CartSnapshot) -> Any:
            if not ran:
                ran.append(True)
                await happens()
            return await write(before, after)

        monkeypatch.setattr(service, "write_change", delayed)
        return ran

    return arrange


async def test_a_change_that_lost_the_race_is_decided_again(api: Api, meanwhile: Any) -> None:
    pen, ink = await catalogue.product(stock=5), await catalogue.product()
    made = await carts.cart((ink.variant_id, 1))
    key = service.CartKey(made.id, made.secret)
    ran = meanwhile(lambda: service.add_lines(key, [LineToAdd(new_id(), pen.variant_id, 3)]))
    answer = await send(api, ADD, id=made.gid, lines=[{"variantId": pen.variant_gid, "quantity": 4}])
    # Two were left by then; deciding only once would have overwritten three with four.
    assert (answer["cart"]["totalQuantity"], [one["code"] for one in answer["warnings"]]) == (6, ["QUANTITY_CLAMPED"])
    assert ran


@pytest.mark.parametrize(
    ("begin", "code"), [(carts.begin_payment, "CHECKOUT_IN_PROGRESS"), (carts.complete, "CART_COMPLETED")]
)
async def test_a_payment_that_begins_meanwhile_wins(api: Api, meanwhile: Any, begin: Any, code: str) -> None:
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))

    async def claim() -> None:
        """As checkouts do it: what begins a payment counts as a change of the cart."""
        async with db.unit_of_work():
            await db.execute("UPDATE carts SET revision = revision + 1 WHERE id = $1", made.id)
            await begin(made.id)

    ran = meanwhile(claim)
    answer = await send(api, ADD, id=made.gid, lines=[{"variantId": pen.variant_gid}])
    assert answer["userErrors"] == [{"code": code, "field": ["cartId"]}]
    assert (await send(api, CART, id=made.gid))["totalQuantity"] == 1
    assert ran


async def test_who_holds_the_cart_reads_what_was_written_before(api: Api) -> None:
    """Waiting for the row must not mean reading the lines as they were before the wait."""
    pen = await catalogue.product()
    made = await carts.cart((pen.variant_id, 1))
    holding, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with db.unit_of_work():
            await load_for_change(made.id, made.secret, lock=True)
            await db.execute("UPDATE cart_lines SET quantity = 5")
            holding.set()
            await release.wait()

    async def follow() -> int:
        async with db.unit_of_work():
            loaded = await load_for_change(made.id, made.secret, lock=True)
            assert loaded is not None
            return loaded[0].total_quantity

    first = asyncio.create_task(hold())
    await holding.wait()
    second = asyncio.create_task(follow())
    while not await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
        await asyncio.sleep(0.01)
    release.set()
    await first
    assert await second == 5
