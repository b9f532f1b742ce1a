"""Consent to marketing, given and withdrawn by somebody who is signed in.

For the verified address it holds at once: its owner has shown that it is theirs. Everything else that an account says
is typed: a phone number, and the address of a claim. Consent there waits for its receiver, and is nobody's to withdraw
who only typed it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import db, rate_limit
from app.accounts.clients import Client
from app.accounts.identity import CustomerIdentity
from app.customers import consent, consenting, identification
from app.customers.addresses import address_hashes
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.models import ConsentAction, ConsentSource
from app.messaging.models import MessageChannel

CHANNELS = (MessageChannel.EMAIL, MessageChannel.SMS)
CHANGES_AN_HOUR = 60
SOURCE = "ACCOUNT"

# Of a number, only what this very person said: it may be anybody's.
_OF_PERSON = """
    SELECT n.action FROM (
        SELECT action, profile_id FROM consents WHERE channel = $1 AND address_hash = ANY($2::bytea[])
        ORDER BY id DESC LIMIT 1
    ) AS n JOIN profiles o ON o.id = n.profile_id WHERE coalesce(o.merged_into_id, o.id) = $3
"""


@dataclass(frozen=True, slots=True)
class Standing:
    channel: MessageChannel
    state: ConsentAction | None


async def standing(customer_id: uuid.UUID) -> list[Standing]:
    """How things stand by channel; nothing is told to an account that only claims its address."""
    row = await db.fetchrow(
        "SELECT email, phone, profile_id FROM customers WHERE id = $1 AND email_verified_at IS NOT NULL", customer_id
    )
    email_state = await consent.state(MessageChannel.EMAIL, row["email"]) if row else None
    sms_state = await _of_person(row["profile_id"], row["phone"]) if row else None
    return [Standing(MessageChannel.EMAIL, email_state), Standing(MessageChannel.SMS, sms_state)]


async def change(own: CustomerIdentity, given: Sequence[ConsentGiven], proof: Proof, client: Client) -> None:
    """Take or withdraw consent for the account's address and phone number.

    Raises:
        DomainErrors: see `consenting.check`; CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL.
        DomainError: RATE_LIMITED.
    """
    phone = await _phone(own)
    consenting.check(given, Reachable(own.email, phone))
    await rate_limit.allow("account_consent", client.address, limit=CHANGES_AN_HOUR, window_seconds=3600)
    meant = {one.channel for one in given if one.granted}
    if own.is_verified:
        meant.add(MessageChannel.EMAIL)
    if await _of_person(own.profile_id, phone) is not None:
        meant.add(MessageChannel.SMS)
    reachable = Reachable(
        own.email if MessageChannel.EMAIL in meant else None, phone if MessageChannel.SMS in meant else None
    )
    if not any(reachable.address(one.channel) for one in given):
        return
    async with db.unit_of_work():
        profile_id = await identification.identify(email=own.email, phone=reachable.phone, source=SOURCE)
        await consenting.take(
            given,
            reachable,
            profile_id=profile_id,
            source=ConsentSource.ACCOUNT,
            proof=proof,
            to_confirm={MessageChannel.SMS} if own.is_verified else CHANNELS,
        )


async def _phone(own: CustomerIdentity) -> str | None:
    phone: str | None = await db.fetchval("SELECT phone FROM customers WHERE id = $1", own.id)
    return phone


async def _of_person(profile_id: uuid.UUID | None, phone: str | None) -> ConsentAction | None:
    if profile_id is None or phone is None:
        return None
    hashes = address_hashes(MessageChannel.SMS, phone)
    action: str | None = await db.fetchval(_OF_PERSON, MessageChannel.SMS, hashes, profile_id)
    return ConsentAction(action) if action else None
