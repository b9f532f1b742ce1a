"""What importing and exporting a large catalogue takes on this machine.

    python -m benchmarks.catalogue [--variants 50000] [--file products.csv] [--seed 20261122]

The shop's real API and worker processes, and a database that keeps its promises to the disk. The file goes to
`POST /uploads`, the job is asked for and watched over GraphQL, the export is fetched by its link.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app import cache, db
from app.dev.servers import embedded_postgres, embedded_valkey
from app.settings import get_settings
from app.staff import service as staff
from benchmarks.catalogue.asking import Staff
from benchmarks.catalogue.digesting import digests
from benchmarks.catalogue.generating import write
from benchmarks.catalogue.watching import Watched, watching
from benchmarks.flows.working import Workers, shop_workers
from benchmarks.serving import Server, served

EMAIL = "owner@benchmark.example"
PASSWORD = "a-password-for-a-benchmark"
_MIB = 1024 * 1024
HEADER = """\
| {variants:,} variants, {products:,} products | seconds | variants/s | API, MiB | worker, MiB | WAL, MiB | grown, MiB |
|---|---:|---:|---:|---:|---:|---:|"""


def _row(name: str, variants: int, watched: Watched) -> str:
    return (
        f"| {name} | {watched.seconds:.1f} | {variants / watched.seconds:,.0f} | {watched.memory('api')} "
        f"| {watched.memory('worker')} | {watched.wal_mib:.0f} | {watched.grown_mib:+.0f} |"
    )


async def _measure(file: Path, folder: Path, server: Server, workers: Workers) -> None:
    staff_user = Staff(server.port)
    await staff_user.sign_in(EMAIL, PASSWORD)
    # One statement at a time, and only after the worker's processes have started.
    await asyncio.sleep(3)
    processes = {"api": [server.pid], "worker": workers.pids}

    async with watching(**processes) as first:
        upload_id = await staff_user.upload(file)
        result = await staff_user.run_import(upload_id)
    variants, products = result["variants"]["created"], result["products"]["created"]
    print(HEADER.format(variants=variants, products=products))
    print(_row("import into an empty shop", variants, first), flush=True)

    before = await digests()
    async with watching(**processes) as second:
        await staff_user.run_import(upload_id)
    print(_row("the same file again", variants, second), flush=True)
    await _check_unchanged(before, "the second import")

    exported = folder / "exported.csv"
    async with watching(**processes) as third:
        await staff_user.run_export(exported)
    print(_row(f"export ({exported.stat().st_size / _MIB:.1f} MiB), fetched", variants, third), flush=True)

    again = await staff_user.upload(exported)
    async with watching(**processes) as fourth:
        await staff_user.run_import(again)
    print(_row("import of the export", variants, fourth), flush=True)
    await _check_unchanged(before, "the import of the export")


async def _check_unchanged(before: Mapping[str, str], what: str) -> None:
    if changed := [table for table, digest in (await digests()).items() if before[table] != digest]:
        raise RuntimeError(f"{what} changed {', '.join(changed)}")


async def _prepare() -> None:
    # For the digests, which read every row: the shop's own processes keep their limit.
    settings = get_settings().model_copy(update={"statement_timeout_seconds": 600.0})
    await db.migrate(settings)
    await db.open_pool(settings)
    cache.open_cache(settings)
    await db.execute("UPDATE shop SET currency_code = 'EUR', countries = '{DE}'")
    await staff.create_owner(EMAIL, "Owner", PASSWORD)


async def _run(file: Path, folder: Path, environment: Mapping[str, str]) -> None:
    await _prepare()
    try:
        with (
            served("app.serve:application", environment) as server,
            shop_workers(environment, processes=1) as workers,
        ):
            await _measure(file, folder, server, workers)
    finally:
        await cache.close_cache()
        await db.close_pool()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--file", type=Path, help="a product CSV of your own")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        embedded_postgres(Path(name) / "postgres") as database_url,
        embedded_valkey(Path(name) / "valkey", durable=False) as redis_url,
    ):
        folder = Path(name)
        file = arguments.file
        if file is None:
            file = folder / "products.csv"
            with file.open("w", encoding="utf-8", newline="") as target:
                write(target, variants=arguments.variants, seed=arguments.seed)
        environment = {
            "TRADEWIND_ENV": "production",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SMTP_URL": "smtp://127.0.0.1:1?starttls=off",
            "SECRET_KEYS": "for-a-benchmark-that-nobody-else-can-reach-0123456789",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "PUBLIC_URL": "https://shop.benchmark.example",
        }
        os.environ.update(environment)
        print(f"{file.stat().st_size / _MIB:.1f} MiB; load average before:", *os.getloadavg())
        asyncio.run(_run(file, folder, environment))


if __name__ == "__main__":
    main()
