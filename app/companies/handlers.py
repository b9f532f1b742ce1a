"""Mails to those who are invited to buy for a company."""

from app import events
from app.companies import invitations
from app.events import Event
from app.messaging import draft_order_mails


@events.on(invitations.INVITED, name="companies.invitation")
async def on_invited(event: Event) -> None:
    if event.subject_id is not None:
        await draft_order_mails.reserve_invitation(event.subject_id, event.id)
