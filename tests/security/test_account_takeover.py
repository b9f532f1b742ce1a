"""Ways to get at somebody else's account: made before them, by a link, by a token, by their address."""

from collections.abc import Awaitable, Callable

import pytest
from argon2 import PasswordHasher

from app import db
from app.accounts import links as account_links
from app.keys import keyring
from app.kit import ids
from app.sessions import passwords
from app.settings import get_settings
from tests.api.account_operations import (
    CONSENT,
    CREATE,
    EMAIL_CONFIRM,
    EMAIL_UPDATE,
    LINK,
    LINK_SEND,
    OTHER_PASSWORD,
    PASSWORD,
    REFRESH,
    RESET,
    RESET_SEND,
    SESSION_REVOKE,
    VERIFY,
    codes,
    login,
    me,
    sign_up,
    verified,
)
from tests.client import Api
from tests.factories import account_mails, accounts, staff
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
ADA, EVE = "ada@example.com", "eve@example.com"
EVES_PASSWORD = "eve knows this one"


@pytest.fixture(autouse=True)
async def shop(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    await shops.shop()


async def link(to: str, template: str) -> str:
    return (await account_mails.last(to, template)).token


# --- accounts that were made before their owner came ------------------------------------------------------------------


async def test_whoever_verifies_a_strangers_claim_shuts_the_stranger_out(api: Api, drain: Drain) -> None:
    eves = (await sign_up(api, ADA, EVES_PASSWORD))["accessToken"]
    await drain()
    token = await link(ADA, "account_verify_email")
    assert codes((await api.query(VERIFY, {"token": token})).data["customerEmailVerify"]) == ["REQUIRED"]  # type: ignore[index]
    assert (await me(api, eves) or {})["emailVerified"] is False
    answer = (await api.ok(VERIFY, {"token": token, "password": PASSWORD}))["customerEmailVerify"]
    assert (await me(api, answer["accessToken"]) or {})["email"] == ADA
    assert await me(api, eves) is None
    assert codes(await login(api, ADA, EVES_PASSWORD)) == ["INVALID_CREDENTIALS"]
    assert codes(await login(api, ADA, PASSWORD)) == []


@pytest.mark.parametrize(("send", "template", "use"), [
    (RESET_SEND, "account_reset_password", RESET), (LINK_SEND, "account_sign_in", LINK),
])  # fmt: skip
async def test_so_do_a_new_password_and_a_link_to_sign_in(
    api: Api, drain: Drain, send: str, template: str, use: str
) -> None:
    eves = await sign_up(api, ADA, EVES_PASSWORD)
    await api.ok(send, {"email": ADA})
    await drain()
    variables = {"token": await link(ADA, template)} | ({"password": PASSWORD} if use is RESET else {})
    (answer,) = (await api.ok(use, variables)).values()
    assert answer["customer"]["emailVerified"] is True
    assert await me(api, eves["accessToken"]) is None
    assert (await api.refused(REFRESH, {"token": eves["refreshToken"]}))[0]["code"] == "INVALID_TOKEN"
    assert codes(await login(api, ADA, EVES_PASSWORD)) == ["INVALID_CREDENTIALS"]


async def test_every_other_claim_goes_when_one_is_verified(api: Api, drain: Drain) -> None:
    eves = (await sign_up(api, ADA, EVES_PASSWORD))["accessToken"]
    await drain()
    eves_link = await link(ADA, "account_verify_email")
    await verified(api, drain, ADA)
    assert await me(api, eves) is None
    assert codes(await login(api, ADA, EVES_PASSWORD)) == ["INVALID_CREDENTIALS"]
    assert (await api.refused(VERIFY, {"token": eves_link, "password": EVES_PASSWORD}))[0]["code"] == "INVALID_LINK"
    assert await db.fetchval("SELECT count(*) FROM customers") == 1


async def test_a_claim_made_later_sees_and_does_nothing_of_the_account(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    profile_id = await db.fetchval("SELECT profile_id FROM customers")
    await db.execute("UPDATE profiles SET first_name = 'Augusta', phone = '+442079460018' WHERE id = $1", profile_id)
    eves = (await sign_up(api, ADA, EVES_PASSWORD))["accessToken"]
    await drain()
    seen = await me(api, eves)
    assert seen is not None
    assert (seen["firstName"], seen["phone"], seen["emailVerified"]) == (None, None, False)
    account = ids.encode("cus", await db.fetchval("SELECT id FROM customers WHERE email_verified_at IS NOT NULL"))
    assert (await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": account}, token=eves))["node"] is None
    given = [{"channel": "EMAIL", "granted": True}]
    answer = (await api.ok(CONSENT, {"consent": given}, token=eves))["customerMarketingConsentUpdate"]["consent"]
    assert answer[0]["state"] is None
    assert await db.fetchval("SELECT action FROM consents") == "REQUESTED"
    await api.ok(CONSENT, {"consent": [{"channel": "EMAIL", "granted": False}]}, token=eves)
    assert await db.fetchval("SELECT count(*) FROM consents") == 1, "a claim withdraws nothing"


async def test_a_link_to_somebody_elses_address_gives_it_to_nobodys_account(api: Api, drain: Drain) -> None:
    """Eve wants Ada to follow a link that makes Ada's address, and her orders, Eve's."""
    eves = await verified(api, drain, EVE, EVES_PASSWORD)
    await api.ok(EMAIL_UPDATE, {"email": ADA, "password": EVES_PASSWORD}, token=eves)
    await drain()
    token = await link(ADA, "account_change_email")
    adas = (await sign_up(api, "ada2@example.com"))["accessToken"]
    assert (await api.refused(EMAIL_CONFIRM, {"token": token}, token=adas))[0]["code"] == "REQUIRED"
    guess = await api.refused(EMAIL_CONFIRM, {"token": token, "password": PASSWORD}, token=adas)
    assert guess[0]["code"] == "INVALID_CREDENTIALS"
    assert (await me(api, eves) or {})["email"] == EVE


# --- tokens where they do not belong ----------------------------------------------------------------------------------


async def test_a_link_of_one_kind_does_nothing_of_another(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    await sign_up(api, EVE, EVES_PASSWORD)
    await api.ok(RESET_SEND, {"email": ADA})
    await api.ok(LINK_SEND, {"email": ADA})
    await api.ok(EMAIL_UPDATE, {"email": "new@example.com", "password": PASSWORD}, token=token)
    await drain()
    links = {
        VERIFY: await link(EVE, "account_verify_email"),
        RESET: await link(ADA, "account_reset_password"),
        LINK: await link(ADA, "account_sign_in"),
        EMAIL_CONFIRM: await link("new@example.com", "account_change_email"),
    }
    before = await db.fetch("SELECT id, email, email_verified_at, password_hash FROM customers ORDER BY id")
    for document in links:
        for other, given in links.items():
            if other is not document:
                variables = {"token": given} | ({} if document is LINK else {"password": OTHER_PASSWORD})
                refused = await api.refused(document, variables, token=token)
                assert refused[0]["code"] == "INVALID_LINK"
    assert await db.fetch("SELECT id, email, email_verified_at, password_hash FROM customers ORDER BY id") == before
    assert await db.fetchval("SELECT count(*) FROM account_tokens WHERE used_at IS NOT NULL") == 1


async def test_tokens_of_customers_staff_and_exchanges_are_not_each_other(api: Api) -> None:
    payload = await sign_up(api, ADA)
    robin = await staff.signed_in(set())
    staff_me = "{ staffMe { id } }"
    assert (await api.query(staff_me, token=robin)).codes == []
    for token in (payload["accessToken"], payload["accessToken"].removeprefix("twc_"), payload["refreshToken"]):
        assert (await api.query(staff_me, token=token)).codes == ["UNAUTHENTICATED"]
    for token in (robin, f"twc_{robin}", payload["refreshToken"], "twc_", "twc_\x00"):
        assert await me(api, token) is None
    assert (await api.refused(REFRESH, {"token": payload["accessToken"]}))[0]["code"] == "INVALID_TOKEN"
    assert await me(api, payload["accessToken"]) is not None


async def test_one_customer_does_nothing_to_another(api: Api) -> None:
    ada, eve = await accounts.signed_in(ADA), await accounts.signed_in(EVE)
    sessions = (await api.ok("{ me { sessions { id } } }", token=ada.token))["me"]["sessions"]
    refused = await api.refused(SESSION_REVOKE, {"id": sessions[0]["id"]}, token=eve.token)
    assert refused[0]["code"] == "NOT_FOUND"
    assert await me(api, ada.token) is not None
    node = "query ($id: ID!) { node(id: $id) { ... on Customer { id email sessions { id } } } }"
    own = {"id": ids.encode("cus", ada.id)}
    assert (await api.ok(node, own, token=eve.token))["node"] is None
    assert (await api.ok(node, own, token=ada.token))["node"]["email"] == ADA


async def test_a_token_that_was_planted_beforehand_stays_what_it_was(api: Api, drain: Drain) -> None:
    planted = (await sign_up(api, ADA, EVES_PASSWORD))["accessToken"]
    adas = (await sign_up(api, "ada@real.example"))["accessToken"]
    payload = await login(api, "ada@real.example", token=planted)
    assert payload["accessToken"] not in {planted, adas}
    assert (await me(api, planted) or {})["email"] == ADA
    assert (await me(api, payload["accessToken"]) or {})["email"] == "ada@real.example"


# --- closed accounts --------------------------------------------------------------------------------------------------


async def test_a_closed_account_is_closed_for_every_token_link_and_password(
    api: Api, drain: Drain, staff_token: str
) -> None:
    token = await verified(api, drain, ADA)
    refresh = (await login(api, ADA))["refreshToken"]
    await api.ok(LINK_SEND, {"email": ADA})
    await drain()
    sign_in = await link(ADA, "account_sign_in")
    account = {"id": (await me(api, token) or {})["id"]}
    close = "mutation ($id: ID!) { customerDisable(id: $id) { customer { active } userErrors { code } } }"
    closed = (await api.ok(close, account, token=staff_token))["customerDisable"]["customer"]
    assert closed == {"active": False}
    assert await me(api, token) is None
    assert (await api.refused(REFRESH, {"token": refresh}))[0]["code"] == "INVALID_TOKEN"
    assert (await api.refused(LINK, {"token": sign_in}))[0]["code"] == "INVALID_LINK"
    assert codes(await login(api, ADA)) == ["ACCOUNT_CLOSED"]
    assert codes(await login(api, ADA, OTHER_PASSWORD)) == ["INVALID_CREDENTIALS"]
    await api.ok(RESET_SEND, {"email": ADA})
    await drain()
    assert "account_reset_password" not in await account_mails.templates(ADA)
    await api.ok(close.replace("Disable", "Enable"), account, token=staff_token)
    assert await me(api, token) is None
    assert (await api.refused(LINK, {"token": sign_in}))[0]["code"] == "INVALID_LINK"
    assert codes(await login(api, ADA)) == []


# --- mails ------------------------------------------------------------------------------------------------------------


async def test_nothing_that_a_client_sends_changes_where_links_lead_or_what_headers_say(api: Api, drain: Drain) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Origin": "https://evil.example"}
    given = {"email": ADA, "password": PASSWORD, "firstName": "Ada\r\nBcc: eve@example.com", "lastName": "{{ shop }}"}
    await api.ok(CREATE, {"input": given}, headers=headers)
    await drain()
    mail = await account_mails.last(ADA, "account_verify_email")
    assert mail.url.startswith("http://testserver/account/verify-email/")
    assert "evil" not in mail.message.as_string()
    assert mail.message["Bcc"] is None
    for email in ("ada@example.com\r\nBcc: eve@example.com", "ada@example.com\n", "ada@exa\rmple.com", 'a"@b@c.de'):
        refused = await api.refused(CREATE, {"input": {"email": email, "password": PASSWORD}})
        assert refused[0]["code"] == "INVALID_EMAIL", email
    assert await db.fetchval("SELECT count(*) FROM customers") == 1


async def test_links_lead_to_the_front_end_where_it_has_a_page(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "https://harbour.example/account/{action}#{token}"
    monkeypatch.setattr(get_settings(), "storefront_account_url", page)
    token = (await sign_up(api, ADA))["accessToken"]
    await drain()
    url = (await account_mails.last(ADA, "account_verify_email")).url
    start, _, rest = url.partition("#")
    assert start == "https://harbour.example/account/verify-email"
    await api.ok(VERIFY, {"token": rest}, token=token)


async def test_links_outlive_a_rotation_of_the_keys(api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    token = (await sign_up(api, ADA))["accessToken"]
    old = get_settings().secret_keys
    await drain()
    sent = await link(ADA, "account_verify_email")
    token_id = await db.fetchval("SELECT id FROM account_tokens")
    keyring.cache_clear()
    monkeypatch.setattr(get_settings(), "secret_keys", ["b3d1c7a95e2f486091d7f3a8c5e04b62" * 2, *old])
    try:
        written_later = await account_links.url_of(token_id)
        assert written_later is not None
        assert written_later.endswith(f"/{sent}")
        await api.ok(VERIFY, {"token": sent}, token=token)
    finally:
        keyring.cache_clear()
