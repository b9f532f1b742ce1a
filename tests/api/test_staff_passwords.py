"""Passwords and sessions of staff: changing, forgetting, and ending what was begun elsewhere."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from app import db
from app.messaging.dev_inbox import list_messages
from app.staff import password_changes, service
from tests.api.staff_operations import LOGIN, ME, codes, staff_rows
from tests.client import Api
from tests.factories import shop, staff

Drain = Callable[[], Awaitable[None]]
OWNER = {"email": "owner@example.com", "password": "a-long-password"}
NEW = "another-long-password"
UPDATE = """mutation ($current: String!, $new: String!) {
    staffPasswordUpdate(currentPassword: $current, newPassword: $new) { userErrors { code field } } }"""
SEND = "mutation ($email: String!) { staffPasswordResetSend(email: $email) { userErrors { code field } } }"
RESET = """mutation ($token: String!, $password: String!) {
    staffPasswordReset(token: $token, password: $password) { userErrors { code field } } }"""
SESSIONS = "{ staffSessions { id current userAgent } }"
REVOKE = "mutation ($id: ID!) { staffSessionRevoke(id: $id) { userErrors { code field } } }"


@pytest.fixture(autouse=True)
async def _owner(api: Api) -> None:
    await shop.shop()
    await service.create_owner(OWNER["email"], "Olive", OWNER["password"])


async def sign_in(api: Api, **more: str) -> str:
    token: str = (await api.ok(LOGIN, {**OWNER, **more}))["staffLogin"]["accessToken"]
    return token


async def mailed_token(api: Api, drain: Drain) -> str:
    await api.ok(SEND, {"email": f" {OWNER['email'].upper()}"})
    await drain()
    mail = (await list_messages(OWNER["email"]))[0]
    url: str = re.findall(r"http\S+/staff/password-reset/[\w.-]+", mail.text)[0]
    return urlsplit(url).path.rpartition("/")[2]


async def test_another_password_ends_every_other_session(api: Api) -> None:
    mine, other = await sign_in(api), await sign_in(api)
    assert await codes(api, UPDATE, {"current": NEW, "new": NEW}, mine) == ["INVALID_CREDENTIALS"]
    assert await codes(api, UPDATE, {"current": OWNER["password"], "new": "short"}, mine) == ["INVALID"]
    await api.ok(ME, token=other)
    await api.ok(UPDATE, {"current": OWNER["password"], "new": NEW}, token=mine)
    await api.ok(ME, token=mine)
    assert (await api.query(ME, token=other)).codes == ["UNAUTHENTICATED"]
    assert await codes(api, LOGIN, OWNER, None) == ["INVALID_CREDENTIALS"]
    await sign_in(api, password=NEW)


async def test_a_mailed_link_sets_a_password_once_and_ends_every_session(api: Api, drain: Drain) -> None:
    session = await sign_in(api)
    token = await mailed_token(api, drain)
    assert await codes(api, RESET, {"token": token, "password": "short"}, None) == ["INVALID"]
    await api.ok(RESET, {"token": token, "password": NEW})
    assert (await api.query(ME, token=session)).codes == ["UNAUTHENTICATED"]
    assert await codes(api, RESET, {"token": token, "password": "a-third-password"}, None) == ["INVALID_LINK"]
    await sign_in(api, password=NEW)


async def test_the_page_changes_nothing_until_its_button_is_pressed(api: Api, drain: Drain) -> None:
    path = f"/staff/password-reset/{await mailed_token(api, drain)}"
    before = await staff_rows()
    assert (await api.http.get(path)).status_code == (await api.http.head(path)).status_code == 200
    assert (await api.http.post(path, data={"password": "short"})).status_code == 422
    assert await staff_rows() == before
    done = await api.http.post(path, data={"password": NEW})
    assert "Your password is set" in done.text
    assert (await api.http.get(path)).status_code == 404
    await sign_in(api, password=NEW)


@pytest.mark.parametrize("ended", ["signed in", "expired", "altered", "of an invitation", "left", "another purpose"])
async def test_a_link_that_is_not_good_sets_nothing(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    if ended == "expired":
        monkeypatch.setattr(password_changes, "RESET_SECONDS", -1)
    token = await mailed_token(api, drain)
    if ended == "signed in":
        await sign_in(api)
    elif ended == "altered":
        token = f"{token[:-2]}xx"
    elif ended == "of an invitation":
        token = "x" * 22
    elif ended == "left":
        await db.execute("UPDATE staff_users SET is_active = false")
    elif ended == "another purpose":
        monkeypatch.setattr(password_changes, "_PURPOSE", "something else")
    before = await staff_rows()
    assert await codes(api, RESET, {"token": token, "password": NEW}, None) == ["INVALID_LINK"]
    assert await staff_rows() == before


async def test_asking_for_a_link_tells_nobody_who_is_on_the_staff(api: Api, drain: Drain) -> None:
    answers = []
    with db.counted_statements() as statements:
        answers.append(await api.ok(SEND, {"email": OWNER["email"]}))
        known = list(statements)
    with db.counted_statements() as statements:
        answers.append(await api.ok(SEND, {"email": "nobody@example.com"}))
        unknown = list(statements)
    assert answers[0] == answers[1]
    assert known == unknown
    await drain()
    assert await list_messages("nobody@example.com") == []


async def test_ones_own_sessions_are_seen_and_ended_one_by_one(api: Api) -> None:
    mine, other, stranger = await sign_in(api), await sign_in(api), await staff.owner()
    shown = (await api.ok(SESSIONS, token=mine))["staffSessions"]
    assert [session["current"] for session in shown] == [False, True]
    assert all("httpx" in session["userAgent"] for session in shown)
    assert await codes(api, REVOKE, {"id": shown[0]["id"]}, stranger) == ["NOT_FOUND"]
    await api.ok(ME, token=other)
    await api.ok(REVOKE, {"id": shown[0]["id"]}, token=mine)
    assert (await api.query(ME, token=other)).codes == ["UNAUTHENTICATED"]
    assert len((await api.ok(SESSIONS, token=mine))["staffSessions"]) == 1
