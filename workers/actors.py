"""The one Dramatiq actor: it takes an event's id and delivers the event, and what came of it.

No retries and no delays here: attempts are counted, and waited between, in PostgreSQL (see `app.events.delivery`).
"""

import uuid

import dramatiq

from app.events.delivery import deliver_with_consequence
from workers.broker import QUEUE

ACTOR_NAME = "deliver_event"


def event_message(event_id: uuid.UUID) -> dramatiq.Message[None]:
    """What the publishing side enqueues; jobs of an older release still decode."""
    return dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR_NAME, args=(str(event_id),), kwargs={}, options={})


def register(broker: dramatiq.Broker) -> None:
    async def deliver_event(event_id: str) -> None:
        await deliver_with_consequence(uuid.UUID(event_id))

    dramatiq.actor(broker=broker, actor_name=ACTOR_NAME, queue_name=QUEUE)(deliver_event)
