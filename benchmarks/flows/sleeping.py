"""Runs that wait: what one tick of the scheduler costs beside them, and how much room each takes."""

import statistics
import time

from app import db
from app.events.ticking import tick
from benchmarks.flows import people

TICKS = 400
TABLES = ("flow_runs", "timers", "flow_run_steps")
AMOUNTS = (0, 10_000, 1_000_000)
AT_ONCE = 50_000

_SLEEP = """
    WITH runs AS (
        INSERT INTO flow_runs (id, flow_id, version_id, profile_id, key, status, step_key, revision, due_at, in_holdout,
                               trigger_type, trigger_event_id, trigger, triggered_at, state, entered_at)
        SELECT uuidv7(), f.id, f.published_version_id, uuidv7(), g.cart_id::text, 'ACTIVE', $2::text, 0,
               now() + random() * interval '30 days' + interval '1 day', false, 'checkout.started', uuidv7(),
               jsonb_build_object('cartId', g.cart_id, 'checkoutId', uuidv7(), 'startedAt', now()), now(),
               jsonb_build_object('wait', jsonb_build_object('step', $2::text)), now()
        FROM (SELECT uuidv7() AS cart_id FROM generate_series(1, $1::int)) g CROSS JOIN flows f WHERE f.key = $3
        RETURNING id, flow_id, due_at
    ), lines AS (
        INSERT INTO flow_run_steps (id, run_id, flow_id, step_key, kind, outcome, detail, at)
        SELECT uuidv7(), id, flow_id, $2::text, 'delay', 'WAITING', jsonb_build_object('until', due_at), now() FROM runs
    )
    INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
    SELECT uuidv7(), 'flow.run_due', id, '{"revision": 0}', due_at, now() FROM runs
"""


async def _sizes() -> dict[str, int]:
    return {table: await db.fetchval("SELECT pg_total_relation_size($1::regclass)", table) for table in TABLES}


async def _tick_microseconds() -> list[float]:
    taken = []
    for _ in range(TICKS):
        started = time.perf_counter()
        if await tick():
            raise RuntimeError("something was due")
        taken.append((time.perf_counter() - started) * 1_000_000)
    return taken


async def measure(*, scale: float) -> None:
    print("| sleeping runs | one tick, µs (median) |  p99 | a sleeping run, bytes | of it runs, timers, timeline |")
    print("|--------------:|----------------------:|-----:|----------------------:|-----------------------------:|")
    # What the subjects before left behind would count as well.
    await db.execute("TRUNCATE flow_runs, timers, flow_run_steps, events, event_receipts, messages CASCADE")
    asleep, at_first = 0, await _sizes()
    for amount in AMOUNTS:
        wanted = round(amount * scale)
        while asleep < wanted:
            count = min(AT_ONCE, wanted - asleep)
            await db.execute(_SLEEP, count, people.STEP, people.FLOW)
            asleep += count
        await db.execute("VACUUM ANALYZE flow_runs")
        await db.execute("VACUUM ANALYZE timers")
        await _tick_microseconds()
        taken = await _tick_microseconds()
        sizes = await _sizes()
        each = {table: (sizes[table] - at_first[table]) / asleep if asleep else 0.0 for table in TABLES}
        parts = ", ".join(f"{room:.0f}" for room in each.values())
        print(
            f"| {asleep:13,} | {statistics.median(taken):21.0f} | {statistics.quantiles(taken, n=100)[98]:4.0f} "
            f"| {sum(each.values()):21.0f} | {parts:>28} |",
            flush=True,
        )
