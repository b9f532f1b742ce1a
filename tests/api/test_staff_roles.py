"""Roles and colleagues: what they may do, who changes them, and that nobody gets more than they have."""

import pytest

from app import db
from app.kit import ids
from app.staff.permissions import Permission
from tests.api.staff_operations import (
    DEACTIVATE,
    ME,
    REACTIVATE,
    ROLE_CREATE,
    ROLE_DELETE,
    ROLE_UPDATE,
    UPDATE,
    codes,
    my_id,
    role_of,
    staff_rows,
)
from tests.client import Api
from tests.factories import api_keys, staff

ORDERS = "{ orders { nodes { id } } }"
MANAGER = {Permission.STAFF_WRITE, Permission.ORDERS_READ}


async def test_owners_may_do_everything_also_what_their_role_does_not_name(api: Api) -> None:
    me = (await api.ok(ME, token=await staff.owner()))["staffMe"]
    assert me["permissions"] == sorted(permission.value for permission in Permission)
    assert me["role"] == {"name": "Owner", "isOwner": True}


async def test_what_a_role_may_do_holds_from_the_next_request_on(api: Api) -> None:
    owner, clerk = await staff.owner(), await staff.signed_in({Permission.ORDERS_READ})
    await api.ok(ORDERS, token=clerk)
    role = await role_of(await my_id(api, clerk))
    await api.ok(ROLE_UPDATE, {"id": role, "input": {"permissions": []}}, token=owner)
    assert (await api.query(ORDERS, token=clerk)).codes == ["FORBIDDEN"]
    await api.ok(ROLE_UPDATE, {"id": role, "input": {"permissions": ["ORDERS_READ"]}}, token=owner)
    await api.ok(ORDERS, token=clerk)


async def test_a_role_is_made_given_and_deleted_when_nobody_has_it(api: Api) -> None:
    owner, clerk = await staff.owner(), await staff.signed_in(set())
    given = {"name": "Packer", "permissions": ["ORDERS_READ"]}
    role = (await api.ok(ROLE_CREATE, given, token=owner))["staffRoleCreate"]["staffRole"]
    assert (role["name"], role["permissions"], role["isOwner"]) == ("Packer", ["ORDERS_READ"], False)
    assert await codes(api, ROLE_CREATE, {**given, "name": "packer"}, owner) == ["CONFLICT"]
    clerk_id = await my_id(api, clerk)
    former = await role_of(clerk_id)
    changed = await api.ok(UPDATE, {"id": clerk_id, "input": {"roleId": role["id"]}}, token=owner)
    assert changed["staffUpdate"]["staffUser"]["role"]["id"] == role["id"]
    await api.ok(ORDERS, token=clerk)
    assert await codes(api, ROLE_DELETE, {"id": role["id"]}, owner) == ["ROLE_IN_USE"]
    await api.ok(ROLE_DELETE, {"id": former}, token=owner)


async def test_everybody_is_listed_for_those_who_may_change_them(api: Api) -> None:
    tokens = [await staff.signed_in(MANAGER), await staff.signed_in(set()), await staff.signed_in(set())]
    people = [await my_id(api, token) for token in tokens]
    document = """query ($after: String) { staffUsers(first: 2, after: $after) {
        nodes { id } totalCount pageInfo { endCursor hasNextPage } } staffRoles { id } }"""
    first = await api.ok(document, token=tokens[0])
    page = first["staffUsers"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], len(first["staffRoles"])) == (3, True, 3)
    rest = (await api.ok(document, {"after": page["pageInfo"]["endCursor"]}, token=tokens[0]))["staffUsers"]
    assert [node["id"] for node in page["nodes"] + rest["nodes"]] == people


@pytest.mark.parametrize("permission", [Permission.ORDERS_WRITE, Permission.API_KEYS_WRITE])
async def test_nobody_gives_what_they_lack(api: Api, permission: Permission) -> None:
    manager, clerk = await staff.signed_in(MANAGER), await staff.signed_in({Permission.ORDERS_READ})
    more = await role_of(await my_id(api, await staff.signed_in({Permission.ORDERS_READ, permission})))
    clerk_id = await my_id(api, clerk)
    before = await staff_rows()
    created = {"name": "Mine", "permissions": ["ORDERS_READ", permission.value]}
    assert await codes(api, ROLE_CREATE, created, manager) == ["PERMISSION_NOT_HELD"]
    widened = {"id": await role_of(clerk_id), "input": {"permissions": [permission.value]}}
    assert await codes(api, ROLE_UPDATE, widened, manager) == ["PERMISSION_NOT_HELD"]
    given = {"id": clerk_id, "input": {"roleId": more}}
    assert await codes(api, UPDATE, given, manager) == ["PERMISSION_NOT_HELD"]
    assert await staff_rows() == before


async def test_nobody_touches_those_who_may_more(api: Api) -> None:
    manager, owner = await staff.signed_in(MANAGER), await staff.owner()
    stronger = await staff.signed_in({*MANAGER, Permission.SETTINGS_WRITE})
    before = await staff_rows()
    for token in (owner, stronger):
        other = await my_id(api, token)
        role = await role_of(other)
        assert await codes(api, UPDATE, {"id": other, "input": {"name": "Mud"}}, manager) == ["PERMISSION_NOT_HELD"]
        assert await codes(api, DEACTIVATE, {"id": other}, manager) == ["PERMISSION_NOT_HELD"]
        refused = await codes(api, ROLE_UPDATE, {"id": role, "input": {"permissions": []}}, manager)
        assert refused == ["OWNER_ROLE_FIXED" if token is owner else "PERMISSION_NOT_HELD"]
    assert await staff_rows() == before


async def test_nobody_makes_an_owner_but_owners(api: Api) -> None:
    everything = await staff.signed_in(set(Permission))
    owner = await staff.owner()
    clerk = await my_id(api, await staff.signed_in(set()))
    made = {"id": clerk, "input": {"roleId": await role_of(await my_id(api, owner))}}
    assert await codes(api, UPDATE, made, everything) == ["PERMISSION_NOT_HELD"]
    await api.ok(UPDATE, made, token=owner)


async def test_nobody_changes_their_own_role(api: Api) -> None:
    manager, owner = await staff.signed_in(MANAGER), await staff.owner()
    await staff.owner()
    mine, lesser = await my_id(api, manager), await role_of(await my_id(api, await staff.signed_in(set())))
    before = await staff_rows()
    own = {"id": await role_of(mine), "input": {"permissions": ["ORDERS_READ"]}}
    assert await codes(api, ROLE_UPDATE, own, manager) == ["OWN_ROLE"]
    assert await codes(api, ROLE_DELETE, {"id": await role_of(mine)}, manager) == ["OWN_ROLE"]
    for token in (manager, owner):
        me = await my_id(api, token)
        assert await codes(api, UPDATE, {"id": me, "input": {"roleId": lesser}}, token) == ["OWN_ROLE"]
        assert await codes(api, DEACTIVATE, {"id": me}, token) == ["OWN_ROLE"]
    assert await staff_rows() == before


async def test_the_last_owner_stays(api: Api) -> None:
    """Nobody but an owner touches an owner, and nobody themselves."""
    owner, other = await staff.owner(), await staff.owner()
    lesser = await role_of(await my_id(api, await staff.signed_in(set())))
    await api.ok(DEACTIVATE, {"id": await my_id(api, other)}, token=owner)
    last = await my_id(api, owner)
    assert await codes(api, DEACTIVATE, {"id": last}, owner) == ["OWN_ROLE"]
    assert await codes(api, UPDATE, {"id": last, "input": {"roleId": lesser}}, owner) == ["OWN_ROLE"]
    assert (await api.ok(ME, token=owner))["staffMe"]["role"]["isOwner"] is True


async def test_somebody_who_leaves_is_out_at_once_with_keys_and_sessions(api: Api) -> None:
    owner, leaver = await staff.owner(), await staff.signed_in({Permission.ORDERS_READ})
    key = await api_keys.key({Permission.ORDERS_READ})
    leaver_id = await my_id(api, leaver)
    await db.execute("UPDATE api_keys SET created_by_id = $1", ids.decode("staff", leaver_id))
    for token in (leaver, key):
        await api.ok(ORDERS, token=token)
    await api.ok(DEACTIVATE, {"id": leaver_id}, token=owner)
    for token in (leaver, key):
        assert (await api.query(ORDERS, token=token)).codes == ["UNAUTHENTICATED"]
    await api.ok(REACTIVATE, {"id": leaver_id}, token=owner)
    for token in (leaver, key):
        assert (await api.query(ORDERS, token=token)).codes == ["UNAUTHENTICATED"], "what ended stays ended"


async def test_an_id_of_nobody_is_not_found(api: Api) -> None:
    owner, nobody = await staff.owner(), "0" * 32
    assert await codes(api, DEACTIVATE, {"id": f"staff_{nobody}"}, owner) == ["NOT_FOUND"]
    assert await codes(api, ROLE_DELETE, {"id": f"role_{nobody}"}, owner) == ["NOT_FOUND"]
    assert await codes(api, ROLE_DELETE, {"id": f"staff_{nobody}"}, owner) == ["INVALID_ID"]
