"""API keys: a machine's way in, with as much as it was given, for as long as it lasts."""

import pytest

from app import db
from app.staff.permissions import Permission
from tests.api.staff_operations import KEY_CREATE, KEY_REVOKE, codes
from tests.client import Api
from tests.factories import api_keys, staff

ORDERS = "{ orders { nodes { id } } }"
WAREHOUSES = "{ warehouses { id } }"


async def test_a_key_opens_what_it_was_made_for_and_nothing_else(api: Api) -> None:
    key = await api_keys.key({Permission.ORDERS_READ}, maker_may=set(Permission))
    await api.ok(ORDERS, token=key)
    assert (await api.query(WAREHOUSES, token=key)).codes == ["FORBIDDEN"]
    assert (await api.query(ORDERS, token=key[:-1] + "!")).codes == ["UNAUTHENTICATED"]


async def test_an_empty_set_of_permissions_opens_nothing(api: Api) -> None:
    key = await api_keys.key(set(), maker_may=set(Permission))
    assert (await api.query(ORDERS, token=key)).codes == ["FORBIDDEN"]


async def test_a_key_may_not_do_what_its_maker_may_not_any_more(api: Api) -> None:
    key = await api_keys.key({Permission.ORDERS_READ}, maker_may=set())
    assert (await api.query(ORDERS, token=key)).codes == ["FORBIDDEN"]


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE api_keys SET revoked_at = clock_timestamp()",
        "UPDATE api_keys SET expires_at = clock_timestamp()",
        "UPDATE staff_users SET is_active = false",
    ],
)
async def test_an_ended_key_opens_nothing_from_then_on(api: Api, ended: str) -> None:
    key = await api_keys.key({Permission.ORDERS_READ})
    await db.execute("UPDATE api_keys SET expires_at = clock_timestamp() + interval '1 hour'")
    await api.ok(ORDERS, token=key)
    await db.execute(ended)
    assert (await api.query(ORDERS, token=key)).codes == ["UNAUTHENTICATED"]


async def test_no_key_passes_for_a_member_of_staff(api: Api) -> None:
    key = await api_keys.key(set(Permission))
    assert (await api.query("{ staffMe { name } }", token=key)).codes == ["FORBIDDEN"]
    await api.ok(ORDERS, token=key)


async def test_its_last_use_is_known_to_the_hour(api: Api) -> None:
    key = await api_keys.key({Permission.ORDERS_READ})
    await api.ok(ORDERS, token=key)
    assert await db.fetchval("SELECT last_used_at = date_trunc('hour', clock_timestamp()) FROM api_keys")
    with db.counted_statements() as statements:
        await api.ok(ORDERS, token=key)
    assert not [text for text in statements if "UPDATE" in text]


async def test_a_key_is_made_shown_once_and_ended_at_once(api: Api) -> None:
    maker = await staff.signed_in({Permission.API_KEYS_WRITE, Permission.ORDERS_READ})
    made = (await api.ok(KEY_CREATE, {"permissions": ["ORDERS_READ"]}, token=maker))["apiKeyCreate"]
    key, shown = made["key"], made["apiKey"]
    assert key.startswith("twk_")
    assert key.endswith(shown["lastCharacters"])
    await api.ok(ORDERS, token=key)
    listed = (await api.ok("{ apiKeys { id permissions lastUsedAt } }", token=maker))["apiKeys"]
    assert [(one["id"], one["permissions"], bool(one["lastUsedAt"])) for one in listed] == [
        (shown["id"], ["ORDERS_READ"], True)
    ]
    rows = str([dict(row) for row in await db.fetch("SELECT k.*, c.after FROM api_keys k, audit_changes c")])
    assert key not in rows
    assert key.encode().hex() not in rows
    await api.ok(KEY_REVOKE, {"id": shown["id"]}, token=maker)
    assert (await api.query(ORDERS, token=key)).codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"permissions": ["ORDERS_WRITE"]}, "PERMISSION_NOT_HELD"),
        ({"permissions": []}, "REQUIRED"),
        ({"permissions": ["API_KEYS_WRITE"]}, "INVALID"),
        ({"permissions": ["STAFF_WRITE"]}, "INVALID"),
        ({"permissions": ["ORDERS_READ"], "expiresAt": "2020-01-01T00:00:00Z"}, "OUT_OF_RANGE"),
    ],
)
async def test_a_key_that_nobody_should_have_is_not_made(api: Api, given: dict[str, object], code: str) -> None:
    may = {Permission.API_KEYS_WRITE, Permission.STAFF_WRITE, Permission.ORDERS_READ}
    maker = await staff.signed_in(may)
    assert await codes(api, KEY_CREATE, given, maker) == [code]
    assert await db.fetchval("SELECT count(*) FROM api_keys") == 0
