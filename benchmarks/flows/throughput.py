"""Due steps a second: the whole way from a timer to the mail server, beside the bare pipe, turn by turn."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app import db
from app.events import outbox
from app.events.ticking import tick
from app.messaging import composing, ledger, merge_values, versions
from app.messaging.merge_values import Subject
from app.settings import get_settings
from benchmarks.flows import bare, people
from benchmarks.flows.sink import Sink
from benchmarks.flows.working import Workers, bare_workers, shop_workers
from workers.broker import build_broker
from workers.relay import Relay

SLICES = 8
TIMEOUT_SECONDS = 60.0
SUBJECT = "reminder"
HEADER = """\
| reminders of a checkout left    | bare pipe, /s | Tradewind, /s | ratio | bare, CPU ms | Tradewind, CPU ms |
|---------------------------------|--------------:|--------------:|------:|-------------:|------------------:|"""


@dataclass(frozen=True, slots=True)
class Side:
    prepare: Callable[[int], Awaitable[None]]
    """What is there before the clock starts."""
    begin: Callable[[int], Awaitable[None]]
    """Sets so many mails off."""
    at_rest: Callable[[], Awaitable[bool]]
    workers: Workers


async def _until(what: Callable[[], Awaitable[bool]], pause_seconds: float = 0.005) -> None:
    deadline = time.perf_counter() + TIMEOUT_SECONDS
    while not await what():
        if time.perf_counter() > deadline:
            raise TimeoutError("not all of the mails arrived")
        await asyncio.sleep(pause_seconds)


async def _slice(side: Side, sink: Sink, count: int) -> tuple[float, float]:
    """Seconds that passed, and seconds of the workers' processors, until the mails are there and noted as sent."""
    await side.prepare(count)
    expected, cpu = sink.taken + count, side.workers.cpu_seconds()
    started = time.perf_counter()
    await side.begin(count)

    async def arrived() -> bool:
        return sink.taken >= expected

    try:
        await _until(arrived)
        await _until(side.at_rest)
    except TimeoutError:
        states = await db.fetch("SELECT state, reason, count(*) FROM messages GROUP BY 1, 2")
        dead = await db.fetch("SELECT handler, cause FROM dead_letters LIMIT 1")
        raise RuntimeError(f"missing mails; the ledger: {states}; {dead}") from None
    seconds = time.perf_counter() - started
    if sink.taken != expected:
        raise RuntimeError(f"{sink.taken - expected} mails too many")
    return seconds, side.workers.cpu_seconds() - cpu


def _shop_side(workers: Workers, relay: Relay) -> Side:
    async def prepare(count: int) -> None:
        await people.begin_runs(await people.add(count), timedelta())

    async def begin(count: int) -> None:
        # The scheduler's own turn, without the up to one second that it waits between two.
        while ids := await tick():
            await asyncio.to_thread(relay.publish_now, ids)

    async def at_rest() -> bool:
        if await outbox.in_flight() == 0:
            return True
        # What nobody handed to the broker, such as what publishing the recipes recorded.
        await asyncio.to_thread(relay.publish_now, await tick())
        return False

    return Side(prepare, begin, at_rest, workers)


def _bare_side(workers: Workers, redis_url: str) -> Side:
    broker = bare.build(redis_url)

    def publish(count: int) -> None:
        for _ in range(count):
            broker.enqueue(bare.message(SUBJECT))

    async def nothing(count: int) -> None:
        pass

    async def at_rest() -> bool:
        return True

    return Side(nothing, lambda count: asyncio.to_thread(publish, count), at_rest, workers)


async def _make_ready(file: Path) -> None:
    """What the shop has just written to somebody, as template and values."""
    settings = get_settings()
    message_id = await db.fetchval("SELECT id FROM messages WHERE state = 'SENT' ORDER BY id DESC LIMIT 1")
    row = await ledger.find(message_id)
    if row is None or row.template_version_id is None:
        raise RuntimeError("the shop has written nothing")
    version = await versions.load(row.template_version_id)
    if version is None:
        raise RuntimeError("the template is gone")
    values = await merge_values.build(
        Subject.of(row),
        trigger=version.trigger,
        language=version.text.language,
        uses=composing.uses(version),
        settings=settings,
    )
    bare.ready(file, {SUBJECT: {"text": version.text, "values": values, "recipient": row.recipient}})


async def measure(
    environment: Mapping[str, str], sink: Sink, folder: Path, *, processes: int, rounds: int, scale: float
) -> None:
    """Print the table's rows. The database is open in this process."""
    in_slice = max(20, round(150 * scale))
    redis_url = environment["REDIS_URL"]
    relay = Relay(build_broker(get_settings()))
    with shop_workers(environment, processes) as workers:
        shop = _shop_side(workers, relay)
        await _slice(shop, sink, in_slice)  # warms up, and writes the mail whose values the bare pipe prints
        await _make_ready(folder / "ready")
        with bare_workers({**environment, bare.READY: str(folder / "ready")}, processes) as others:
            pipe = _bare_side(others, redis_url)
            for side in (pipe, shop):
                await _slice(side, sink, in_slice)
            print(HEADER)
            results = [await _round((pipe, shop), sink, in_slice) for _ in range(rounds)]
    units = in_slice * SLICES
    of_pipe, of_shop = ([units / one[place][0] for one in results] for place in (0, 1))
    ratio = statistics.median(ours / limit for limit, ours in zip(of_pipe, of_shop, strict=True))
    cpu = [statistics.median(one[place][1] for one in results) * 1000 / units for place in (0, 1)]
    print(
        f"| {f'worker processes on each side: {processes}':31} | {statistics.median(of_pipe):13.0f} "
        f"| {statistics.median(of_shop):13.0f} | {ratio:5.2f} | {cpu[0]:12.2f} | {cpu[1]:17.2f} |",
        flush=True,
    )


async def _round(sides: tuple[Side, Side], sink: Sink, in_slice: int) -> list[tuple[float, float]]:
    totals = [(0.0, 0.0), (0.0, 0.0)]
    for _ in range(SLICES):
        for place, side in enumerate(sides):
            seconds, cpu = await _slice(side, sink, in_slice)
            totals[place] = (totals[place][0] + seconds, totals[place][1] + cpu)
    return totals
