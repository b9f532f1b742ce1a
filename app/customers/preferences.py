"""What people change about their own messages, with the links that messages carry."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.customers import consent, consent_texts, identification, suppressions
from app.customers.addresses import address_hashes
from app.customers.consent import Proof
from app.customers.consent_texts import Wording
from app.customers.links import LinkTarget
from app.customers.models import ConsentAction, ConsentSource, SuppressionReason
from app.messaging.models import MessageChannel

HOLD_DAYS = 30
CHANNELS = (MessageChannel.EMAIL, MessageChannel.SMS)

# An old link may know the address by a profile that was joined to another one, or by an address that was replaced.
_CANDIDATES = """
    SELECT address FROM consents WHERE channel = $1 AND address_hash = $2 AND address <> ''
    UNION SELECT address FROM consents WHERE channel = $1 AND profile_id = ANY(ARRAY[$3, $4]::uuid[]) AND address <> ''
    UNION SELECT recipient FROM messages WHERE id = $5
    UNION SELECT CASE WHEN $1 = 'EMAIL' THEN email ELSE phone END FROM profiles WHERE id = $4
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a link is about."""

    profile_id: uuid.UUID
    channel: MessageChannel
    address: str
    """The one that the link was sent to."""
    message_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class ChannelPreference:
    channel: MessageChannel
    address: str
    state: ConsentAction | None
    wording: Wording
    suppressed: bool
    """Only staff can change that."""


@dataclass(frozen=True, slots=True)
class Preferences:
    person: Person
    channels: list[ChannelPreference]
    held_until: datetime | None


async def person_of(target: LinkTarget) -> Person | None:
    """None when nobody is left behind the link: the person was erased."""
    try:
        profile_id = await identification.living(target.profile_id)
    except LookupError:
        return None
    channel = consent_channel(target.channel)
    rows = await db.fetch(_CANDIDATES, channel, target.address_hash, target.profile_id, profile_id, target.message_id)
    for row in rows:
        if row["address"] and target.address_hash in address_hashes(channel, row["address"]):
            return Person(profile_id, channel, row["address"], target.message_id)
    return None


async def of(person: Person) -> Preferences:
    """How things stand; reads only."""
    profile = await db.fetchrow(
        "SELECT email, phone, marketing_held_until > business_now() AS held, marketing_held_until FROM profiles"
        " WHERE id = $1",
        person.profile_id,
    )
    addresses: dict[MessageChannel, str | None] = {
        MessageChannel.EMAIL: profile["email"] if profile else None,
        MessageChannel.SMS: profile["phone"] if profile else None,
    }
    addresses[person.channel] = person.address
    wordings = {wording.channel: wording for wording in await consent_texts.newest()}
    channels = [
        ChannelPreference(
            channel,
            address,
            await consent.state(channel, address),
            wordings[channel],
            bool(await suppressions.reasons(channel, address) & _FOR_STAFF),
        )
        for channel in CHANNELS
        if (address := addresses[channel]) is not None
    ]
    return Preferences(person, channels, profile["marketing_held_until"] if profile and profile["held"] else None)


_FOR_STAFF = frozenset({SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.STAFF})


async def unsubscribe(person: Person, source: ConsentSource, proof: Proof) -> bool:
    """Withdraw consent for the link's channel, in a unit of work; False when it was withdrawn before."""
    async with db.unit_of_work():
        profile_id = await identification.lock(person.profile_id)
        changed = await consent.revoke(
            profile_id=profile_id,
            channel=person.channel,
            address=person.address,
            source=source,
            ip=proof.ip,
            user_agent=proof.user_agent,
        )
        if changed and person.message_id is not None:
            await db.execute(
                """
                UPDATE messages SET unsubscribed_at = business_now()
                WHERE id = $1 AND recipient = $2 AND unsubscribed_at IS NULL
                """,
                person.message_id,
                person.address,
            )
    return changed


async def choose(
    person: Person,
    wanted: Mapping[MessageChannel, bool],
    proof: Proof,
    *,
    texts: Mapping[MessageChannel, uuid.UUID] | None = None,
) -> None:
    """Set each channel that is named; the others stay as they are.

    Whoever has the link has the address that it was sent to, so consent there holds at once. For another channel it
    is asked for there.

    Args:
        texts: the wordings that were shown.

    Raises:
        DomainError: CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL.
    """
    for preference in (await of(person)).channels:
        channel = preference.channel
        if channel not in wanted:
            continue
        holds = preference.state is ConsentAction.GRANTED
        if not wanted[channel]:
            if holds or preference.state is ConsentAction.REQUESTED:
                message_id = person.message_id if channel is person.channel else None
                concerned = Person(person.profile_id, channel, preference.address, message_id)
                await unsubscribe(concerned, ConsentSource.PREFERENCES, proof)
        elif not holds and not preference.suppressed:
            await _subscribe(person, preference, (texts or {}).get(channel), proof)


async def _subscribe(person: Person, preference: ChannelPreference, text_id: uuid.UUID | None, proof: Proof) -> None:
    async with db.unit_of_work():
        await consent.request_or_grant(
            profile_id=await identification.lock(person.profile_id),
            channel=preference.channel,
            address=preference.address,
            source=ConsentSource.PREFERENCES,
            text_id=text_id,
            ip=proof.ip,
            user_agent=proof.user_agent,
            confirm=preference.channel is not person.channel,
        )


async def hold(person: Person) -> None:
    """Nothing but messages about orders for 30 days; a longer hold stays."""
    async with db.unit_of_work():
        await db.execute(
            """
            UPDATE profiles
            SET marketing_held_until = greatest(marketing_held_until, business_now() + $2 * interval '1 day')
            WHERE id = $1
            """,
            await identification.lock(person.profile_id),
            HOLD_DAYS,
        )


async def resume(person: Person) -> None:
    async with db.unit_of_work():
        await db.execute(
            "UPDATE profiles SET marketing_held_until = NULL WHERE id = $1",
            await identification.lock(person.profile_id),
        )


async def confirm(consent_id: uuid.UUID, proof: Proof) -> ConsentAction | None:
    """The receiver follows the link of a confirmation and presses its button; see `consent.confirm`."""
    async with db.unit_of_work():
        request = await consent.find(consent_id)
        if request is None or not request.address:
            return None
        state = await consent.confirm(consent_id, ip=proof.ip, user_agent=proof.user_agent)
        if state is ConsentAction.GRANTED:
            # Whoever was erased and has come back by themselves is a new customer.
            await suppressions.lift_by_receiver(request.channel, request.address, SuppressionReason.ERASED)
    return state


def consent_channel(channel: MessageChannel) -> MessageChannel:
    return MessageChannel.SMS if channel is MessageChannel.VOICE else channel


def masked(address: str) -> str:
    """As much as its owner needs to recognise it: links are forwarded, and screens are looked at."""
    box, at, domain = address.partition("@")
    if not at:
        return f"•••{address[-2:]}"
    name, dot, top = domain.rpartition(".")
    return f"{box[:1]}•••@{name[:1]}•••{dot}{top}"
