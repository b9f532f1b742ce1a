"""What a process and the database take while something runs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app import db

SAMPLE_SECONDS = 0.05
_MIB = 1024 * 1024


@dataclass(slots=True)
class Watched:
    """Of processes by name, and of the database they use."""

    seconds: float = 0.0
    before_mib: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)
    wal_mib: float = 0.0
    grown_mib: float = 0.0

    def memory(self, name: str) -> str:
        return f"{self.before_mib[name]:.0f} -> {self.peak_mib[name]:.0f}"


def resident_mib(pids: Sequence[int]) -> float:
    """Of the largest of them: a process that ended meanwhile has none."""
    sizes = [0.0]
    for pid in pids:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            sizes.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
    return max(sizes)


@asynccontextmanager
async def watching(**processes: Sequence[int]) -> AsyncIterator[Watched]:
    """Peaks are sampled twenty times a second, so that each phase has its own; the kernel's mark only ever rises."""
    watched = Watched()
    watched.before_mib = {name: resident_mib(pids) for name, pids in processes.items()}
    watched.peak_mib = dict(watched.before_mib)

    async def sample() -> None:
        while True:
            for name, pids in processes.items():
                watched.peak_mib[name] = max(watched.peak_mib[name], resident_mib(pids))
            await asyncio.sleep(SAMPLE_SECONDS)

    wal = await db.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    size = await db.fetchval("SELECT pg_database_size(current_database())")
    started = time.perf_counter()
    sampling = asyncio.create_task(sample())
    try:
        yield watched
    finally:
        watched.seconds = time.perf_counter() - started
        sampling.cancel()
    watched.wal_mib = float(await db.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn") - wal) / _MIB
    watched.grown_mib = (await db.fetchval("SELECT pg_database_size(current_database())") - size) / _MIB
