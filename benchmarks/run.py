"""The API beside the same answers written by hand, in one run, turn by turn.

    python -m benchmarks.run [--products 2000] [--rounds 3] [--only search] [--scale 1.0]
    python -m benchmarks.checkout
    python -m benchmarks.reading

Prints, for each subject, the median of the rounds in units a second for both servers, the servers' own processor time
for one unit, and the ratio. Both servers run on the same database, which keeps its promises to the disk.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from app.dev.servers import embedded_postgres, embedded_valkey
from app.settings import get_settings
from benchmarks.checkout.subjects import SUBJECTS as BUYING
from benchmarks.counting import Counts, counted
from benchmarks.reading.subjects import SUBJECTS as READING
from benchmarks.serving import Connection, Server, served
from benchmarks.shop import Shop, fill
from benchmarks.subjects import Client, Subject

CONNECTIONS = 8
WARM_UP_SHARE = 0.2
SLICES = 10
COUNTED_UNITS = 20
BY_HAND, OURS = "benchmarks.by_hand:create_app", "app.serve:application"
HEADER = """\
|                             | by hand, /s | Tradewind, /s | ratio | by hand, CPU ms | Tradewind, CPU ms |
|-----------------------------|------------:|--------------:|------:|----------------:|------------------:|"""
COUNTS_HEADER = """
| statements in round trips   |   by hand | Tradewind |
|-----------------------------|----------:|----------:|"""


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    server: Server
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Round:
    units_per_second: float
    cpu_ms_per_unit: float


async def drive(target: Target, subject: Subject, shop: Shop, units: int, seed: int) -> Any:
    """That many units over all connections; the last answer."""
    left = iter(range(units))
    last: Any = None

    async def one(number: int) -> None:
        nonlocal last
        connection = await Connection.to(target.server.port)
        client = Client(connection, shop, random.Random(seed + number), by_hand=target.by_hand)
        if subject.prepare:
            await subject.prepare(client)
        for _ in left:
            last = await subject.run(client)
        connection.close()

    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return last


async def measure(targets: list[Target], subject: Subject, shop: Shop, units: int, seed: int) -> list[Round]:
    """One round: the servers take turns in short slices, so that whatever else the machine does meets both."""
    seconds, cpu_seconds = [0.0] * len(targets), [0.0] * len(targets)
    in_slice = max(CONNECTIONS, units // SLICES)
    for number in range(SLICES):
        for place, target in enumerate(targets):
            cpu, started = target.server.cpu_seconds(), time.perf_counter()
            await drive(target, subject, shop, in_slice, seed + number * CONNECTIONS)
            seconds[place] += time.perf_counter() - started
            cpu_seconds[place] += target.server.cpu_seconds() - cpu
    done = in_slice * SLICES
    return [Round(done / took, cpu * 1000 / done) for took, cpu in zip(seconds, cpu_seconds, strict=True)]


async def check_same(targets: list[Target], subject: Subject, shop: Shop) -> None:
    """Raises RuntimeError when the two answer differently: then one of them does less."""
    answers = [await drive(target, subject, shop, 1, seed=0) for target in targets]
    first, second = ({**orjson.loads(answer), "extensions": None} for answer in answers)
    if first != second:
        raise RuntimeError(f"{subject.name}: the answers differ\n{first}\n{second}")


async def compare(targets: list[Target], subject: Subject, shop: Shop, rounds: int, scale: float) -> list[list[Round]]:
    units = max(CONNECTIONS, round(subject.units * scale))
    if subject.compare:
        await check_same(targets, subject, shop)
    for target in targets:
        await drive(target, subject, shop, max(CONNECTIONS, round(units * WARM_UP_SHARE)), seed=0)
    measured = [await measure(targets, subject, shop, units, seed=1000 * number) for number in range(rounds)]
    return [list(of_target) for of_target in zip(*measured, strict=True)]


async def count(target: Target, subject: Subject, shop: Shop, counts: Counts) -> str:
    """Statements and round trips of one unit, once all that is kept in memory is there; of a target behind a proxy."""
    connection = await Connection.to(target.server.port)
    client = Client(connection, shop, random.Random(0), by_hand=target.by_hand)
    if subject.prepare:
        await subject.prepare(client)
    for _ in range(COUNTED_UNITS):
        await subject.run(client)
    counts.clear()
    for _ in range(COUNTED_UNITS):
        await subject.run(client)
    connection.close()
    return f"{counts.statements / COUNTED_UNITS:.3g} in {counts.round_trips / COUNTED_UNITS:.3g}"


def row(subject: Subject, results: list[list[Round]]) -> str:
    limit, ours = (
        Round(
            statistics.median(one.units_per_second for one in rounds),
            statistics.median(one.cpu_ms_per_unit for one in rounds),
        )
        for rounds in results
    )
    ratio = statistics.median(
        one.units_per_second / beside.units_per_second for beside, one in zip(*results, strict=True)
    )
    return (
        f"| {subject.name:27} | {limit.units_per_second:11.0f} | {ours.units_per_second:13.0f} | {ratio:5.2f} "
        f"| {limit.cpu_ms_per_unit:15.2f} | {ours.cpu_ms_per_unit:17.2f} |"
    )


def main(subjects: Sequence[Subject] = (*READING, *BUYING)) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="subjects whose name holds this")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of requests")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "postgres") as database_url,
        embedded_valkey(Path(folder) / "valkey", durable=False) as redis_url,
    ):
        environment = {
            # The test gateway stands in for a card provider, and production does not know it.
            "TRADEWIND_ENV": "development",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEYS": "for-a-benchmark-that-nobody-else-can-reach-0123456789",
            "LOG_LEVEL": "WARNING",
        }
        os.environ.update(environment)
        shop = asyncio.run(fill(get_settings(), arguments.products))
        subjects = [subject for subject in subjects if arguments.only in subject.name]
        with served(BY_HAND, environment) as by_hand, served(OURS, environment) as ours:
            targets = [Target("by hand", by_hand, True), Target("Tradewind", ours, False)]
            print(HEADER)
            for subject in subjects:
                rounds = asyncio.run(compare(targets, subject, shop, arguments.rounds, arguments.scale))
                print(row(subject, rounds), flush=True)
        print_counts(subjects, shop, environment)


def print_counts(subjects: Sequence[Subject], shop: Shop, environment: dict[str, str]) -> None:
    url = environment["DATABASE_URL"]
    with (
        counted(url) as (url_by_hand, by_hand),
        counted(url) as (url_of_ours, ours),
        served(BY_HAND, {**environment, "DATABASE_URL": url_by_hand}) as first,
        served(OURS, {**environment, "DATABASE_URL": url_of_ours}) as second,
    ):
        targets = [(Target("by hand", first, True), by_hand), (Target("Tradewind", second, False), ours)]
        print(COUNTS_HEADER)
        for subject in subjects:
            found = [asyncio.run(count(target, subject, shop, counts)) for target, counts in targets]
            print(f"| {subject.name:27} | {found[0]:>9} | {found[1]:>9} |", flush=True)


if __name__ == "__main__":
    main()
