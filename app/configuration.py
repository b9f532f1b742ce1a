"""Configuration that every process keeps in memory and that is exact all the same.

A table `configuration_versions` has a number for each part of the configuration (`markets`, `taxes`, …). Triggers on
the part's tables give it a new one with every statement that changes them (`versioned_table` in the migrations); a
number is never used twice, not even after a rollback. Whoever reads something that depends on a part reads its number
in the same statement, which costs no round trip, and asks `Versioned.at` for the configuration with this number: out of
memory nearly always.

    taxes = Versioned("taxes", load_taxes)
    row = await db.fetchrow(f"SELECT …, {VERSIONS} AS versions FROM carts c WHERE c.id = $1", cart_id)
    settings = await taxes.at(versions_of(row["versions"]).get("taxes"))
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import orjson
from tortoise import fields
from tortoise.models import Model

from app import db

T = TypeVar("T")

VERSIONS = "(SELECT json_object_agg(configured.name, configured.version) FROM configuration_versions configured)"
"""SQL of all numbers by name, for any statement; `versions_of` reads it."""
MAX_TRIES = 5


def versions_of(text: str | None) -> dict[str, int]:
    """What `VERSIONS` gave. A part that nobody ever configured is not in it."""
    versions: dict[str, int] = orjson.loads(text) if text else {}
    return versions


def version(name: str) -> str:
    """SQL of the number of one part; null where nobody ever configured it."""
    if not name.replace("_", "").isalpha():
        raise ValueError("a part of the configuration has a name of letters")
    return f"(SELECT configured.version FROM configuration_versions configured WHERE configured.name = '{name}')"


class ConfigurationVersion(Model):
    name = fields.CharField(max_length=32, primary_key=True)
    version = fields.BigIntField()

    class Meta:
        table = "configuration_versions"


class Versioned(Generic[T]):
    """One part of the configuration, and this process's copy of it.

    Args:
        name: of the part, as the triggers on its tables have it.
        load: reads it from the database. What it returns is shared by everybody and must not be changed.
    """

    def __init__(self, name: str, load: Callable[[], Awaitable[T]]) -> None:
        self.name = name
        self._load = load
        self._version_sql = f"SELECT {version(name)}"
        self._kept: tuple[int | None, T] | None = None

    async def at(self, version: int | None) -> T:
        """The configuration with this number, as a statement of the caller's has just read it; a newer one where it
        has changed since."""
        kept = self._kept
        if kept is not None and kept[0] == version:
            return kept[1]
        return (await self._reload(version))[1]

    async def current(self) -> T:
        """The configuration as it is now, for one statement."""
        return (await self.current_with_version())[1]

    async def current_with_version(self) -> tuple[int | None, T]:
        """The same, and its number."""
        version = await db.fetchval(self._version_sql)
        kept = self._kept
        return kept if kept is not None and kept[0] == version else await self._reload(version)

    async def known(self) -> tuple[int | None, T]:
        """What this process knows, with its number; without a statement after the first time. For whoever reads the
        number along with what is built on the guess, and builds it again where the guess was wrong."""
        return self._kept or await self.current_with_version()

    async def _reload(self, version: int | None) -> tuple[int | None, T]:
        """The same number before and after loading: nothing changed in between, so it is what was loaded. Another
        transaction's changes are not seen before its commit, and one's own have a number that nobody else will see if
        they are rolled back."""
        for _ in range(MAX_TRIES):
            loaded = await self._load()
            after = await db.fetchval(self._version_sql)
            if after == version:
                self._kept = (version, loaded)
                return self._kept
            if self._kept is not None and self._kept[0] == after:
                return self._kept
            version = after
        # Changed all the time: right for now, and nothing to keep.
        return version, loaded
