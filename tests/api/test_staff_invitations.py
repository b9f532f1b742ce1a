"""Inviting colleagues: a mailed link that is good once, and no longer than whoever sent it may send it."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from app import db
from app.kit import ids
from app.messaging.dev_inbox import list_messages
from app.settings import get_settings
from app.staff.permissions import Permission
from tests.api.staff_operations import ACCEPT, DEACTIVATE, INVITE, LOGIN, ME, codes, my_id, role_of, staff_rows
from tests.client import Api
from tests.factories import shop, staff

Drain = Callable[[], Awaitable[None]]
NELL = "nell@example.com"
PASSWORD = "a-long-password"
MANAGER = {Permission.STAFF_WRITE, Permission.ORDERS_READ}
REVOKE = "mutation ($id: ID!) { staffInvitationRevoke(id: $id) { userErrors { code field } } }"


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def invited(api: Api, drain: Drain, token: str, role: str | None = None) -> tuple[str, str]:
    """The invitation's id, and the address in its mail."""
    role = role or await role_of(await my_id(api, await staff.signed_in({Permission.ORDERS_READ})))
    made = await api.ok(INVITE, {"email": f" {NELL.title()} ", "role": role}, token=token)
    await drain()
    mail = (await list_messages(NELL))[0]
    (url,) = set(re.findall(r"http\S+/staff/invitation/[\w-]+", mail.text))
    assert url in (mail.html or "")
    return made["staffInvite"]["staffInvitation"]["id"], url


def token_in(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


async def test_an_invited_colleague_joins_once_and_is_what_the_invitation_says(api: Api, drain: Drain) -> None:
    owner = await staff.owner()
    _, url = await invited(api, drain, owner)
    given = {"token": token_in(url), "password": PASSWORD}
    access = (await api.ok(ACCEPT, given))["staffInvitationAccept"]["accessToken"]
    me = (await api.ok(ME, token=access))["staffMe"]
    assert (me["email"], me["name"], me["permissions"]) == (NELL, "Nell", ["ORDERS_READ"])
    await api.ok(LOGIN, {"email": NELL, "password": PASSWORD})
    before = await staff_rows()
    assert await codes(api, ACCEPT, given, None) == ["INVALID_LINK"]
    assert await staff_rows() == before
    stored = await db.fetchval("SELECT token_hash FROM staff_invitations")
    assert token_in(url).encode() not in bytes(stored)


async def test_the_page_changes_nothing_until_its_button_is_pressed(api: Api, drain: Drain) -> None:
    _, url = await invited(api, drain, await staff.owner())
    before = await staff_rows()
    page = await api.http.get(urlsplit(url).path)
    assert page.status_code == 200
    assert NELL in page.text
    assert (await api.http.head(urlsplit(url).path)).status_code == 200
    assert await staff_rows() == before
    refused = await api.http.post(urlsplit(url).path, data={"password": "short"})
    assert refused.status_code == 422
    assert "10 to 256 characters" in refused.text
    assert await staff_rows() == before
    joined = await api.http.post(urlsplit(url).path, data={"password": PASSWORD, "name": "Nell <b>"})
    assert joined.status_code == 200
    assert "You have joined" in joined.text
    await api.ok(LOGIN, {"email": NELL, "password": PASSWORD})
    assert (await api.http.get(urlsplit(url).path)).status_code == 404


async def test_a_link_of_the_dashboard_takes_the_pages_place(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_settings(), "staff_url", "https://desk.example/{action}#{token}")
    owner = await staff.owner()
    await api.ok(INVITE, {"email": NELL, "role": await role_of(await my_id(api, owner))}, token=owner)
    await drain()
    (mail,) = await list_messages(NELL)
    assert re.search(r"https://desk\.example/invitation#[\w-]{20,}", mail.text)


async def test_ended_replaced_and_expired_links_are_worthless(api: Api, drain: Drain) -> None:
    owner = await staff.owner()
    role = await role_of(await my_id(api, owner))
    replaced = token_in((await invited(api, drain, owner, role))[1])
    invitation_id, url = await invited(api, drain, owner, role)
    assert await codes(api, ACCEPT, {"token": replaced, "password": PASSWORD}, None) == ["INVALID_LINK"]
    await api.ok(REVOKE, {"id": invitation_id}, token=owner)
    assert await codes(api, REVOKE, {"id": invitation_id}, owner) == ["NOT_FOUND"]
    assert await codes(api, ACCEPT, {"token": token_in(url), "password": PASSWORD}, None) == ["INVALID_LINK"]
    _, url = await invited(api, drain, owner, role)
    await db.execute("UPDATE staff_invitations SET expires_at = clock_timestamp()")
    assert await codes(api, ACCEPT, {"token": token_in(url), "password": PASSWORD}, None) == ["INVALID_LINK"]
    assert await db.fetchval("SELECT count(*) FROM staff_users WHERE email = $1", NELL) == 0


async def test_nobody_invites_to_more_than_they_have(api: Api) -> None:
    manager, owner = await staff.signed_in(MANAGER), await staff.owner()
    before = await staff_rows()
    for role in (await role_of(await my_id(api, owner)), await role_of(await my_id(api, await staff.owner()))):
        assert await codes(api, INVITE, {"email": NELL, "role": role}, manager) == ["PERMISSION_NOT_HELD"]
    assert [row for row in await staff_rows() if row in before] == before
    assert await db.fetchval("SELECT count(*) FROM staff_invitations") == 0
    assert await db.fetchval("SELECT count(*) FROM events WHERE type LIKE 'staff.%'") == 0


@pytest.mark.parametrize("fall", ["demoted", "deactivated"])
async def test_an_invitation_falls_with_whoever_sent_it(api: Api, drain: Drain, fall: str) -> None:
    """Or somebody who is about to lose their rights would let themselves in again."""
    owner, manager = await staff.owner(), await staff.signed_in(MANAGER)
    sender = await my_id(api, manager)
    _, url = await invited(api, drain, manager)
    if fall == "demoted":
        role = ids.decode("role", await role_of(sender))
        await db.execute("UPDATE staff_roles SET permissions = '{STAFF_WRITE}' WHERE id = $1", role)
    else:
        await api.ok(DEACTIVATE, {"id": sender}, token=owner)
    assert await codes(api, ACCEPT, {"token": token_in(url), "password": PASSWORD}, None) == ["INVALID_LINK"]
    assert await db.fetchval("SELECT count(*) FROM staff_users WHERE email = $1", NELL) == 0


async def test_who_is_on_the_staff_is_not_invited_again(api: Api) -> None:
    owner = await staff.owner()
    await staff.signed_in(set(), NELL)
    given = {"email": NELL.upper(), "role": await role_of(await my_id(api, owner))}
    assert await codes(api, INVITE, given, owner) == ["CONFLICT"]
    assert await codes(api, INVITE, {**given, "email": "nobody"}, owner) == ["INVALID_EMAIL"]


async def test_an_invitation_that_ended_before_it_was_sent_is_not_sent(api: Api, drain: Drain) -> None:
    owner = await staff.owner()
    made = await api.ok(INVITE, {"email": NELL, "role": await role_of(await my_id(api, owner))}, token=owner)
    await api.ok(REVOKE, {"id": made["staffInvite"]["staffInvitation"]["id"]}, token=owner)
    await drain()
    assert await list_messages(NELL) == []
