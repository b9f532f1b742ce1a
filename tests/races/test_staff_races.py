"""Staff changing each other, and using the same code or link, at the same moment."""

import asyncio
import contextvars
from typing import Any

import pytest

from app import db
from app.staff import authority, invitations, limits, service
from app.staff.permissions import Permission
from tests.api.staff_operations import ACCEPT, DEACTIVATE, INVITE, KEY_CREATE, LOGIN, UPDATE, my_id, role_of
from tests.api.test_staff_second_factor import OWNER, switched_on
from tests.client import Api
from tests.factories import shop, staff

AT_ONCE = 6


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def outcomes(api: Api, *asked: tuple[str, dict[str, Any], str | None]) -> list[list[str]]:
    """The refusals of each, all asked at once."""
    answers = await asyncio.gather(*(api.query(document, given, token=token) for document, given, token in asked))
    return sorted(
        [error["code"] for payload in (answer.data or {}).values() for error in payload["userErrors"]]
        for answer in answers
    )


async def owners() -> int:
    found: int = await db.fetchval(
        "SELECT count(*) FROM staff_users u JOIN staff_roles r ON r.id = u.role_id WHERE r.is_owner AND u.is_active"
    )
    return found


@pytest.mark.parametrize("how", ["demote", "deactivate"])
async def test_of_owners_who_shut_each_other_out_one_stays(api: Api, how: str) -> None:
    tokens = [await staff.owner() for _ in range(4)]
    people = [await my_id(api, token) for token in tokens]
    lesser = await role_of(await my_id(api, await staff.signed_in(set())))
    asked: list[tuple[str, dict[str, Any], str | None]] = []
    for mine, token in enumerate(tokens):
        for other in people[:mine] + people[mine + 1 :]:
            given = {"id": other, "input": {"roleId": lesser}} if how == "demote" else {"id": other}
            asked.append((UPDATE if how == "demote" else DEACTIVATE, given, token))
    await outcomes(api, *asked)
    assert await owners() >= 1


async def test_two_owners_who_demote_each_other_leave_one(api: Api) -> None:
    first, second = await staff.owner(), await staff.owner()
    lesser = {"roleId": await role_of(await my_id(api, await staff.signed_in(set())))}
    refused = await outcomes(
        api,
        (UPDATE, {"id": await my_id(api, second), "input": lesser}, first),
        (UPDATE, {"id": await my_id(api, first), "input": lesser}, second),
    )
    assert refused == [[], ["FORBIDDEN"]]
    assert await owners() == 1


async def test_rights_that_are_being_taken_away_are_not_given_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard let them in, and then somebody else's change was committed first."""
    maker = await staff.signed_in({Permission.API_KEYS_WRITE, Permission.ORDERS_READ})
    taken = "UPDATE staff_roles SET permissions = '{API_KEYS_WRITE}' WHERE permissions @> '{API_KEYS_WRITE}'"
    waiting = authority.lock

    async def lock() -> None:
        await waiting()
        await asyncio.get_running_loop().create_task(db.execute(taken), context=contextvars.Context())

    monkeypatch.setattr(authority, "lock", lock)
    refused = await outcomes(api, (KEY_CREATE, {"permissions": ["ORDERS_READ"]}, maker))
    assert refused == [["PERMISSION_NOT_HELD"]]
    assert await db.fetchval("SELECT count(*) FROM api_keys") == 0


async def test_one_code_at_once_opens_one_session(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CODES_PER_CLIENT", 100)
    await service.create_owner(OWNER["email"], "Olive", OWNER["password"])
    token = (await api.ok(LOGIN, OWNER))["staffLogin"]["accessToken"]
    phone, recovery = await switched_on(api, token)
    for code in (await phone.code(), recovery[0]):
        refused = await outcomes(api, *[(LOGIN, {**OWNER, "otp": code}, None)] * 4)
        assert refused == [[]] + [["SECOND_FACTOR_INVALID"]] * 3


async def test_one_invitation_accepted_at_once_makes_one_colleague(api: Api) -> None:
    owner = await staff.owner()
    role = await role_of(await my_id(api, await staff.signed_in(set())))
    await api.ok(INVITE, {"email": "nell@example.com", "role": role}, token=owner)
    row = await db.fetchrow("SELECT id, token_hash FROM staff_invitations")
    assert row is not None
    given = {"token": invitations.token_of(row["id"], row["token_hash"]), "password": "a-long-password"}
    refused = await outcomes(api, *[(ACCEPT, given, None)] * 3)
    assert refused == [[], ["INVALID_LINK"], ["INVALID_LINK"]]
    assert await db.fetchval("SELECT count(*) FROM staff_users WHERE email = 'nell@example.com'") == 1


async def test_invitations_of_one_address_at_once_leave_one_open(api: Api) -> None:
    owner = await staff.owner()
    given = {"email": "nell@example.com", "role": await role_of(await my_id(api, owner))}
    refused = await outcomes(api, *[(INVITE, given, owner)] * AT_ONCE)
    assert refused == [[]] * AT_ONCE
    assert await db.fetchval("SELECT count(*) FROM staff_invitations WHERE revoked_at IS NULL") == 1
