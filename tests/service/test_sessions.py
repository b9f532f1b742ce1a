"""Sessions over time: what is left of those that ended."""

import asyncio

import pytest

from app import db
from app.errors import DomainError
from app.kit.ids import new_id
from app.sessions import service as sessions

pytestmark = pytest.mark.usefixtures("clean_database")


async def opened() -> sessions.TokenPair:
    return await sessions.open_session(sessions.STAFF, new_id())


async def left() -> tuple[int, int]:
    row = await db.fetchrow("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM session_tokens)")
    assert row is not None
    return tuple(row.values())


async def test_what_ended_a_week_ago_is_forgotten_and_what_lives_stays() -> None:
    ended, revoked, living = [await opened() for _ in range(3)]
    ids = [row["id"] for row in await db.fetch("SELECT id FROM sessions ORDER BY id")]
    await db.execute("UPDATE sessions SET expires_at = clock_timestamp() - interval '8 days' WHERE id = $1", ids[0])
    await db.execute("UPDATE sessions SET revoked_at = clock_timestamp() - interval '8 days' WHERE id = $1", ids[1])
    await db.execute(
        "UPDATE session_tokens SET expires_at = clock_timestamp() - interval '8 days' "
        "WHERE session_id = $1 AND kind = 'access'",
        ids[2],
    )
    await sessions.forget_old()
    assert await left() == (1, 1)
    assert (await sessions.refresh(living.refresh_token)).access_token
    for gone in (ended, revoked):
        with pytest.raises(DomainError):
            await sessions.refresh(gone.refresh_token)


async def test_two_exchanges_of_one_token_at_once_give_one_pair_and_end_the_session() -> None:
    pair = await opened()
    answers = await asyncio.gather(*(sessions.refresh(pair.refresh_token) for _ in range(5)), return_exceptions=True)
    pairs = [answer for answer in answers if isinstance(answer, sessions.TokenPair)]
    assert len(pairs) == 1
    assert all(isinstance(answer, DomainError) for answer in answers if answer not in pairs)
    with pytest.raises(DomainError):
        await sessions.refresh(pairs[0].refresh_token)
    assert await db.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 0
