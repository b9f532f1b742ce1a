"""What advisories about other shops' access rules say, each tried against the running production profile.

Numbers are those of the advisories that the kinds were taken from. How sign-ins cost and answer the same for everybody
is counted in test_account_attacks.py; other ways into an account are in test_account_takeover.py.
"""

from typing import Any

import pytest

from app import db
from app.accounts import links
from app.accounts.models import AccountTokenKind
from app.kit import ids
from app.kit.ids import new_id
from app.sessions import passwords
from app.staff.permissions import Permission
from schema.fulfillments.tracking import LOOK_UPS_PER_ADDRESS
from tests.api.account_operations import EMAIL_CONFIRM, EMAIL_UPDATE, PASSWORD, VERIFY, me, sign_up
from tests.client import Api
from tests.factories import accounts, api_keys, catalogue, checkout, discounts, staff
from tests.factories import cart as carts
from tests.factories import shop as shops

ADA, EVE = "ada@example.com", "eve@example.com"
CART = "query ($id: ID!) { cart(id: $id) { id note lines { nodes { id } } } }"
NOTE = """mutation ($id: ID!) {
    cartUpdate(cartId: $id, input: { note: "mine now" }) { cart { id } userErrors { code } }
}"""
ORDER = "query ($id: ID!, $token: String) { order(id: $id, token: $token) { number email } }"
TRACK = "query ($number: String, $email: String) { orderTracking(number: $number, email: $email) { number } }"
CODES = """mutation ($id: ID!, $codes: [String!]!) {
    cartDiscountCodesUpdate(cartId: $id, codes: $codes) { cart { id } userErrors { code } }
}"""


async def said(api: Api, document: str, variables: dict[str, Any], token: str | None = None) -> list[str]:
    """The codes of an answer, of errors and userErrors alike."""
    result = await api.query(document, variables, token=token)
    payloads = [payload for payload in (result.data or {}).values() if isinstance(payload, dict)]
    return [*result.codes, *(error["code"] for payload in payloads for error in payload.get("userErrors", ()))]


async def tokens_of(account: accounts.Account, kind: AccountTokenKind, email: str) -> str:
    async with db.unit_of_work():
        issued = await links.issue(kind, account.id, email)
    return (await links.url_of(issued) or "").rpartition("/")[2]


# --- ids --------------------------------------------------------------------------------------------------------------


async def test_ids_are_no_secrets(outside: Api) -> None:
    """Ids as secrets: whoever knows a cart's number owns the cart (Craft Commerce, CVE-2026-31867)."""
    await shops.shop()
    cart = await carts.cart(((await catalogue.product()).variant_id, 1))
    bare = ids.encode("cart", cart.id)
    for guessed in (bare, f"{bare}_", f"{bare}_{'A' * 22}", f"{bare}_{cart.secret[:-1]}", f"{bare}_{cart.secret}A"):
        result = await outside.query(CART, {"id": guessed})
        assert (result.data or {}).get("cart") is None, guessed
        assert await said(outside, NOTE, {"id": guessed}), guessed
    assert (await outside.ok(CART, {"id": cart.gid}))["cart"]["note"] is None


async def test_objects_of_others_by_their_ids(outside: Api) -> None:
    """Missing owner checks: any order, address or account by its id (EverShop, issues 876 and 940)."""
    await checkout.shop_that_ships()
    ada, eve = await accounts.signed_in(ADA), await accounts.signed_in(EVE)
    order = (await checkout.placed(outside, token=ada.token, email=ADA, payment=checkout.CASH))["order"]["id"]
    for token in (None, eve.token, (await staff.signed_in(set()))):
        assert (await outside.query(ORDER, {"id": order}, token=token)).data == {"order": None}
        assert (await outside.query(ORDER, {"id": order, "token": eve.token}, token=token)).data == {"order": None}
    for gid in (order, ids.encode("cus", ada.id), ids.encode("prof", ada.profile_id or new_id())):
        node = await outside.query("query ($id: ID!) { node(id: $id) { id } }", {"id": gid}, token=eve.token)
        assert node.data == {"node": None}, gid
    assert (await outside.ok(ORDER, {"id": order}, token=ada.token))["order"]["email"] == ADA


async def test_order_numbers_are_no_proof_and_cannot_be_counted_through(outside: Api) -> None:
    """Order number enumeration: numbers follow each other, so they open nothing, and guesses are limited."""
    await checkout.shop_that_ships()
    number = (await checkout.placed(outside, payment=checkout.CASH))["order"]["number"]
    one = {"number": number, "email": checkout.EMAIL}
    assert (await outside.ok(TRACK, one))["orderTracking"]["number"] == number
    told = [await outside.query(TRACK, {**one, "email": f"guess{n}@example.com"}) for n in range(LOOK_UPS_PER_ADDRESS)]
    assert all((result.data or {}).get("orderTracking") is None for result in told)
    assert told[-1].codes == ["RATE_LIMITED"]
    assert (await outside.query(TRACK, one)).codes == ["RATE_LIMITED"], "however right"


# --- permissions ------------------------------------------------------------------------------------------------------


async def test_an_empty_set_of_permissions_allows_nothing(outside: Api) -> None:
    """Empty permission sets that allow: a check of "has any of" nothing is true of everybody."""
    await shops.shop()
    nobody, key = await staff.signed_in(set()), await api_keys.key(set(), maker_may=set(Permission))
    for token in (nobody, key):
        for field in ("orders", "customers", "profiles", "auditLog", "staffUsers", "messages", "discounts"):
            result = await outside.query(f"{{ {field} {{ totalCount }} }}", token=token)
            assert result.codes == ["FORBIDDEN"], field
            assert not result.data
        create = 'mutation { productCreate(input: { name: "Mug" }) { product { id } userErrors { code } } }'
        assert await said(outside, create, {}, token) == ["FORBIDDEN"]
    assert await db.fetchval("SELECT count(*) FROM products") == 0


async def test_nested_fields_show_staff_no_more_than_root_fields(outside: Api) -> None:
    """Staff that may see products only reaching people through fields below: every way into an order, a profile, a
    colleague or the books asks again."""
    await checkout.shop_that_ships()
    ada = await accounts.signed_in(ADA)
    order = (await checkout.placed(outside, token=ada.token, email=ADA, payment=checkout.CASH))["order"]["id"]
    clerk = await staff.signed_in({Permission.PRODUCTS_READ, Permission.OPERATIONS})
    packer = await staff.signed_in({Permission.ORDERS_READ})
    others = (order, ids.encode("cus", ada.id), ids.encode("prof", ada.profile_id or new_id()))
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Order { phone } ... on Profile { stage } } }"
    seen = await outside.query(nodes, {"ids": list(others)}, token=clerk)
    assert seen.data == {"nodes": [None, None, None]}
    seen = await outside.query(nodes, {"ids": list(others)}, token=packer)
    assert [one and one["id"] for one in (seen.data or {})["nodes"]] == [order, None, None]
    messages = await outside.query("{ messages { nodes { id recipient } } }", token=clerk)
    assert ADA not in str(messages.data), "who sees that a mail was sent sees not to whom"
    cost = await outside.query("{ products { nodes { variants { nodes { cost { amount } } } } } }")
    assert cost.codes == ["GRAPHQL_VALIDATION_FAILED"] or ADA not in str(cost.data)


# --- tokens and links -------------------------------------------------------------------------------------------------


async def test_a_link_to_change_an_address_is_its_owners_alone(outside: Api) -> None:
    """Token replay between users: a token for one account confirmed from another (Saleor, CVE-2026-35407), and of
    another kind (CVE-2026-33756 and its sisters)."""
    await shops.shop()
    ada, eve = await accounts.signed_in(ADA), await accounts.signed_in(EVE)
    await db.execute("UPDATE customers SET password_hash = $1", await passwords.hash_password(PASSWORD))
    token = await tokens_of(ada, AccountTokenKind.CHANGE_EMAIL, "new@example.com")
    before = await db.fetch("SELECT id, email, password_hash FROM customers ORDER BY id")
    wrong = await tokens_of(eve, AccountTokenKind.RESET_PASSWORD, EVE)
    assert await said(outside, EMAIL_CONFIRM, {"token": wrong, "password": PASSWORD}, eve.token) == ["INVALID_LINK"]
    assert await said(outside, EMAIL_CONFIRM, {"token": token, "password": "eve guesses one"}, eve.token)
    assert await db.fetch("SELECT id, email, password_hash FROM customers ORDER BY id") == before
    await outside.query(EMAIL_CONFIRM, {"token": token, "password": PASSWORD}, token=eve.token)
    rows = await db.fetch("SELECT id, email FROM customers ORDER BY id")
    assert {row["id"]: row["email"] for row in rows}[eve.id] == EVE, "the token moved another account's address"


async def test_asking_for_somebodys_address_does_not_say_that_it_is_taken(outside: Api) -> None:
    """An email change that names taken addresses (Saleor requestEmailChange, CVE-2026-39851)."""
    await shops.shop()
    await accounts.signed_in(ADA)
    eve = await accounts.signed_in(EVE)
    await db.execute("UPDATE customers SET password_hash = $1", await passwords.hash_password(PASSWORD))
    taken = await outside.query(EMAIL_UPDATE, {"email": ADA, "password": PASSWORD}, token=eve.token)
    free = await outside.query(EMAIL_UPDATE, {"email": "free@example.com", "password": PASSWORD}, token=eve.token)
    assert (taken.data, taken.errors) == (free.data, free.errors)
    assert taken.data == {"customerEmailUpdate": {"accepted": True, "userErrors": []}}


async def test_an_unverified_address_links_nothing(outside: Api) -> None:
    """Account linking by unverified address: signing up with the address of somebody else's orders and profile."""
    await checkout.shop_that_ships()
    order = (await checkout.placed(outside, payment=checkout.CASH))["order"]["id"]
    eve = (await sign_up(outside, checkout.EMAIL))["accessToken"]
    assert (await outside.query(ORDER, {"id": order}, token=eve)).data == {"order": None}
    own = await outside.ok("{ me { orders { totalCount } addresses { id } } }", token=eve)
    assert own["me"] == {"orders": {"totalCount": 0}, "addresses": []}
    assert await db.fetchval("SELECT customer_id FROM orders") is None
    guess = await said(outside, VERIFY, {"token": "A" * 43, "password": PASSWORD}, eve)
    assert guess == ["INVALID_LINK"]
    assert (await me(outside, eve) or {})["emailVerified"] is False


# --- guessing ---------------------------------------------------------------------------------------------------------


async def test_coupons_cannot_be_guessed_through(outside: Api) -> None:
    """Coupon brute force, also many codes in one request and under aliases: wrong codes are counted one by one."""
    await shops.shop()
    await discounts.discount(code="REAL-20")
    cart = await carts.cart(((await catalogue.product()).variant_id, 1))
    told: list[str] = []
    for start in range(0, 60, 5):
        told += await said(outside, CODES, {"id": cart.gid, "codes": [f"GUESS-{start + n}" for n in range(5)]})
        if "RATE_LIMITED" in told:
            break
    assert "RATE_LIMITED" in told
    aliases = " ".join(
        f'a{n}: cartDiscountCodesUpdate(cartId: "{cart.gid}", codes: ["MORE-{n}"]) {{ userErrors {{ code }} }}'
        for n in range(5)
    )
    result = await outside.query(f"mutation {{ {aliases} }}")
    assert {payload["userErrors"][0]["code"] for payload in (result.data or {}).values()} == {"RATE_LIMITED"}
    assert "MORE" not in str(await db.fetchval("SELECT discount_codes FROM carts")), "refused, and kept all the same"


@pytest.mark.parametrize("code", ["%", "_____", "' OR 1=1 --", "REAL-20\x00", "*", "real-20%"])
async def test_coupons_are_matched_as_they_are(outside: Api, code: str) -> None:
    """Wildcards and quotes in a code."""
    await shops.shop()
    await discounts.discount(code="REAL-20")
    cart = await carts.cart(((await catalogue.product()).variant_id, 1))
    await outside.query(CODES, {"id": cart.gid, "codes": [code]})
    seen = await outside.ok(
        "query ($id: ID!) { cart(id: $id) { cost { total { amount } subtotal { amount } } } }", {"id": cart.gid}
    )
    assert seen["cart"]["cost"]["total"] == seen["cart"]["cost"]["subtotal"]
