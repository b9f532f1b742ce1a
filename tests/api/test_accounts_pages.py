"""The pages behind mailed links, for shops whose front end has none: a button that posts, and nothing before it."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher

from app import db
from app.sessions import passwords
from tests.api.account_operations import (
    EMAIL_UPDATE,
    LINK_SEND,
    OTHER_PASSWORD,
    PASSWORD,
    RESET_SEND,
    codes,
    login,
    me,
    sign_up,
    verified,
)
from tests.client import Api
from tests.factories import account_mails
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
ADA = "ada@example.com"


@pytest.fixture(autouse=True)
async def shop(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    await shops.shop()


async def path_of(to: str, template: str) -> str:
    return urlsplit((await account_mails.last(to, template)).url).path


async def state() -> list[Any]:
    customers = await db.fetch("SELECT id, email, email_verified_at, password_hash FROM customers")
    return [
        *customers,
        *await db.fetch("SELECT id, used_at FROM account_tokens"),
        *await db.fetch("SELECT id FROM sessions"),
    ]


async def test_opening_a_link_changes_nothing_and_pressing_the_button_verifies(api: Api, drain: Drain) -> None:
    await sign_up(api, ADA)
    await drain()
    path = await path_of(ADA, "account_verify_email")
    before = await state()
    for method in ("GET", "HEAD", "GET"):
        opened = await api.http.request(method, path)
        assert opened.status_code == 200
    assert "Confirm my address" in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    assert "form-action 'self'" in opened.headers["Content-Security-Policy"]
    missing = await api.http.post(path)
    assert (missing.status_code, "Enter the password." in missing.text) == (422, True)
    assert await state() == before
    done = await api.http.post(path, data={"password": PASSWORD})
    assert "Your address is confirmed" in done.text
    assert await db.fetchval("SELECT email_verified_at IS NOT NULL FROM customers")
    assert await db.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 1
    again = await api.http.post(path, data={"password": PASSWORD})
    assert (again.status_code, "This link does not work" in again.text) == (404, True)


async def test_a_new_password_is_chosen_on_its_page(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    await api.ok(RESET_SEND, {"email": ADA})
    await drain()
    path = await path_of(ADA, "account_reset_password")
    weak = await api.http.post(path, data={"password": "short"})
    assert (weak.status_code, "10 to 256 characters" in weak.text) == (422, True)
    assert "Your password is changed" in (await api.http.post(path, data={"password": OTHER_PASSWORD})).text
    assert codes(await login(api, ADA, OTHER_PASSWORD)) == []


async def test_the_page_to_sign_in_shows_a_key_that_works(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    await api.ok(LINK_SEND, {"email": ADA})
    await drain()
    path = await path_of(ADA, "account_sign_in")
    assert "twc_" not in (await api.http.get(path)).text
    shown = (await api.http.post(path)).text
    token = shown.partition("<code>")[2].partition("</code>")[0]
    assert (await me(api, token) or {})["email"] == ADA


async def test_a_new_address_takes_the_password_on_its_page(api: Api, drain: Drain) -> None:
    token = await verified(api, drain, ADA)
    await api.ok(EMAIL_UPDATE, {"email": "new@example.com", "password": PASSWORD}, token=token)
    await drain()
    path = await path_of("new@example.com", "account_change_email")
    wrong = await api.http.post(path, data={"password": OTHER_PASSWORD})
    assert (wrong.status_code, "The password is wrong." in wrong.text) == (422, True)
    await api.http.post(path, data={"password": PASSWORD})
    assert (await me(api, token) or {})["email"] == "new@example.com"


@pytest.mark.parametrize("token", ["x", "%00", "..%2f..%2fetc", "x" * 3000, "%C3%BC"])
async def test_a_link_that_was_never_made_does_not_work(api: Api, token: str) -> None:
    for action in ("verify-email", "reset-password", "sign-in", "change-email"):
        for method in ("GET", "POST"):
            answer = await api.http.request(method, f"/account/{action}/{token}")
            assert answer.status_code == 404
            assert "Traceback" not in answer.text
