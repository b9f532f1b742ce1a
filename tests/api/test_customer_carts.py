"""The cart of an account: kept at sign-in, and there on every device."""

from typing import Any

import pytest

from app import db
from app.cart import merging
from app.cart.merging import KeptCart
from app.cart.rules import MAX_QUANTITY
from app.cart.service import CartKey
from app.kit.ids import new_id
from app.staff.permissions import Permission
from tests.api.cart_operations import ADD, CREATE, codes, everything, payload, read, refused
from tests.api.test_cart_merge import MERGE
from tests.client import Api
from tests.factories import accounts, catalogue, staff
from tests.factories import cart as carts
from tests.factories.accounts import Account
from tests.factories.cart import MadeCart
from tests.factories.shop import shop

MINE = "{ me { cart { id totalQuantity } carts { id totalQuantity } } }"
NODE = "query ($id: ID!) { node(id: $id) { ... on Customer { cart { id } carts { id } } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


async def keep(cart: MadeCart, account: Account) -> KeptCart:
    """As signing in does it."""
    return await merging.keep_for_customer(CartKey(cart.id, cart.secret), account.id)


async def mine(api: Api, account: Account) -> dict[str, Any]:
    return (await api.ok(MINE, token=account.token))["me"]  # type: ignore[no-any-return]


def warned(kept: KeptCart) -> list[str]:
    return [warning.code.value for warning in kept.warnings]


async def test_a_guests_cart_becomes_the_accounts_on_every_device(api: Api) -> None:
    pen = await catalogue.product()
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    cart = await carts.cart((pen.variant_id, 2))
    kept = await keep(cart, ada)
    assert (kept.key, warned(kept)) == (CartKey(cart.id, cart.secret), [])
    shown = {"id": cart.gid, "totalQuantity": 2}
    assert await mine(api, ada) == {"cart": shown, "carts": [shown]}
    assert await mine(api, bob) == {"cart": None, "carts": []}
    # With its secret it is still the cart of whoever holds it.
    assert (await read(api, cart.gid))["totalQuantity"] == 2
    assert (await keep(cart, ada)).key == kept.key


async def test_the_second_cart_is_merged_into_the_accounts(api: Api) -> None:
    pen, ink = await catalogue.product(), await catalogue.product()
    ada = await accounts.signed_in()
    first, second = await carts.cart((pen.variant_id, 2)), await carts.cart((pen.variant_id, 1), (ink.variant_id, 1))
    await keep(first, ada)
    kept = await keep(second, ada)
    assert (kept.key, warned(kept)) == (CartKey(first.id, first.secret), [])
    assert await mine(api, ada) == {"cart": (one := {"id": first.gid, "totalQuantity": 4}), "carts": [one]}
    assert (await read(api, second.gid))["totalQuantity"] == 0


async def test_carts_that_cannot_be_one_are_both_the_accounts(api: Api) -> None:
    pen = await catalogue.product(stock=None)
    ada = await accounts.signed_in()
    first, second = await carts.cart((pen.variant_id, MAX_QUANTITY)), await carts.cart((pen.variant_id, 1))
    await keep(first, ada)
    kept = await keep(second, ada)
    assert (kept.key, warned(kept)) == (CartKey(second.id, second.secret), ["CART_NOT_MERGED"])
    shown = (await mine(api, ada))["carts"]
    assert shown == [{"id": second.gid, "totalQuantity": 1}, {"id": first.gid, "totalQuantity": MAX_QUANTITY}]


@pytest.mark.parametrize("which", [0, 1])
async def test_a_cart_that_is_being_paid_for_is_left_as_it_is(api: Api, which: int) -> None:
    pen = await catalogue.product()
    ada = await accounts.signed_in()
    both = await carts.cart((pen.variant_id, 2)), await carts.cart((pen.variant_id, 1))
    await keep(both[0], ada)
    await carts.begin_payment(both[which].id)
    assert warned(await keep(both[1], ada)) == ["CART_NOT_MERGED"]
    assert {cart["totalQuantity"] for cart in (await mine(api, ada))["carts"]} == {1, 2}


async def test_a_cart_that_nobody_can_keep(api: Api) -> None:
    pen = await catalogue.product()
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    own, done, bobs = [await carts.cart((pen.variant_id, 1)) for _ in range(3)]
    await keep(bobs, bob)
    await keep(own, ada)
    await carts.complete(done.id)
    before = await everything()
    unknown = MadeCart(new_id(), own.secret, [])
    forged = MadeCart(bobs.id, own.secret, [])
    for wrong in (done, bobs, unknown, forged):
        kept = await keep(wrong, ada)
        assert (kept.key, warned(kept)) == (CartKey(own.id, own.secret), ["CART_NOT_FOUND"])
    assert await everything() == before


async def test_a_late_add_to_the_emptied_cart_does_not_hide_the_accounts(api: Api) -> None:
    pen = await catalogue.product()
    ada = await accounts.signed_in()
    first, second = await carts.cart((pen.variant_id, 2)), await carts.cart((pen.variant_id, 1))
    await keep(first, ada)
    await keep(second, ada)
    await payload(api, ADD, id=second.gid, lines=[{"variantId": pen.variant_gid}])
    assert (await mine(api, ada))["cart"] == {"id": first.gid, "totalQuantity": 3}
    await payload(api, MERGE, id=second.gid, into=first.gid)
    assert (await mine(api, ada))["cart"] == {"id": first.gid, "totalQuantity": 4}


async def test_no_account_loses_its_lines_to_another_cart(api: Api) -> None:
    pen = await catalogue.product()
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    adas, bobs, guests = [await carts.cart((pen.variant_id, 1)) for _ in range(3)]
    await keep(adas, ada)
    await keep(bobs, bob)
    for into in (bobs, guests):
        assert codes(await refused(api, MERGE, id=adas.gid, into=into.gid)) == [("CART_OF_ACCOUNT", ["cartId"])]
    before = await everything()
    errors = await api.refused(MERGE, {"id": adas.gid, "into": guests.gid}, token=bob.token)
    assert codes(errors) == [("CART_OF_ACCOUNT", ["cartId"])]
    assert await everything() == before
    # Its owner may: the other one is the account's then.
    await api.ok(MERGE, {"id": adas.gid, "into": guests.gid}, token=ada.token)
    assert (await mine(api, ada))["carts"] == [{"id": guests.gid, "totalQuantity": 2}]


async def test_a_cart_that_is_made_while_signed_in_is_the_accounts(api: Api) -> None:
    pen = await catalogue.product()
    ada = await accounts.signed_in()
    full = await carts.cart((pen.variant_id, 1))
    await keep(full, ada)
    made = (await api.ok(CREATE, {"input": {}}, token=ada.token))["cartCreate"]["cart"]
    # One that holds something comes first.
    assert [cart["id"] for cart in (await mine(api, ada))["carts"]] == [full.gid, made["id"]]
    person = await db.fetch("SELECT DISTINCT profile_id FROM carts")
    assert [row["profile_id"] for row in person] == [ada.profile_id]


async def test_a_cart_stands_for_the_person_of_a_verified_account_alone(api: Api) -> None:
    claim = await accounts.signed_in(verified=False)
    cart = await carts.cart()
    await keep(cart, claim)
    await api.ok(CREATE, {"input": {}}, token=claim.token)
    assert await db.fetchval("SELECT count(*) FROM carts WHERE customer_id = $1", claim.id) == 2
    assert await db.fetchval("SELECT count(*) FROM carts WHERE profile_id IS NOT NULL") == 0
    # What was typed into a cart says whose it is, whoever is signed in.
    ada = await accounts.signed_in()
    await keep(typed := await carts.cart(email="bob@example.com"), ada)
    email = await db.fetchval(
        "SELECT p.email FROM carts c JOIN profiles p ON p.id = c.profile_id WHERE c.id = $1", typed.id
    )
    assert email == "bob@example.com"


async def test_staff_see_no_key_to_a_customers_cart(api: Api) -> None:
    ada = await accounts.signed_in()
    await keep(await carts.cart(), ada)
    reader = await staff.signed_in(set(Permission))
    shown = (await api.ok(NODE, {"id": f"cus_{ada.id.hex}"}, token=reader))["node"]
    assert shown == {"cart": None, "carts": []}
