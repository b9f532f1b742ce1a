"""Changing one's own account: names, password, address, sessions, consent; and deleting it."""

from collections.abc import Awaitable, Callable

import pytest

from app import db
from tests.api.account_operations import (
    CONSENT,
    DELETE,
    EMAIL_CONFIRM,
    EMAIL_UPDATE,
    EVERYWHERE,
    LINK,
    LINK_SEND,
    LOGIN,
    OTHER_PASSWORD,
    PASSWORD,
    PASSWORD_UPDATE,
    SESSION_REVOKE,
    UPDATE,
    codes,
    login,
    me,
    sign_up,
    verified,
)
from tests.client import Api
from tests.factories import account_mails, accounts
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
ADA, NEW = "ada@example.com", "ada@countess.example"


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await shops.shop()


async def profile_email() -> str | None:
    found: str | None = await db.fetchval(
        "SELECT p.email FROM customers c JOIN profiles p ON p.id = c.profile_id WHERE p.merged_into_id IS NULL"
    )
    return found


async def test_what_somebody_says_of_themselves_is_in_their_profile_too(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    given = {"firstName": " Ada ", "lastName": "King", "phone": "+442079460018", "language": "en-GB"}
    changed = (await api.ok(UPDATE, {"input": given}, token=token))["customerUpdate"]["customer"]
    assert changed == given | {"firstName": "Ada"}
    row = await db.fetchrow("SELECT first_name, last_name, language, phone FROM profiles")
    assert row is not None
    assert tuple(row.values()) == ("Ada", "King", "en-GB", None)
    cleared = (await api.ok(UPDATE, {"input": {"lastName": None}}, token=token))["customerUpdate"]["customer"]
    assert cleared["lastName"] is None
    refused = await api.refused(UPDATE, {"input": {"language": "??", "phone": "1"}}, token=token)
    assert [error["field"] for error in refused] == [["input", "language"], ["input", "phone"]]
    assert (await me(api, token) or {})["language"] == "en-GB"


async def test_what_an_unverified_account_says_stays_with_it(api: Api) -> None:
    token = (await sign_up(api, ADA))["accessToken"]
    await api.ok(UPDATE, {"input": {"firstName": "Mallory"}}, token=token)
    assert (await me(api, token) or {})["firstName"] == "Mallory"
    assert await db.fetchval("SELECT count(*) FROM profiles") == 0


async def test_a_new_password_ends_the_other_sessions_and_is_told(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    elsewhere = (await login(api, ADA))["accessToken"]
    wrong = await api.refused(PASSWORD_UPDATE, {"current": OTHER_PASSWORD, "new": "a third long wall"}, token=token)
    assert (wrong[0]["code"], wrong[0]["field"]) == ("INVALID_CREDENTIALS", ["currentPassword"])
    missing = await api.refused(PASSWORD_UPDATE, {"new": "a third long wall"}, token=token)
    assert missing[0]["code"] == "REQUIRED"
    own = await api.refused(PASSWORD_UPDATE, {"current": PASSWORD, "new": ADA}, token=token)
    assert own[0]["field"] == ["newPassword"]
    assert await me(api, elsewhere) is not None
    await api.ok(PASSWORD_UPDATE, {"current": PASSWORD, "new": OTHER_PASSWORD}, token=token)
    assert await me(api, token) is not None
    assert await me(api, elsewhere) is None
    assert codes(await login(api, ADA)) == ["INVALID_CREDENTIALS"]
    assert codes(await login(api, ADA, OTHER_PASSWORD)) == []
    await drain()
    assert (await account_mails.templates(ADA))[-1] == "account_password_changed"


async def test_a_new_address_is_used_once_it_was_confirmed_and_the_old_one_is_told(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    refused = await api.refused(EMAIL_UPDATE, {"email": NEW, "password": OTHER_PASSWORD}, token=token)
    assert refused[0]["code"] == "INVALID_CREDENTIALS"
    await api.ok(EMAIL_UPDATE, {"email": NEW, "password": PASSWORD}, token=token)
    await drain()
    assert (await me(api, token) or {})["email"] == ADA
    link = (await account_mails.last(NEW, "account_change_email")).token
    answer = (await api.ok(EMAIL_CONFIRM, {"token": link}, token=token))["customerEmailUpdateConfirm"]
    assert answer["customer"] == {"email": NEW, "emailVerified": True}
    assert await profile_email() == NEW
    await drain()
    assert (await account_mails.templates(ADA))[-1] == "account_email_changed"
    assert codes(await login(api, ADA)) == ["INVALID_CREDENTIALS"]
    assert codes(await login(api, NEW)) == []
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'customer.verified'") == 1


async def test_a_new_address_that_was_known_brings_its_history(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    before = await db.fetchval("SELECT profile_id FROM customers")
    other = await accounts.signed_in(NEW)
    await db.execute("DELETE FROM customers WHERE id = $1", other.id)
    await api.ok(EMAIL_UPDATE, {"email": NEW, "password": PASSWORD}, token=token)
    await drain()
    link = (await account_mails.last(NEW, "account_change_email")).token
    await api.ok(EMAIL_CONFIRM, {"token": link, "password": PASSWORD})
    await drain()
    assert await db.fetchval("SELECT profile_id FROM customers") == before
    assert await db.fetchval("SELECT merged_into_id FROM profiles WHERE id = $1", other.profile_id) == before
    assert await profile_email() == NEW


async def test_an_address_with_an_account_cannot_be_taken_and_is_told(api: Api, drain: Drain) -> None:
    await verified(api, drain, NEW)
    token = await verified(api, drain, ADA)
    await api.ok(EMAIL_UPDATE, {"email": NEW, "password": PASSWORD}, token=token)
    await drain()
    assert (await account_mails.templates(NEW))[-1] == "account_exists"
    assert "account_change_email" not in await account_mails.templates(NEW)
    assert (await me(api, token) or {})["email"] == ADA


async def test_sessions_end_one_by_one_and_all_together(api: Api) -> None:
    first = await sign_up(api, ADA)
    second = await login(api, ADA)
    shown = await me(api, first["accessToken"])
    assert shown is not None
    other = next(one["id"] for one in second["customer"]["sessions"] if one["id"] == shown["sessions"][0]["id"])
    await api.ok(SESSION_REVOKE, {"id": other}, token=first["accessToken"])
    assert await me(api, second["accessToken"]) is None
    again = await api.refused(SESSION_REVOKE, {"id": other}, token=first["accessToken"])
    assert again[0]["code"] == "NOT_FOUND"
    await login(api, ADA)
    ended = (await api.ok(EVERYWHERE, token=first["accessToken"]))["logoutEverywhere"]["ended"]
    assert ended == 2
    assert await me(api, first["accessToken"]) is None
    assert (await api.refused(EVERYWHERE))[0]["code"] == "UNAUTHENTICATED"


async def test_consent_of_a_verified_address_holds_at_once_and_is_withdrawn(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    await api.ok(UPDATE, {"input": {"phone": "+12025550123"}}, token=token)
    given = [{"channel": "SMS", "granted": True}, {"channel": "EMAIL", "granted": True}]
    answer = (await api.ok(CONSENT, {"consent": given}, token=token))["customerMarketingConsentUpdate"]["consent"]
    assert answer == [{"channel": "EMAIL", "state": "GRANTED"}, {"channel": "SMS", "state": "REQUESTED"}]
    taken_back = [{"channel": "EMAIL", "granted": False}]
    answer = (await api.ok(CONSENT, {"consent": taken_back}, token=token))["customerMarketingConsentUpdate"]["consent"]
    assert answer[0]["state"] == "REVOKED"
    read = (await api.ok("{ me { marketingConsent { channel state } } }", token=token))["me"]["marketingConsent"]
    assert read == answer
    at_sign_in = LOGIN.replace("accessToken", "customer { marketingConsent { channel state } }", 1)
    given_in = {"input": {"email": ADA, "password": PASSWORD}}
    assert (await api.ok(at_sign_in, given_in))["customerLogin"]["customer"]["marketingConsent"] == answer, "at sign-in"
    twice = await api.refused(CONSENT, {"consent": taken_back * 2}, token=token)
    assert twice[0]["field"] == ["consent", "1", "channel"]


async def test_deleting_takes_the_password_and_leaves_no_account(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    refused = await api.refused(DELETE, {"password": OTHER_PASSWORD}, token=token)
    assert refused[0]["code"] == "INVALID_CREDENTIALS"
    assert await me(api, token) is not None
    await api.ok(DELETE, {"password": PASSWORD}, token=token)
    assert await me(api, token) is None
    assert codes(await login(api, ADA)) == ["INVALID_CREDENTIALS"]
    assert await db.fetchval("SELECT count(*) FROM profiles WHERE email IS NOT NULL") == 0
    assert await db.fetchval("SELECT count(*) FROM privacy_requests") == 1


async def test_an_account_without_a_password_acts_shortly_after_signing_in(api: Api, drain: Drain) -> None:
    await sign_up(api, ADA)
    await api.ok(LINK_SEND, {"email": ADA})
    await drain()
    link = (await account_mails.last(ADA, "account_sign_in")).token
    token = (await api.ok(LINK, {"token": link}))["customerSignInWithLink"]["accessToken"]
    assert (await me(api, token) or {})["hasPassword"] is False
    await db.execute("UPDATE sessions SET created_at = created_at - interval '16 minutes'")
    for document in (DELETE, PASSWORD_UPDATE):
        refused = await api.refused(document, {"new": OTHER_PASSWORD}, token=token)
        assert refused[0]["code"] == "SIGN_IN_AGAIN"
    await db.execute("UPDATE sessions SET created_at = clock_timestamp()")
    await api.ok(PASSWORD_UPDATE, {"new": OTHER_PASSWORD}, token=token)
    assert codes(await login(api, ADA, OTHER_PASSWORD)) == []
