"""Whatever happened on a connection, who takes it next finds nothing of it."""

import asyncio
import contextlib
import random

import asyncpg
import pytest
from structlog.testing import capture_logs

from app import db
from app.errors import CommonErrorCode, DomainError
from app.kit.postgres_url import connection_arguments
from app.settings import Settings
from tests.patience import patience

pytestmark = pytest.mark.usefixtures("clean_database")


async def all_clean(settings: Settings) -> None:
    """Every connection of the pool can be had at once, is in no transaction, and answers what it is asked."""
    together = asyncio.Barrier(settings.database_pool_max)

    async def look(number: int) -> None:
        async with db.unit_of_work():
            await asyncio.wait_for(together.wait(), patience(10))
            assert await db.fetchval("SELECT $1::int", number) == number
            assert await db.fetchval("SELECT now() > clock_timestamp() - interval '20 seconds'")
            assert await db.fetchval("SELECT count(*) FROM pg_listening_channels()") == 0

    await asyncio.gather(*(look(number) for number in range(settings.database_pool_max)))
    assert await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0


async def ask(number: int) -> int:
    """The number, or minus one where the statement failed."""
    try:
        if number % 5 == 0:
            await db.fetchval("SELECT 1 / (pg_sleep(0.002)::text <> $1::int::text)::int - 1 / ($1 - $1)", number)
        if number % 3 == 0:
            async with db.unit_of_work():
                await db.fetchval("SELECT pg_sleep(0.001)")
                return int(await db.fetchval("SELECT $1::int", number))
        row = await db.fetchrow("SELECT $1::int AS number, pg_sleep(0.002)", number)
        return int(row["number"]) if row else 0
    except asyncpg.DivisionByZeroError:
        return -1


async def test_statements_that_are_cancelled_or_fail_leave_nothing(settings: Settings) -> None:
    generator = random.Random(20261122)
    cancelled = 0
    for start in range(1, 400, 40):
        tasks = [asyncio.create_task(ask(number)) for number in range(start, start + 40)]
        for task in tasks[::2]:
            asyncio.get_running_loop().call_later(generator.uniform(0, 0.02), task.cancel)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for number, answer in zip(range(start, start + 40), answers, strict=True):
            if isinstance(answer, asyncio.CancelledError):
                cancelled += 1
            else:
                assert answer == (-1 if number % 5 == 0 else number)
    assert cancelled > 30, "the cancels came too late to prove anything"
    await all_clean(settings)


async def test_a_connection_that_dies_in_the_middle_is_not_given_to_others(settings: Settings) -> None:
    async def die() -> None:
        async with db.unit_of_work():
            await db.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    for _ in range(settings.database_pool_max + 1):
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
            await die()
    await all_clean(settings)


async def test_what_went_wrong_first_is_what_is_raised_when_the_connection_is_cut(settings: Settings) -> None:
    """Callers tell a refusal from a fault by the error, and a ROLLBACK on a cut connection is one more error."""
    first = DomainError(CommonErrorCode.CONFLICT, "Somebody else was first.")

    async def refuse() -> None:
        async with db.unit_of_work():
            cut = await db.fetchval("SELECT pg_backend_pid()")
            other = await asyncpg.connect(**connection_arguments(settings.database_url))
            try:
                assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", cut)
            finally:
                await other.close()
            raise first

    with capture_logs() as logs, pytest.raises(DomainError) as raised:
        await refuse()
    assert raised.value is first
    assert [note.partition(":")[0] for note in first.__notes__] == ["ROLLBACK failed as well"]
    assert [(one["event"], one["first"]) for one in logs] == [("rollback_failed", "DomainError")]
    await all_clean(settings)


async def test_an_error_that_is_caught_within_a_transaction_is_not_taken_for_a_commit(settings: Settings) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK then, and calls it no error."""
    ran: list[str] = []

    async def go_on() -> None:
        async with db.unit_of_work() as work:
            work.after_commit(lambda: ran.append("after"))
            with contextlib.suppress(asyncpg.DivisionByZeroError):
                await db.execute("SELECT 1 / 0")

    for _ in range(settings.database_pool_max + 1):
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await go_on()
    assert ran == []
    await all_clean(settings)
