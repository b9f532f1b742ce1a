"""Carriers repeat events, send them late and out of order: the parcel stands where all of them together put it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import db
from app.fulfillments.models import ShipmentStatus as Status
from app.fulfillments.parcels import ParcelDetails
from app.fulfillments.rules import status_after
from app.fulfillments.service import create_fulfillment
from app.fulfillments.tracking import TrackingUpdate, add_tracking_event
from tests.factories.messages import placed_order

pytestmark = pytest.mark.usefixtures("clean_database")

START = datetime(2026, 5, 1, tzinfo=UTC)
FAR = [Status.LABEL_CREATED, Status.IN_TRANSIT, Status.OUT_FOR_DELIVERY, Status.DELIVERED, Status.RETURNED]
PROGRESS = {**{status: far for far, status in enumerate(FAR)}, Status.DELAYED: 1, Status.FAILED: 2}

happened = st.lists(st.tuples(st.sampled_from(list(Status)), st.integers(0, 4)), min_size=1, max_size=5)


async def new_parcel() -> UUID:
    order_id, parcel = await placed_order(), ParcelDetails(None, None)
    return await create_fulfillment(order_id, None, [parcel], notify_customer=True, staff_id=None, allow_unpaid=True)


async def arrives(fulfillment_id: UUID, status: Status, hours: int, external_id: str | None) -> None:
    await add_tracking_event(
        TrackingUpdate(
            fulfillment_id=fulfillment_id,
            shipment_id=None,
            external_id=external_id,
            status=status,
            description=None,
            location=None,
            occurred_at=START + timedelta(hours=hours),
        )
    )


async def told(fulfillment_id: UUID) -> list[Status]:
    """Which statuses others were told of, in their order."""
    rows = await db.fetch(
        """
        SELECT e.type FROM events e JOIN fulfillments f ON f.order_id = e.subject_id
        WHERE f.id = $1 AND e.type LIKE 'shipment.%' ORDER BY e.id
        """,
        fulfillment_id,
    )
    return [Status(row["type"].removeprefix("shipment.").upper()) for row in rows]


@given(events=happened, data=st.data(), with_ids=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_of_arrival_with_repetitions_comes_to_the_same(
    events: list[tuple[Status, int]], data: st.DataObject, with_ids: bool
) -> None:
    numbered = [(status, hours, f"evt-{n}" if with_ids else None) for n, (status, hours) in enumerate(events)]
    arrivals = data.draw(st.permutations([*numbered, *data.draw(st.lists(st.sampled_from(numbered), max_size=3))]))
    fulfillment_id = await new_parcel()
    seen = [Status.LABEL_CREATED]
    for status, hours, external_id in arrivals:
        await arrives(fulfillment_id, status, hours, external_id)
        now = Status(await db.fetchval("SELECT status FROM shipments WHERE fulfillment_id = $1", fulfillment_id))
        assert PROGRESS[now] >= PROGRESS[seen[-1]], "it moved backward"
        if now is not seen[-1]:
            seen.append(now)
    assert seen[-1] is status_after((status, START + timedelta(hours=hours)) for status, hours in events)
    assert await told(fulfillment_id) == seen[1:], "each change is told once, and nothing else is"
    kept = await db.fetchval(
        "SELECT count(*) FROM tracking_events e JOIN shipments s ON s.id = e.shipment_id WHERE s.fulfillment_id = $1",
        fulfillment_id,
    )
    assert kept == len(set(numbered)), "a repeated event is one event"


async def test_an_event_without_a_time_is_of_now() -> None:
    fulfillment_id = await new_parcel()
    await add_tracking_event(TrackingUpdate(fulfillment_id, None, None, Status.IN_TRANSIT, None, None, None))
    age = await db.fetchval("SELECT business_now() - max(occurred_at) FROM tracking_events")
    assert timedelta(0) <= age < timedelta(minutes=1)
