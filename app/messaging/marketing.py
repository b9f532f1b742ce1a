"""Deciding whether a flow or a campaign writes to somebody: one row of the ledger, also for what is not sent.

The decision is made once, with the cart and then the profile locked. Placing an order locks both as well, so an order
that commits first is seen, and one that commits later finds the row, whose sending asks again (see `sending`).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from app import db
from app.customers import identification, permission
from app.messaging import arbitration, ledger, marketing_settings, providers, quiet_hours, starting
from app.messaging.ledger import Origin
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason, MessageState
from app.settings import get_settings

OnObstacle: TypeAlias = Literal["skip", "defer"]
"""What becomes of a message that comes at a bad time: nothing, or itself a while later."""


@dataclass(frozen=True, kw_only=True)
class MarketingMessage:
    """A wish to write. Whether it is marketing says its template: transactional ones need only an address.

    Attributes:
        dedupe_key: one row for each; up to 200 characters.
        priority: of the flow; see `arbitration`.
        cart_id: the cart that it reminds of. Without an `order_id`, an order of that cart makes the message pointless.
        context: ids that the merge data is built from when it is sent: the trigger's data, `couponCode` and the like.
        on_cap: for the frequency cap, and for a message that goes first.
        on_quiet: for the quiet hours of SMS and calls.
        not_after: business time past which the message is worth nothing.
    """

    profile_id: uuid.UUID
    channel: MessageChannel
    template_key: str
    dedupe_key: str
    priority: int = 0
    flow_id: uuid.UUID | None = None
    run_id: uuid.UUID | None = None
    step_key: str | None = None
    campaign_id: uuid.UUID | None = None
    cart_id: uuid.UUID | None = None
    order_id: uuid.UUID | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    on_cap: OnObstacle = "skip"
    on_quiet: OnObstacle = "defer"
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    message_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Skipped:
    reason: MessageReason
    message_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing is written down: ask again at `until` (business time)."""

    until: datetime
    reason: MessageReason


MAX_TIME_TO_SEND = timedelta(days=1)
"""As long as `sending` tries; what is not out by then waits for people, and takes nobody's turn."""

_LOCKS = "cart and profile locks"
_FACTS = """
    SELECT business_now() AS now, p.email, p.phone, p.time_zone, p.marketing_held_until,
           t.purpose, t.channel AS template_channel, v.id AS version_id,
           o.email AS order_email, o.phone AS order_phone, coalesce(k.phone, c.phone) AS cart_phone,
           $4::uuid IS NOT NULL AND EXISTS (
               SELECT FROM orders paid
               WHERE paid.profile_id = p.id AND paid.phone = p.phone AND paid.payment_status <> ALL ('{PENDING,VOIDED}')
           ) AS phone_is_proven,
           coalesce(m.email_cap_hours, 16) AS email_cap_hours, coalesce(m.sms_cap_hours, 24) AS sms_cap_hours,
           coalesce(m.voice_enabled, false) AS voice_enabled, coalesce(s.postal_address, '') AS postal_address
    FROM profiles p
    LEFT JOIN shop s ON s.id = 1
    LEFT JOIN marketing_settings m ON m.id = 1
    LEFT JOIN orders o ON o.id = $3
    LEFT JOIN carts c ON c.id = $4
    LEFT JOIN checkouts k ON k.cart_id = c.id
    LEFT JOIN message_templates t ON t.key = $2
    LEFT JOIN LATERAL (
        SELECT id FROM message_template_versions v
        WHERE v.template_id = t.id AND v.published_at IS NOT NULL
        ORDER BY CASE
            WHEN lower(v.language) = lower(p.language) THEN 0
            WHEN split_part(lower(v.language), '-', 1) = split_part(lower(p.language), '-', 1) THEN 1
            WHEN split_part(lower(v.language), '-', 1) = split_part(lower(s.locale), '-', 1) THEN 2
            WHEN split_part(lower(v.language), '-', 1) = 'en' THEN 3
            ELSE 4
        END, v.number DESC, v.language LIMIT 1
    ) v ON true
    WHERE p.id = $1
"""
# What is still to be sent counts as of now, for as long as its provider may be away: it may go out in this minute.
_LATEST = """
    SELECT max(at) FROM (
        SELECT CASE WHEN state IN ('RESERVED', 'SENDING') AND created_at > $4::timestamptz - $5::interval THEN $4
                    ELSE coalesce(sent_at, created_at) END AS at
        FROM messages
        WHERE profile_id IN (SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1) AND channel = $2
          AND purpose = 'MARKETING' AND state IN ('RESERVED', 'SENDING', 'SENT', 'UNKNOWN')
          AND created_at > $3::timestamptz - interval '7 days'
    ) written WHERE at > $3
"""
_EXISTING = """
    SELECT id, state, reason FROM messages
    WHERE dedupe_key = $1 OR (run_id = $2 AND step_key = $3 AND channel = $4 AND resend_of IS NULL)
"""


class Held(NamedTuple):
    """What is locked."""

    profile_id: uuid.UUID
    """The living one."""
    ordered: bool
    """Whether the cart has become an order."""
    is_theirs: bool
    """Whether the cart, if there is one, still is the person's: an email may have been typed by mistake."""


_CART = """
    SELECT c.state, c.profile_id, o.merged_into_id FROM carts c LEFT JOIN profiles o ON o.id = c.profile_id
    WHERE c.id = $1 FOR UPDATE OF c
"""


async def lock(cart_id: uuid.UUID | None, profile_id: uuid.UUID) -> Held:
    """The cart's and then the profile's lock, held until the unit of work ends, as placing an order takes them.

    Asked again in the same unit of work for the same two, it costs nothing: nobody else can have changed them.
    """
    held = db.current_unit_of_work().notes.setdefault(_LOCKS, {})
    if (cart_id, profile_id) not in held:
        cart = await db.fetchrow(_CART, cart_id) if cart_id else None
        living = await identification.lock(profile_id, or_erased=True)
        if cart is None:
            held[cart_id, profile_id] = Held(living, ordered=False, is_theirs=True)
        else:
            is_theirs = not {profile_id, living}.isdisjoint({cart["profile_id"], cart["merged_into_id"]})
            held[cart_id, profile_id] = Held(living, cart["state"] == "COMPLETED", is_theirs)
    found: Held = held[cart_id, profile_id]
    return found


async def reserve(message: MarketingMessage) -> Reserved | Skipped | Deferred:
    """Decide, in the open unit of work. Asked again for the same step or key, it answers what it answered before.

    Raises:
        LookupError: there is no such profile.
    """
    profile_id, ordered, is_theirs = await lock(message.cart_id, message.profile_id)
    known = await db.fetchrow(_EXISTING, message.dedupe_key, message.run_id, message.step_key, message.channel)
    if known is not None:
        return _answer(known)
    facts = await db.fetchrow(_FACTS, profile_id, message.template_key, message.order_id, message.cart_id)
    if facts is None:
        raise RuntimeError("a locked profile has vanished")
    purpose = MessagePurpose(facts["purpose"] or MessagePurpose.MARKETING)
    recipient = _address(message, facts, purpose)
    obstacle: MessageReason | Deferred | None
    if recipient is None:
        obstacle = MessageReason.NO_ADDRESS
    elif ordered and message.order_id is None:
        obstacle = MessageReason.ORDER_PLACED
    elif not is_theirs and message.order_id is None:
        obstacle = MessageReason.EXITED
    elif purpose is MessagePurpose.TRANSACTIONAL:
        obstacle = await permission.transactional(message.channel, recipient)
    else:
        obstacle = await _marketing_obstacle(message, profile_id, recipient, facts)
    obstacle = obstacle or _technical_obstacle(message, facts)
    if isinstance(obstacle, Deferred):
        return obstacle
    message_id = await ledger.reserve(
        dedupe_key=message.dedupe_key,
        channel=message.channel,
        purpose=purpose,
        template=message.template_key,
        recipient=recipient or "",
        order_id=message.order_id,
        context=_context(message),
        skipped=obstacle,
        origin=Origin(
            profile_id=profile_id,
            flow_id=message.flow_id,
            run_id=message.run_id,
            step_key=message.step_key,
            campaign_id=message.campaign_id,
            cart_id=message.cart_id,
            template_version_id=facts["version_id"],
            priority=message.priority,
        ),
    )
    if message_id is None:
        # Somebody else reserved it under another profile's lock: profiles were joined meanwhile.
        row = await db.fetchrow(_EXISTING, message.dedupe_key, message.run_id, message.step_key, message.channel)
        if row is None:
            raise RuntimeError("a reserved message has vanished")
        return _answer(row)
    return Skipped(obstacle, message_id) if obstacle else Reserved(message_id)


def _context(message: MarketingMessage) -> dict[str, str]:
    late = {starting.NOT_AFTER: message.not_after.isoformat()} if message.not_after else {}
    return {**message.context, **late}


def _answer(row: db.Record) -> Reserved | Skipped:
    if row["state"] == MessageState.SKIPPED:
        return Skipped(MessageReason(row["reason"]), row["id"])
    return Reserved(row["id"])


def _address(message: MarketingMessage, facts: db.Record, purpose: MessagePurpose) -> str | None:
    """Marketing goes to what the profile has; a message about an order also to what the order was placed with.

    A text about a cart opens it to whoever reads it. So it goes to the number that was given with that cart, or one
    that an order of the same person was paid with: anybody can type a number of their own beside somebody's email.
    """
    if message.channel is MessageChannel.EMAIL:
        column = "email"
    else:
        column = "phone"
        if message.cart_id is not None and message.order_id is None:
            given_or_proven: str | None = facts["cart_phone"] or (facts["phone"] if facts["phone_is_proven"] else None)
            return given_or_proven
    of_order = facts[f"order_{column}"] if purpose is MessagePurpose.TRANSACTIONAL else None
    address: str | None = facts[column] or of_order
    return address


async def _marketing_obstacle(
    message: MarketingMessage, profile_id: uuid.UUID, recipient: str, facts: db.Record
) -> MessageReason | Deferred | None:
    now: datetime = facts["now"]
    refused = await permission.marketing(message.channel, recipient)
    if refused is not None:
        return refused
    if facts["marketing_held_until"] and facts["marketing_held_until"] > now:
        return MessageReason.MARKETING_HELD
    if message.not_after is not None and now > message.not_after:
        return MessageReason.TOO_LATE
    window = timedelta(hours=facts["email_cap_hours" if message.channel is MessageChannel.EMAIL else "sms_cap_hours"])
    latest = await db.fetchval(_LATEST, profile_id, message.channel, now - window, now, MAX_TIME_TO_SEND)
    if latest is not None:
        return put_off(message, message.on_cap, MessageReason.FREQUENCY_CAP, latest + window)
    if message.channel is not MessageChannel.EMAIL:
        waking = await _end_of_quiet_hours(recipient, facts)
        if waking is None:
            return MessageReason.QUIET_HOURS
        if waking > now:
            return put_off(message, message.on_quiet, MessageReason.QUIET_HOURS, waking)
    rival = await arbitration.higher_priority_at(
        profile_id, message.channel, priority=message.priority, run_id=message.run_id, now=now, window=window
    )
    if rival is not None:
        return put_off(message, message.on_cap, MessageReason.HIGHER_PRIORITY, rival + window)
    return None


async def _end_of_quiet_hours(phone: str, facts: db.Record) -> datetime | None:
    """Now, outside of them; None where it is never day everywhere that the receiver may be."""
    settings = await marketing_settings.current()
    zones = quiet_hours.zones_of(facts["time_zone"], phone)
    return quiet_hours.next_allowed(facts["now"], zones, settings.quiet_from, settings.quiet_until)


def put_off(
    message: MarketingMessage, mode: OnObstacle, reason: MessageReason, until: datetime
) -> MessageReason | Deferred:
    """A message that would be too late by then is skipped at once."""
    too_late = message.not_after is not None and until > message.not_after
    return reason if mode == "skip" or too_late else Deferred(until, reason)


def _technical_obstacle(message: MarketingMessage, facts: db.Record) -> MessageReason | None:
    if message.not_after is not None and facts["now"] > message.not_after:
        return MessageReason.TOO_LATE
    if facts["version_id"] is None or facts["template_channel"] != message.channel:
        return MessageReason.TEMPLATE_UNAVAILABLE
    if message.channel is MessageChannel.EMAIL and not facts["postal_address"].strip():
        # It was emptied after the template was published; marketing without one is against the law (CAN-SPAM).
        return MessageReason.TEMPLATE_UNAVAILABLE if facts["purpose"] == MessagePurpose.MARKETING else None
    if message.channel is MessageChannel.VOICE and not facts["voice_enabled"]:
        return MessageReason.CHANNEL_DISABLED
    if not providers.is_configured(message.channel, get_settings()):
        return MessageReason.NOT_CONFIGURED
    return None
