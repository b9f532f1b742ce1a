"""What the shop's processes and its database take, minute by minute."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app import db

LOOK_EVERY_SECONDS = 1.0
_MIB = 1024 * 1024
_LONGEST_LOCK_WAIT = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8 FROM pg_locks WHERE NOT granted
"""
_STATE = """
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(coalesce(leased_until, created_at))), 0)::float8
            FROM events WHERE acknowledged_at IS NULL AND coalesce(leased_until, created_at) < clock_timestamp()
           ) AS oldest_due_seconds,
           (SELECT count(*) FROM dead_letters) AS dead_letters,
           pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal_bytes,
           pg_database_size(current_database()) AS size_bytes
"""


@dataclass(slots=True)
class Minute:
    memory_mib: dict[str, float]
    connections: int
    lock_wait_seconds: float
    oldest_due_seconds: float
    dead_letters: int
    wal_mib: float
    size_mib: float


@dataclass(slots=True)
class Watch:
    """`pids`: the first process of each part; what it started counts with it."""

    pids: Mapping[str, int]
    _lock_wait_seconds: float = 0.0
    _wal_bytes: int = 0
    minutes: list[Minute] = field(default_factory=list)

    async def note_minute(self) -> Minute:
        row = await db.fetchrow(_STATE)
        assert row is not None
        wal = int(row["wal_bytes"])
        minute = Minute(
            {name: proportional_mib(pid) for name, pid in self.pids.items()},
            row["connections"],
            self._lock_wait_seconds,
            row["oldest_due_seconds"],
            row["dead_letters"],
            (wal - self._wal_bytes) / _MIB if self._wal_bytes else 0.0,
            row["size_bytes"] / _MIB,
        )
        self._lock_wait_seconds, self._wal_bytes = 0.0, wal
        self.minutes.append(minute)
        return minute

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        async def look() -> None:
            while True:
                self._lock_wait_seconds = max(self._lock_wait_seconds, await db.fetchval(_LONGEST_LOCK_WAIT))
                await asyncio.sleep(LOOK_EVERY_SECONDS)

        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    def trend_mib_an_hour(self, name: str) -> float:
        """Slope of the line through the second half of the minutes: the first fills caches and pools."""
        sizes = [minute.memory_mib[name] for minute in self.minutes[len(self.minutes) // 2 :]]
        if len(sizes) < 2:
            return 0.0
        middle, mean = (len(sizes) - 1) / 2, sum(sizes) / len(sizes)
        rise = sum((place - middle) * (size - mean) for place, size in enumerate(sizes))
        return 60 * rise / sum((place - middle) ** 2 for place in range(len(sizes)))


def proportional_mib(pid: int) -> float:
    """Of a process and all that came of it; memory that several share is counted once."""
    kilobytes = 0
    for one in _with_descendants(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text()
            kilobytes += int(lines.partition("\nPss:")[2].split()[0])
    return kilobytes / 1024


def _with_descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            found += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    return found
