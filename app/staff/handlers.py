"""Mails to staff, after what they are about is certain."""

from app import events
from app.events import Event
from app.messaging import staff_mails
from app.staff.invitations import INVITED
from app.staff.password_changes import RESET_ASKED


@events.on(INVITED, name="staff.invitation")
async def on_invited(event: Event) -> None:
    if event.subject_id is not None:
        await staff_mails.reserve_invitation(event.subject_id)


@events.on(RESET_ASKED, name="staff.password_reset")
async def on_reset_asked(event: Event) -> None:
    """Asked for an address that nobody has, the subject is nobody."""
    if event.subject_id is not None:
        await staff_mails.reserve_password_reset(event.subject_id, event.id)
