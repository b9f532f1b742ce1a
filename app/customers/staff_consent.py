"""Consent that somebody gave to a person of the shop, on the phone or on paper: who wrote it down is kept with it."""

import uuid

from app import db
from app.customers import consent, identification
from app.customers.errors import CustomerErrorCode
from app.customers.models import ConsentSource
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.problems import Problems
from app.messaging.models import MessageChannel

MAX_NOTE_CHARS = 120


async def record(
    profile_id: uuid.UUID,
    channel: MessageChannel,
    *,
    granted: bool,
    text_id: uuid.UUID | None,
    note: str | None,
    recorded_by: str,
) -> bool:
    """Write it down for the profile's address; False, and nothing written, when it holds already.

    It needs no confirmation: who writes it down vouches for it. A suppression stays; that is lifted by itself.

    Args:
        text_id: the wording that was read out or signed; None for the shop's current one.
        note: how it was given.
        recorded_by: who of the staff, or which key (`StaffIdentity.actor`).

    Raises:
        DomainError: NOT_FOUND, INVALID for calls, CONSENT_ADDRESS_MISSING, CONSENT_TEXT_UNKNOWN,
            CONSENT_TEXT_OF_ANOTHER_CHANNEL; fields below `input`.
        DomainErrors: TOO_LONG or INVALID for the note.
    """
    if channel is MessageChannel.VOICE:
        message = "Calls are consented to with text messages; choose SMS."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "channel"])
    problems = Problems()
    said = problems.line(note, "note", max_chars=MAX_NOTE_CHARS)
    problems.raise_if_any()
    detail = recorded_by + (f" {said}" if said else "")
    async with db.unit_of_work():
        try:
            profile_id = await identification.lock(profile_id)
        except LookupError:
            raise not_found("profile", ["input", "profileId"]) from None
        column = "email" if channel is MessageChannel.EMAIL else "phone"
        address = await db.fetchval(f"SELECT {column} FROM profiles WHERE id = $1", profile_id)
        if address is None:
            message = "The profile has no address for this channel."
            raise DomainError(CustomerErrorCode.CONSENT_ADDRESS_MISSING, message, ["input", "channel"])
        if not granted:
            return await consent.revoke(
                profile_id=profile_id, channel=channel, address=address, source=ConsentSource.STAFF, detail=detail
            )
        try:
            return await consent.grant(
                profile_id=profile_id,
                channel=channel,
                address=address,
                source=ConsentSource.STAFF,
                text_id=text_id,
                detail=detail,
            )
        except DomainError as error:
            raise error.under("input") from error
