"""Customers and staff who ask for what is kept about a person, or for its end."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.kit import ids
from app.sessions import passwords
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, staff

Drain = Callable[[], Awaitable[None]]

PASSWORD = "a-long-enough-password"
EXPORT = """mutation ($password: String) { customerDataExport(password: $password) {
    privacyRequest { id status byStaff document } userErrors { code field }
} }"""
REQUEST = "query ($id: ID!) { privacyRequest(id: $id) { id kind status document expiresAt byStaff } }"
STAFF_EXPORT = "mutation ($id: ID!) { privacyExport(profileId: $id) { privacyRequest { id } userErrors { code } } }"
STAFF_ERASE = "mutation ($id: ID!) { privacyErase(profileId: $id) { privacyRequest { id } userErrors { code } } }"


@pytest.fixture
async def anna(api: Api) -> accounts.Account:
    await checkout.shop_that_ships()
    account = await accounts.signed_in("anna@shopper.example")
    await db.execute(
        "UPDATE customers SET password_hash = $2 WHERE id = $1", account.id, await passwords.hash_password(PASSWORD)
    )
    return account


async def export(api: Api, token: str, password: str | None = PASSWORD) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.query(EXPORT, {"password": password}, token=token)).data or {}
    payload: dict[str, Any] = answer["customerDataExport"]
    return payload


async def document(api: Api, token: str, drain: Drain) -> Any:
    payload = await export(api, token)
    assert payload["userErrors"] == []
    await drain()
    shown = (await api.ok(REQUEST, {"id": payload["privacyRequest"]["id"]}, token=token))["privacyRequest"]
    assert shown["status"] == "SUCCEEDED"
    return shown["document"]


async def test_a_customer_gets_what_is_theirs_and_nothing_of_others(
    api: Api, anna: accounts.Account, drain: Drain
) -> None:
    tea = await catalogue.product()
    mine = {**checkout.ADDRESS, "lastName": "Annason"}
    await checkout.placed(api, (tea, 1), email=anna.email, phone="+14155550100", shippingAddress=mine, token=anna.token)
    berta = await accounts.signed_in("berta@shopper.example")
    # Berta types Anna's address into her own account's order, and both have the household's number.
    theirs = {**checkout.ADDRESS, "lastName": "Bertasdottir"}
    await checkout.placed(api, (tea, 1), email=anna.email, phone="+14155550100", shippingAddress=theirs,
                          token=berta.token)  # fmt: skip
    await drain()
    found = await document(api, anna.token, drain)
    text = json.dumps(found)
    assert found["format"] == "tradewind-personal-data/1"
    assert [order["shippingAddress"]["last_name"] for order in found["data"]["orders"]] == ["Annason"]
    assert [account["email"] for account in found["data"]["account"]] == [anna.email]
    assert "Bertasdottir" not in text
    assert berta.email not in text
    assert str(berta.id) not in text
    for secret in ("$argon2", "tok_success", "passwordHash", "tokenHash"):
        assert secret not in text


@pytest.mark.parametrize(
    ("password", "code"), [("wrong-password-here", "INVALID_CREDENTIALS"), (None, "REQUIRED")], ids=["wrong", "none"]
)
async def test_whoever_cannot_show_that_it_is_them_gets_nothing(
    api: Api, anna: accounts.Account, password: str | None, code: str
) -> None:
    refused = await export(api, anna.token, password)
    assert (refused["privacyRequest"], refused["userErrors"][0]["code"]) == (None, code)
    assert await db.fetchval("SELECT count(*) FROM privacy_requests") == 0
    assert await db.fetchval("SELECT count(*) FROM events WHERE type LIKE 'privacy.%'") == 0


async def test_a_claim_of_an_address_exports_nothing(api: Api, anna: accounts.Account) -> None:
    claim = await accounts.signed_in(anna.email, verified=False)
    refused = await export(api, claim.token)
    assert refused["userErrors"][0]["code"] == "ADDRESS_NOT_VERIFIED"
    assert await db.fetchval("SELECT count(*) FROM privacy_requests") == 0


async def test_a_document_is_for_who_asked_until_it_expires(api: Api, anna: accounts.Account, drain: Drain) -> None:
    request = (await export(api, anna.token))["privacyRequest"]["id"]
    assert (await export(api, anna.token))["privacyRequest"]["id"] == request, "one at a time"
    await drain()
    others = [
        None,
        (await accounts.signed_in("berta@shopper.example")).token,
        await staff.signed_in(set(Permission) - {Permission.PRIVACY_WRITE}),
    ]
    for token in others:
        assert (await api.ok(REQUEST, {"id": request}, token=token))["privacyRequest"] is None
    assert (await api.ok(REQUEST, {"id": request}, token=anna.token))["privacyRequest"]["document"]
    await db.execute("UPDATE privacy_requests SET expires_at = clock_timestamp() - interval '1 second'")
    shown = (await api.ok(REQUEST, {"id": request}, token=anna.token))["privacyRequest"]
    assert (shown["status"], shown["document"]) == ("SUCCEEDED", None)


async def test_what_staff_had_made_is_not_the_customers_to_fetch(
    api: Api, anna: accounts.Account, staff_token: str, drain: Drain
) -> None:
    assert anna.profile_id
    profile = ids.encode("prof", anna.profile_id)
    made = (await api.ok(STAFF_EXPORT, {"id": profile}, token=staff_token))["privacyExport"]["privacyRequest"]["id"]
    await drain()
    assert (await api.ok(REQUEST, {"id": made}, token=anna.token))["privacyRequest"] is None
    assert (await api.ok(REQUEST, {"id": made}, token=staff_token))["privacyRequest"]["byStaff"] is True


async def test_an_erasure_takes_the_documents_of_exports_along(
    api: Api, anna: accounts.Account, staff_token: str, drain: Drain
) -> None:
    assert anna.profile_id
    await document(api, anna.token, drain)
    profile = ids.encode("prof", anna.profile_id)
    await api.ok(STAFF_ERASE, {"id": profile}, token=staff_token)
    await drain()
    assert await db.fetchval("SELECT count(*) FROM privacy_requests WHERE kind = 'EXPORT' AND result IS NOT NULL") == 0
    gone = (await api.query(STAFF_EXPORT, {"id": profile}, token=staff_token)).data
    assert gone
    assert gone["privacyExport"]["userErrors"] == [{"code": "NOT_FOUND"}]


async def test_a_friends_erasure_takes_their_email_out_of_my_order_and_nothing_else(
    api: Api, anna: accounts.Account, staff_token: str, drain: Drain
) -> None:
    assert anna.profile_id
    theirs = {**checkout.ADDRESS, "lastName": "Bertasdottir"}
    berta = await accounts.signed_in("berta@shopper.example")
    await checkout.placed(api, email=anna.email, shippingAddress=theirs, token=berta.token)
    await drain()
    await api.ok(STAFF_ERASE, {"id": ids.encode("prof", anna.profile_id)}, token=staff_token)
    await drain()
    order = await db.fetchrow("SELECT email, shipping_address ->> 'last_name' AS name FROM orders")
    assert order is not None
    assert tuple(order.values()) == (None, "Bertasdottir")


async def test_a_household_goes_on_being_written_to(api: Api, staff_token: str, drain: Drain) -> None:
    number = "+14155550177"
    for email in ("anna@shopper.example", "berta@shopper.example"):
        await accounts.signed_in(email)
    await db.execute("UPDATE profiles SET phone = $1", number)
    anna = await db.fetchval("SELECT id FROM profiles WHERE email = 'anna@shopper.example'")
    await api.ok(STAFF_ERASE, {"id": ids.encode("prof", anna)}, token=staff_token)
    await drain()
    suppressed = await db.fetch("SELECT channel, address, reason FROM suppressions")
    assert [tuple(row.values()) for row in suppressed] == [("EMAIL", None, "ERASED")]
    assert await db.fetchval("SELECT phone FROM profiles WHERE email = 'berta@shopper.example'") == number
