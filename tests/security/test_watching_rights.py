"""Subscriptions end with the rights of whoever opened them, on a real server."""

import pytest

from app import db
from app.kit.crypto import hash_token
from app.staff.permissions import Permission
from tests.api.test_live_updates import JOB, TRANSPORTS, Watching, by_socket, end_of, nobody_listens, quiet, upcoming
from tests.api.test_sockets import queued_job
from tests.factories import staff
from tests.live_server import LiveServer

ENDED = {
    "the session is revoked": "UPDATE sessions SET revoked_at = clock_timestamp()",
    "the token expires": "UPDATE session_tokens SET expires_at = clock_timestamp()",
    "the member is deactivated": "UPDATE staff_users SET is_active = false",
}


@TRANSPORTS
@pytest.mark.parametrize("statement", ENDED.values(), ids=list(ENDED))
async def test_when_the_token_ends(
    live_server: LiveServer, clean_database: None, watching: Watching, statement: str
) -> None:
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    async with watching(live_server, JOB, {"id": job_id}, token) as updates:
        assert (await upcoming(updates))["status"] == "QUEUED"
        await db.execute(statement)
        assert await upcoming(updates) == ["UNAUTHENTICATED"]
        await end_of(updates)
    await nobody_listens()


@TRANSPORTS
async def test_when_a_permission_is_taken_away(
    live_server: LiveServer, clean_database: None, watching: Watching
) -> None:
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE, Permission.ORDERS_READ}), await queued_job()
    async with watching(live_server, JOB, {"id": job_id}, token) as updates:
        assert (await upcoming(updates))["status"] == "QUEUED"
        await db.execute("UPDATE staff_roles SET permissions = array_remove(permissions, 'PRODUCTS_WRITE')")
        assert await upcoming(updates) == ["FORBIDDEN"]
        await end_of(updates)
    await nobody_listens()


async def test_what_others_lose_ends_nothing(live_server: LiveServer, clean_database: None) -> None:
    token, job_id = await staff.signed_in({Permission.PRODUCTS_WRITE}), await queued_job()
    other = await staff.signed_in({Permission.PRODUCTS_WRITE})
    async with by_socket(live_server, JOB, {"id": job_id}, token) as updates:
        await upcoming(updates)
        await db.execute("DELETE FROM session_tokens WHERE token_hash = $1", hash_token(other))
        await quiet(updates)
