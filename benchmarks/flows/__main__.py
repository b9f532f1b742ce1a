"""What flows cost on this machine.

    python -m benchmarks.flows [--only steps|latency|sleeping] [--scale 1.0] [--rounds 3] [--processes 1]

The shop's real worker processes, a database that keeps its promises to the disk, and a mail server that takes all.
`python -m benchmarks.flows.history` plays a real purchase history.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from app import cache, db
from app.dev.servers import embedded_postgres, embedded_valkey
from app.settings import get_settings
from benchmarks.flows import latency, people, sleeping, throughput
from benchmarks.flows.sink import Sink, running_sink
from benchmarks.shop import fill

SUBJECTS = ("steps", "latency", "sleeping")


async def _measure(arguments: argparse.Namespace, environment: dict[str, str], sink: Sink, folder: Path) -> None:
    settings = get_settings()
    await fill(settings, 500)
    await db.open_pool(settings)
    cache.open_cache(settings)
    try:
        await people.prepare_shop()
        if arguments.only in ("", "steps"):
            await throughput.measure(
                environment,
                sink,
                folder,
                processes=arguments.processes,
                rounds=arguments.rounds,
                scale=arguments.scale,
            )
        if arguments.only in ("", "latency"):
            await latency.measure(environment, scale=arguments.scale)
        if arguments.only in ("", "sleeping"):
            await sleeping.measure(scale=arguments.scale)
    finally:
        await cache.close_cache()
        await db.close_pool()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", choices=SUBJECTS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of mails, events and runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1, help="worker processes on each side")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "postgres") as database_url,
        embedded_valkey(Path(folder) / "valkey", durable=False) as redis_url,
        running_sink() as sink,
    ):
        environment = {
            "TRADEWIND_ENV": "production",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SMTP_URL": sink.url,
            "EMAIL_FROM": "shop@benchmark.example",
            "SECRET_KEYS": "for-a-benchmark-that-nobody-else-can-reach-0123456789",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "STATEMENT_TIMEOUT_SECONDS": "120",  # for a million rows at a time
            "PUBLIC_URL": "https://shop.benchmark.example",
        }
        os.environ.update(environment)
        print("load average before:", " ".join(f"{load:.1f}" for load in os.getloadavg()))
        asyncio.run(_measure(arguments, environment, sink, Path(folder)))


if __name__ == "__main__":
    main()
