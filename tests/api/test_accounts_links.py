"""Verifying an address, forgotten passwords, and signing in by a mailed link."""

from collections.abc import Awaitable, Callable

import pytest

from app import db
from app.events.delivery import deliver
from tests.api.account_operations import (
    LINK,
    LINK_SEND,
    OTHER_PASSWORD,
    PASSWORD,
    RESET,
    RESET_SEND,
    VERIFICATION_SEND,
    VERIFY,
    codes,
    login,
    me,
    sign_up,
    verified,
)
from tests.client import Api
from tests.factories import account_mails, checkout, shipping
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
ADA = "ada@example.com"


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await shops.shop()


async def test_a_verified_address_has_its_profile_and_the_orders_of_its_guest(api: Api, drain: Drain) -> None:
    await shipping.zone("US")
    order = (await checkout.placed(api))["order"]
    email = await db.fetchval("SELECT email FROM orders")
    made = await sign_up(api, email, firstName="Ada")
    assert await db.fetchval("SELECT customer_id FROM orders") is None
    await drain()
    assert await db.fetchval("SELECT customer_id FROM orders") is None
    mail = await account_mails.last(email, "account_verify_email")
    assert mail.message["Subject"].startswith("Please confirm your email address")
    assert "Ada" not in mail.text.replace(mail.token, "")
    answer = (await api.ok(VERIFY, {"token": mail.token}, token=made["accessToken"]))["customerEmailVerify"]
    assert answer["customer"]["emailVerified"] is True
    assert answer["accessToken"] is None
    row = await db.fetchrow(
        "SELECT c.id, p.email, o.customer_id, o.number FROM orders o, customers c "
        "JOIN profiles p ON p.id = c.profile_id"
    )
    assert row is not None
    assert (row["email"], row["customer_id"], row["number"]) == (email, row["id"], int(order["number"]))
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'customer.verified'") == 1
    await drain()
    assert (await me(api, made["accessToken"]) or {})["emailVerified"] is True


async def test_a_link_is_good_once(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    mail = await account_mails.last(ADA, "account_verify_email")
    again = await api.refused(VERIFY, {"token": mail.token, "password": OTHER_PASSWORD}, token=token)
    assert [error["code"] for error in again] == ["INVALID_LINK"]
    assert codes(await login(api, ADA, OTHER_PASSWORD)) == ["INVALID_CREDENTIALS"]
    refused = await api.refused(VERIFICATION_SEND, token=token)
    assert refused == [{"code": "ALREADY_VERIFIED"}]


async def test_an_expired_link_and_one_that_was_replaced_are_good_for_nothing(api: Api, drain: Drain) -> None:
    made = await sign_up(api, ADA)
    await drain()
    await api.ok(VERIFICATION_SEND, token=made["accessToken"])
    await drain()
    first, second = [mail.token for mail in await account_mails.mails(ADA)]
    assert (await api.refused(VERIFY, {"token": first}, token=made["accessToken"]))[0]["code"] == "INVALID_LINK"
    await db.execute("UPDATE account_tokens SET expires_at = clock_timestamp() WHERE used_at IS NULL")
    assert (await api.refused(VERIFY, {"token": second}, token=made["accessToken"]))[0]["code"] == "INVALID_LINK"
    assert await db.fetchval("SELECT email_verified_at FROM customers") is None


async def test_on_another_device_the_password_is_asked_for_and_signs_in(api: Api, drain: Drain) -> None:
    made = await sign_up(api, ADA)
    await drain()
    token = (await account_mails.last(ADA, "account_verify_email")).token
    refused = await api.refused(VERIFY, {"token": token})
    assert refused[0]["code"] == "REQUIRED"
    assert refused[0]["field"] == ["password"]
    answer = (await api.ok(VERIFY, {"token": token, "password": PASSWORD}))["customerEmailVerify"]
    assert (await me(api, answer["accessToken"]) or {})["emailVerified"] is True
    assert await me(api, made["accessToken"]) is not None


async def test_a_forgotten_password_is_replaced_and_signs_out_everybody(api: Api, drain: Drain) -> None:
    session = await verified(api, drain, ADA)
    assert await api.ok(RESET_SEND, {"email": "Ada@Example.com"})
    await api.ok(LINK_SEND, {"email": ADA})
    await drain()
    mail = await account_mails.last(ADA, "account_reset_password")
    weak = await api.refused(RESET, {"token": mail.token, "password": "short"})
    assert weak[0]["field"] == ["password"]
    answer = (await api.ok(RESET, {"token": mail.token, "password": OTHER_PASSWORD}))["customerPasswordReset"]
    assert await me(api, answer["accessToken"]) is not None
    assert await me(api, session) is None
    assert codes(await login(api, ADA, PASSWORD)) == ["INVALID_CREDENTIALS"]
    assert codes(await login(api, ADA, OTHER_PASSWORD)) == []
    other = (await account_mails.last(ADA, "account_sign_in")).token
    assert (await api.refused(LINK, {"token": other}))[0]["code"] == "INVALID_LINK"
    await drain()
    assert "account_password_changed" in await account_mails.templates(ADA)


async def test_a_mailed_link_signs_in_once(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    await api.ok(LINK_SEND, {"email": ADA})
    await drain()
    token = (await account_mails.last(ADA, "account_sign_in")).token
    answer = (await api.ok(LINK, {"token": token}))["customerSignInWithLink"]
    assert (await me(api, answer["accessToken"]) or {})["hasPassword"] is True
    assert (await api.refused(LINK, {"token": token}))[0]["code"] == "INVALID_LINK"
    assert codes(await login(api, ADA)) == []


async def test_whoever_lost_the_first_mail_gets_in_by_a_forgotten_password(api: Api, drain: Drain) -> None:
    await sign_up(api, ADA)
    await api.ok(RESET_SEND, {"email": ADA})
    await drain()
    token = (await account_mails.last(ADA, "account_reset_password")).token
    answer = (await api.ok(RESET, {"token": token, "password": OTHER_PASSWORD}))["customerPasswordReset"]
    assert answer["customer"]["emailVerified"] is True


async def test_an_address_is_mailed_a_few_links_at_a_time_and_the_last_of_them_works(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    for _ in range(5):
        await api.ok(LINK_SEND, {"email": ADA})
        await drain()
    sent = [mail for mail in await account_mails.mails(ADA) if mail.template == "account_sign_in"]
    assert len(sent) == 3
    assert await api.ok(LINK, {"token": sent[-1].token})


async def test_a_link_that_is_over_is_not_mailed(api: Api, drain: Drain) -> None:
    await sign_up(api, ADA)
    event_id = await db.fetchval("SELECT id FROM events WHERE type = 'account.created'")
    await deliver(event_id)
    await db.execute("UPDATE account_tokens SET expires_at = clock_timestamp()")
    await drain()
    assert await account_mails.mails(ADA) == []
    assert await db.fetchval("SELECT reason FROM messages") == "SUPERSEDED"


async def test_an_unknown_address_is_mailed_nothing(api: Api, drain: Drain) -> None:
    await api.ok(RESET_SEND, {"email": "nobody@example.com"})
    await api.ok(LINK_SEND, {"email": "nobody@example.com"})
    await drain()
    assert await db.fetchval("SELECT count(*) FROM messages") == 0
