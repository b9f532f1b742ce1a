"""Empty tables for every test: what one leaves is some rows in a few of a hundred tables."""

import contextlib

import asyncpg

KEPT = {"tortoise_migrations"}


class Tables:
    """The tables of one database. A connection of its own keeps the plans of the statements that empty them, and may
    leave foreign keys and triggers aside."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: asyncpg.Connection | None = None

    async def empty(self) -> None:
        """TRUNCATE would make new files for every table and index; DELETE takes half a millisecond in all."""
        with contextlib.suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
            return await self._empty()
        # Somebody cut the connection: that is what some tests are about.
        self._connection = None
        await self._empty()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close(timeout=5)

    async def _empty(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._open()
        await self._connection.execute("SELECT pg_temp.empty_tables()")

    async def _open(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(self._url, server_settings={"session_replication_role": "replica"})
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        deletes = "\n".join(
            f'IF EXISTS (SELECT FROM "{row["tablename"]}") THEN DELETE FROM "{row["tablename"]}"; END IF;'
            for row in rows
            if row["tablename"] not in KEPT
        )
        await connection.execute(
            f"""
            CREATE FUNCTION pg_temp.empty_tables() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                {deletes}
                IF (SELECT is_called FROM order_numbers) THEN ALTER SEQUENCE order_numbers RESTART; END IF;
            END $$
            """
        )
        return connection
