"""What becomes of gift cards by themselves: mailed when it is time, over when it is time."""

import uuid

from app import events
from app.events import Event
from app.gift_cards import expiring, issuing
from app.messaging import gift_card_mails


@events.on(issuing.MAIL_DUE, name="gift_cards.mail")
async def on_mail_due(event: Event) -> None:
    await gift_card_mails.reserve(_subject(event), event.id)


@events.on(expiring.EXPIRES, name="gift_cards.expire")
async def on_expires(event: Event) -> None:
    await expiring.expire(_subject(event))


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
