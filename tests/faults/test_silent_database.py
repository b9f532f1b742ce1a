"""A database that neither answers nor hangs up: its machine is gone, or the network to it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest

from app.dev.servers import embedded_postgres
from app.web import health
from tests.faults.processes import until
from tests.live_server import LiveServer
from tests.patience import patience

pytestmark = [pytest.mark.long, pytest.mark.faults]

QUERY = {"query": "{ shop { name } }"}


@contextmanager
def silent(postmaster: int) -> Iterator[None]:
    """PostgreSQL, all of its processes stopped."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    pids = [postmaster, *map(int, children)]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def postmaster_of(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        backend: int = await connection.fetchval("SELECT pg_backend_pid()")
        return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    finally:
        await connection.close()


@pytest.mark.usefixtures("settings")
async def test_nobody_waits_for_ever_and_all_is_well_again_after_it(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "postgres", durable=False) as url:
        migrated = {**os.environ, "DATABASE_URL": url}
        subprocess.run(
            [sys.executable, "-m", "app.cli", "migrate"], env=migrated, check=True, stdout=subprocess.DEVNULL
        )
        postmaster = await postmaster_of(url)
        with LiveServer(DATABASE_URL=url, STATEMENT_TIMEOUT_SECONDS="2", LOG_LEVEL="CRITICAL") as server:
            async with httpx2.AsyncClient(base_url=server.url, timeout=patience(30)) as client:
                assert (await client.post("/graphql", json=QUERY)).json()["data"]

                async def is_ready() -> bool:
                    return (await client.get("/health/ready")).status_code == 200

                # Asked before, so that its connection is there already when the server falls silent.
                await until(is_ready, 10, "it is ready")
                await asyncio.sleep(health.KEPT_SECONDS)
                with silent(postmaster):
                    ready = await client.get("/health/ready")
                    assert (ready.status_code, ready.json()["database"]) == (503, "unavailable")
                    answer = (await client.post("/graphql", json=QUERY)).json()
                    assert answer["errors"][0]["extensions"]["code"] == "TIMEOUT"
                assert (await client.post("/graphql", json=QUERY)).json()["data"]
                await until(is_ready, 10, "it is ready again")
