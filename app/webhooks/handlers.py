"""From the shop's events to deliveries, and from deliveries to the endpoints."""

from app import db, events
from app.events import Event
from app.webhooks import delivery, service
from app.webhooks.event_types import PUBLIC_EVENTS, public_data

_INTERESTED = """
    SELECT id FROM webhook_endpoints
    WHERE enabled AND (jsonb_array_length(event_types) = 0 OR event_types ? $1) ORDER BY id
"""


async def on_public_event(event: Event) -> None:
    """One delivery for each endpoint that wants to hear of it."""
    rows = await db.fetch(_INTERESTED, event.type)
    for row in rows:
        await service.enqueue(
            endpoint_id=row["id"],
            event_type=event.type,
            payload=public_data(PUBLIC_EVENTS[event.type], event.payload),
            dedupe_key=f"event:{event.id}:{row['id']}",
            event_id=event.id,
            occurred_at=event.occurred_at,
        )


for _name in PUBLIC_EVENTS:
    events.on(_name, name="webhooks.enqueue")(on_public_event)


@events.on(service.DELIVER, name="webhooks.deliver", transactional=False)
async def on_deliver(event: Event) -> None:
    if event.subject_id is not None:
        await delivery.attempt(event.subject_id, event.payload["attempt"])
