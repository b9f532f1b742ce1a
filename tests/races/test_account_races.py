"""Accounts in two hands at once: one owner of an address, no session that outlives what ends it, no order lost."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable

import pytest
from argon2 import PasswordHasher

from app import db
from app.accounts import closing
from app.sessions import passwords
from tests.api.account_operations import (
    DELETE,
    LINK,
    LINK_SEND,
    OTHER_PASSWORD,
    PASSWORD,
    PASSWORD_UPDATE,
    REFRESH,
    VERIFY,
    codes,
    login,
    me,
    sign_up,
    verified,
)
from tests.client import Api
from tests.factories import account_mails, catalogue, checkout
from tests.patience import patience

Drain = Callable[[], Awaitable[None]]
ADA = "ada@example.com"


@pytest.fixture(autouse=True)
async def shop(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    await checkout.shop_that_ships()


async def lively_sessions() -> int:
    count: int = await db.fetchval(
        "SELECT count(*) FROM sessions s JOIN customers c ON c.id = s.subject_id WHERE s.revoked_at IS NULL"
    )
    return count


async def test_of_two_claims_that_are_verified_at_once_one_gets_the_address(api: Api, drain: Drain) -> None:
    claims = [await sign_up(api, ADA, f"{PASSWORD} {number}") for number in range(2)]
    await drain()
    links = [mail.token for mail in await account_mails.mails(ADA)]
    answers = await asyncio.gather(*(
        api.query(VERIFY, {"token": link}, token=claim["accessToken"])
        for link, claim in zip(links, claims, strict=True)
    ))  # fmt: skip
    told = [codes((answer.data or {})["customerEmailVerify"]) for answer in answers]
    assert sorted(told) == [[], ["INVALID_LINK"]]
    rows = await db.fetch("SELECT email_verified_at IS NOT NULL AS verified FROM customers")
    assert [row["verified"] for row in rows] == [True]
    assert await db.fetchval("SELECT count(*) FROM profiles") == 1
    winner, loser = claims if told[0] == [] else claims[::-1]
    assert (await me(api, winner["accessToken"]) or {})["emailVerified"] is True
    assert await me(api, loser["accessToken"]) is None


async def test_a_link_that_is_used_many_times_at_once_signs_in_once(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    await api.ok(LINK_SEND, {"email": ADA})
    await drain()
    link = (await account_mails.last(ADA, "account_sign_in")).token
    answers = await asyncio.gather(*(api.query(LINK, {"token": link}) for _ in range(5)))
    told = [codes((answer.data or {})["customerSignInWithLink"]) for answer in answers]
    assert sorted(told) == [[]] + [["INVALID_LINK"]] * 4
    assert await lively_sessions() == 2


async def test_two_exchanges_at_once_of_one_refresh_token_end_the_session(api: Api) -> None:
    made = await sign_up(api, ADA)
    answers = await asyncio.gather(*(api.query(REFRESH, {"token": made["refreshToken"]}) for _ in range(3)))
    pairs = [
        answer.data["tokenRefresh"] for answer in answers if answer.data and not codes(answer.data["tokenRefresh"])
    ]
    assert len(pairs) == 1
    assert await me(api, pairs[0]["accessToken"]) is None
    assert await me(api, made["accessToken"]) is None


async def test_no_other_session_outlives_a_new_password_however_it_is_refreshed(api: Api) -> None:
    own = (await sign_up(api, ADA))["accessToken"]
    for attempt in range(5):
        old, new = (PASSWORD, OTHER_PASSWORD) if attempt % 2 == 0 else (OTHER_PASSWORD, PASSWORD)
        others = [await login(api, ADA, old) for _ in range(2)]
        signing_in = asyncio.create_task(login(api, ADA, old))
        _, *exchanges = await asyncio.gather(
            api.query(PASSWORD_UPDATE, {"current": old, "new": new}, token=own),
            *(api.query(REFRESH, {"token": other["refreshToken"]}) for other in others),
        )
        refreshed = [(answer.data or {})["tokenRefresh"] for answer in exchanges]
        held = [payload["accessToken"] for payload in (*others, *refreshed, await signing_in)]
        assert [await me(api, token) for token in held if token] == [None] * len([token for token in held if token])
    assert await me(api, own) is not None
    assert await lively_sessions() == 1


async def test_nobody_is_signed_in_to_an_account_that_is_deleted_meanwhile(api: Api, drain: Drain) -> None:
    own = await verified(api, drain, ADA)
    deleted, *others = await asyncio.gather(
        api.query(DELETE, {"password": PASSWORD}, token=own), *(login(api, ADA) for _ in range(4))
    )
    assert not codes((deleted.data or {})["customerDelete"])
    tokens = [payload["accessToken"] for payload in others if payload["accessToken"]]
    assert [await me(api, token) for token in tokens] == [None] * len(tokens)
    left = await db.fetchval("SELECT count(*) FROM sessions WHERE subject_kind = 'customer' AND revoked_at IS NULL")
    assert left == 0


async def test_nobody_who_signs_in_while_an_account_is_closed_is_in_when_it_opens_again(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    customer_id = await db.fetchval("SELECT id FROM customers")
    _, *others = await asyncio.gather(closing.set_active(customer_id, False), *(login(api, ADA) for _ in range(4)))
    await closing.set_active(customer_id, True)
    tokens = [payload["accessToken"] for payload in others if payload["accessToken"]]
    assert [await me(api, token) for token in tokens] == [None] * len(tokens)


async def test_an_order_that_is_placed_while_its_address_is_verified_is_in_the_account(api: Api, drain: Drain) -> None:
    products = [await catalogue.product() for _ in range(3)]
    claim = await sign_up(api, ADA)
    await drain()
    link = (await account_mails.last(ADA, "account_verify_email")).token
    await asyncio.gather(
        api.ok(VERIFY, {"token": link}, token=claim["accessToken"]),
        *(checkout.placed(api, (product, 1)) for product in products),
    )
    await drain()
    emails = {row["email"] for row in await db.fetch("SELECT email FROM orders")}
    assert emails == {ADA}
    owners = await db.fetch("SELECT DISTINCT customer_id IS NOT NULL AS joined FROM orders")
    assert [row["joined"] for row in owners] == [True]


async def test_an_order_that_somebody_holds_joins_when_they_let_go(api: Api, drain: Drain) -> None:
    await checkout.placed(api)
    claim = await sign_up(api, ADA)
    await drain()
    link = (await account_mails.last(ADA, "account_verify_email")).token
    async with db.unit_of_work():
        await db.execute("SELECT FROM orders FOR UPDATE")
        verifying = asyncio.create_task(
            api.ok(VERIFY, {"token": link}, token=claim["accessToken"]), context=contextvars.Context()
        )
        await asyncio.wait_for(verifying, timeout=patience(20))
    assert await db.fetchval("SELECT customer_id FROM orders") is None
    await drain()
    assert await db.fetchval("SELECT customer_id FROM orders") == await db.fetchval("SELECT id FROM customers")


async def test_an_order_whose_placing_saw_no_account_joins_it_afterwards(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    await drain()
    await checkout.placed(api)
    await db.execute("UPDATE orders SET customer_id = NULL")
    await drain()
    assert await db.fetchval("SELECT customer_id FROM orders") == await db.fetchval("SELECT id FROM customers")
