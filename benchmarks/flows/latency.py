"""From the commit of an event to the commit of the ledger's row that it leads to, in a flow without a delay."""

import asyncio
import statistics
import time
from collections.abc import Mapping
from typing import Any

from app import db, events
from app.customers import timeline
from app.flows import service
from app.settings import get_settings
from benchmarks.flows import people
from benchmarks.flows.people import Person
from benchmarks.flows.working import shop_workers
from workers.broker import build_broker
from workers.relay import Relay

EVENTS = 300
TIMEOUT_SECONDS = 30.0
"""The first one waits until the workers are up."""
FLOW = "at_once"
DEFINITION: dict[str, Any] = {
    "trigger": {"event": "cart.updated", "key": "cartId"},
    "reentry": {"policy": "always"},
    "exitOn": [{"event": "order.placed"}],
    "steps": [{"key": "remind", "kind": "send_email", "template": "cart-abandoned-1"}],
}


async def _one(person: Person) -> float:
    async with db.unit_of_work():
        await timeline.record("cart.updated", profile_id=person.profile_id, cart_id=person.cart_id, data={})
    started = time.perf_counter()
    while not await db.fetchval("SELECT EXISTS (SELECT FROM messages WHERE profile_id = $1)", person.profile_id):
        if time.perf_counter() - started > TIMEOUT_SECONDS:
            raise TimeoutError("nothing was reserved")
        await asyncio.sleep(0.001)
    return time.perf_counter() - started


async def measure(environment: Mapping[str, str], *, scale: float) -> None:
    # The recipe that starts on the same event would wait, and is not what is measured.
    await db.execute("UPDATE flows SET status = 'PAUSED' WHERE key = 'cart_abandoned'")
    saved = await service.save(key=FLOW, name="At once", definition=DEFINITION)
    await service.publish(saved.id)
    relay = Relay(build_broker(get_settings()))
    relay.start()
    events.set_publisher(relay.publish)
    everybody = await people.add(20 + max(20, round(EVENTS * scale)))
    with shop_workers(environment, 1):
        for person in everybody[:20]:
            await _one(person)
        seconds = [await _one(person) for person in everybody[20:]]
    events.set_publisher(None)
    relay.stop()
    await service.pause(saved.id)
    cuts = statistics.quantiles(seconds, n=100)
    print(f"event to reservation: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, {len(seconds)} events")
