"""A shop that sells at a steady rate for as long as one likes, and what it takes.

    python -m benchmarks.soak [--minutes 30] [--rate 20] [--products 500]

The shop's real API, worker and scheduler, and a PostgreSQL that keeps its promises to the disk. Each shopper comes when
it is their turn, however long those before them take: a whole checkout (cart, quote, order) is measured from then on.
Memory is proportional (PSS), so that what processes share is counted once.
"""

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app import db, invariants
from app.dev.postgres import PostgresServer
from app.dev.servers import embedded_valkey
from app.settings import get_settings
from benchmarks.serving import served
from benchmarks.shop import Shop, fill
from benchmarks.soak.shoppers import Figures, Shoppers
from benchmarks.soak.watching import Minute, Watch

MINUTE_SECONDS = 60.0
REST_SECONDS = 120.0
"""After the last order, for what is still to be sent."""
LOOK_SECONDS = 0.2
STOP_SECONDS = 20.0
UNSENT = """
    SELECT (SELECT count(*) FROM orders) - (SELECT count(*) FROM messages WHERE template = 'order_confirmation'
                                            AND state = 'SENT')
"""
HEADER = """\
| minute | orders | refused | p50 ms | p95 ms | p99 ms | API | worker | scheduler | PostgreSQL | Valkey | connections \
| lock wait s | oldest due s | dead | WAL MiB | size MiB |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""
PARTS = ("API", "worker", "scheduler", "PostgreSQL", "Valkey")


def row(number: int, figures: Figures, minute: Minute) -> str:
    memory = " | ".join(f"{minute.memory_mib.get(part, 0):.0f}" for part in PARTS)
    return (
        f"| {number} | {len(figures.seconds)} | {figures.refused.total()} | {figures.percentile(0.5):.0f} "
        f"| {figures.percentile(0.95):.0f} | {figures.percentile(0.99):.0f} | {memory} | {minute.connections} "
        f"| {minute.lock_wait_seconds:.2f} | {minute.oldest_due_seconds:.1f} | {minute.dead_letters} "
        f"| {minute.wal_mib:.0f} | {minute.size_mib:.0f} |"
    )


async def soak(shoppers: Shoppers, watch: Watch, *, rate: float, minutes: float) -> Figures:
    """All of it; a line a minute."""
    whole = Figures()
    print(HEADER, flush=True)
    async with watch.looking():
        await watch.note_minute()
        coming = asyncio.create_task(shoppers.come(rate, minutes * MINUTE_SECONDS))
        number = 0
        while not coming.done():
            await asyncio.wait([coming], timeout=MINUTE_SECONDS)
            number += 1
            figures = shoppers.ended_minute()
            whole.add(figures)
            print(row(number, figures, await watch.note_minute()), flush=True)
        await coming
        whole.add(shoppers.ended_minute())
    return whole


async def run(shop: Shop, port: int, pids: Mapping[str, int], arguments: argparse.Namespace) -> bool:
    """True when nothing was lost and the books are right."""
    await db.open_pool(get_settings())
    try:
        shoppers, watch = Shoppers(port, shop), Watch(pids)
        whole = await soak(shoppers, watch, rate=arguments.rate, minutes=arguments.minutes)
        start = time.monotonic()
        for _ in range(int(REST_SECONDS / LOOK_SECONDS)):
            if not (unsent := await db.fetchval(UNSENT)):
                break
            await asyncio.sleep(LOOK_SECONDS)
        rest = time.monotonic() - start
        orders = await db.fetchval("SELECT count(*) FROM orders")
        broken = await invariants.check()
        dead = await db.fetchval("SELECT count(*) FROM dead_letters")
    finally:
        await db.close_pool()
    asked = len(whole.seconds) + whole.refused.total()
    print(
        f"\n{orders} orders, {len(whole.seconds)} told, {asked} shoppers; refused: {dict(whole.refused) or 'none'}"
        f"\np50 {whole.percentile(0.5):.0f} ms, p95 {whole.percentile(0.95):.0f} ms"
        f", p99 {whole.percentile(0.99):.0f} ms"
        f"\nall confirmations sent {rest:.1f} s after the last order; missing: {unsent}; dead letters: {dead}"
        f"\nlongest wait for a lock: {max(minute.lock_wait_seconds for minute in watch.minutes):.2f} s"
    )
    for part in PARTS:
        last = watch.minutes[-1].memory_mib[part]
        print(f"{part}: {last:.0f} MiB, in the second half {watch.trend_mib_an_hour(part):+.1f} MiB an hour")
    print("The books are right." if not broken else "\n".join(map(str, broken)))
    return not broken and not unsent and not dead and orders == len(whole.seconds)


@contextmanager
def command(*words: str) -> Iterator[int]:
    """A `tradewind` command for as long as the block runs; its process."""
    process = subprocess.Popen([sys.executable, "-m", "app.cli", *words])
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20, help="checkouts a second")
    parser.add_argument("--products", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "postgres").mkdir()
        postgres = PostgresServer(folder / "postgres")
        postgres.prepare()
        postgres_process = postgres.start()
        stack.callback(postgres_process.wait)
        stack.callback(postgres_process.send_signal, postgres.stop_signals[0])
        redis_url = stack.enter_context(embedded_valkey(folder / "valkey"))
        environment = {
            # The test gateway stands in for a card provider, and production does not know it.
            "TRADEWIND_ENV": "development",
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis_url,
            "SECRET_KEYS": "for-a-benchmark-that-nobody-else-can-reach-0123456789",
            "LOG_LEVEL": "ERROR",
            "TRUSTED_PROXIES": "1",  # each shopper has an address of their own
        }
        os.environ.update(environment)
        shop = asyncio.run(fill(get_settings(), arguments.products))
        server = stack.enter_context(served("app.serve:application", environment))
        pids = {
            "API": server.pid,
            "worker": stack.enter_context(command("worker", "--processes", "1")),
            "scheduler": stack.enter_context(command("scheduler")),
            "PostgreSQL": postgres_process.pid,
            "Valkey": listening_on(redis_url),
        }
        if not asyncio.run(run(shop, server.port, pids, arguments)):
            sys.exit(1)


def listening_on(redis_url: str) -> int:
    """The server's process, which it names itself."""
    from redis import Redis

    with Redis.from_url(redis_url) as client:
        return int(client.info("server")["process_id"])


if __name__ == "__main__":
    main()
