"""API keys: a machine's way in, with as much as it was given, for as long as it lasts."""

import pytest

from app import db
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import api_keys

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
