"""Orders that came by a referral; events have no order, so each of them asks the same question."""

from app import events
from app.events import Event
from app.referrals import rewarding


async def _consider(event: Event) -> None:
    if event.subject_id is not None:
        await rewarding.consider(event.subject_id)


for _name in ("order.placed", "order.paid", "order.cancelled"):
    events.on(_name, name="referrals.consider")(_consider)
