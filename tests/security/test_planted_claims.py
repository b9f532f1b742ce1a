"""An account that a stranger made with somebody's address, filled, and left for its owner to find ("trojan")."""

from collections.abc import Awaitable, Callable

import pytest
from argon2 import PasswordHasher

from app import db
from app.kit import ids
from app.kit.ids import new_id
from app.sessions import passwords
from tests.api.account_operations import (
    LINK,
    LINK_SEND,
    PASSWORD,
    RESET,
    RESET_SEND,
    VERIFY,
    me,
    sign_up,
)
from tests.client import Api
from tests.factories import account_mails
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
ADA = "ada@example.com"
EVES_PASSWORD = "eve knows this one"
ADDRESS_CREATE = """mutation ($address: AddressInput!) {
    customerAddressCreate(address: $address, defaultShipping: true) { userErrors { code field } }
}"""
CART_CREATE = 'mutation { cartCreate(input: { note: "of Eve" }) { cart { id } } }'
KEPT = """{ me {
    firstName lastName phone addresses { id } defaultShippingAddress { id } paymentMethods { id }
    cart { id } carts { id } orders(first: 5) { nodes { id } }
} }"""
NOTHING: dict[str, object] = {
    "firstName": None, "lastName": None, "phone": None, "addresses": [], "defaultShippingAddress": None,
    "paymentMethods": [], "cart": None, "carts": [], "orders": {"nodes": []},
}  # fmt: skip


@pytest.fixture(autouse=True)
async def shop(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    await shops.shop()


async def link(template: str) -> str:
    return (await account_mails.last(ADA, template)).token


@pytest.mark.parametrize(("send", "template", "use", "password"), [
    (None, "account_verify_email", VERIFY, PASSWORD),
    (RESET_SEND, "account_reset_password", RESET, PASSWORD),
    (LINK_SEND, "account_sign_in", LINK, None),
])  # fmt: skip
async def test_nothing_that_a_stranger_put_into_a_claim_is_left_to_its_owner(
    api: Api, drain: Drain, send: str | None, template: str, use: str, password: str | None
) -> None:
    """An address to ship to by default, a cart whose id the stranger has: Ada would give her own things to Eve."""
    planted = await sign_up(api, ADA, EVES_PASSWORD, firstName="Eve", phone="+442079460018")
    token = planted["accessToken"]
    address = {"lastName": "Eve", "address1": "1 Trap", "city": "London", "postalCode": "SW1A 1AA", "countryCode": "GB"}
    await api.ok(ADDRESS_CREATE, {"address": address}, token=token)
    assert len((await api.ok(KEPT, token=token))["me"]["addresses"]) == 1
    eves_cart = (await api.ok(CART_CREATE, token=token))["cartCreate"]["cart"]["id"]
    await db.execute(
        """
        INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, created_at)
        VALUES ($1, $2, 'test', 'CARD', 'pm_of_eve', business_now())
        """,
        new_id(),
        ids.decode("cus", planted["customer"]["id"], ["id"]),
    )
    if send:
        await api.ok(send, {"email": ADA})
    await drain()
    variables = {"token": await link(template)} | ({"password": password} if password else {})
    (answer,) = (await api.ok(use, variables)).values()
    await drain()
    assert (await api.ok(KEPT, token=answer["accessToken"]))["me"] == NOTHING
    assert [row["email"] for row in await db.fetch("SELECT email FROM customers")] == [ADA]
    assert await db.fetchval("SELECT count(*) FROM carts WHERE customer_id IS NOT NULL") == 0
    assert await db.fetchval("SELECT count(*) FROM saved_payment_methods") == 0, "the gateway has forgotten it"
    assert await me(api, token) is None
    read = "query ($id: ID!) { cart(id: $id) { note } }"
    assert (await api.ok(read, {"id": eves_cart}))["cart"] == {"note": "of Eve"}, "a guest's again"


async def test_whoever_shows_that_they_made_the_claim_keeps_all_of_it(api: Api, drain: Drain) -> None:
    """On another device, with the password of the claim."""
    claim = await sign_up(api, ADA, firstName="Ada")
    cart_id = (await api.ok(CART_CREATE, token=claim["accessToken"]))["cartCreate"]["cart"]["id"]
    await drain()
    given = {"token": await link("account_verify_email"), "password": PASSWORD}
    answer = (await api.ok(VERIFY, given))["customerEmailVerify"]
    await drain()
    seen = (await api.ok(KEPT, token=answer["accessToken"]))["me"]
    assert (seen["firstName"], seen["cart"]) == ("Ada", {"id": cart_id})
    assert answer["customer"]["id"] == claim["customer"]["id"]
    assert await me(api, claim["accessToken"]) is not None
