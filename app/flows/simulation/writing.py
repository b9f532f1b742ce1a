"""Whether a message would have been written: as `app.messaging.marketing.reserve` decides, over the past."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app import db
from app.customers.permission import consent_channel, refusal_of
from app.flows.definitions import Definition
from app.flows.simulation.history import Past
from app.messaging import marketing_settings, quiet_hours
from app.messaging.marketing import Deferred, MarketingMessage, Reserved, Skipped, put_off
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.shop import queries as shop_queries

_NOT_WRITTEN = uuid.UUID(int=0)
"""There is no row: the id of messages that a simulation decides on."""


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    channel: MessageChannel
    purpose: MessagePurpose
    published: bool


@dataclass(frozen=True, slots=True)
class World:
    """What holds for everybody, as it is today."""

    currency: str
    time_zone: str | None
    has_postal_address: bool
    email_cap: timedelta
    sms_cap: timedelta
    quiet_from: time
    quiet_until: time
    voice_enabled: bool
    templates: Mapping[str, TemplateFacts]
    products: Mapping[str, uuid.UUID]
    """By slug, of those that conditions name."""

    @classmethod
    async def today(cls, definition: Definition, slugs: list[str]) -> "World":
        shop, settings = await shop_queries.current(), await marketing_settings.current()
        templates = await db.fetch(
            """
            SELECT key, channel, purpose, EXISTS (
                SELECT FROM message_template_versions v WHERE v.template_id = t.id AND v.published_at IS NOT NULL
            ) AS published FROM message_templates t WHERE key = ANY($1)
            """,
            [step.template for step in definition.sends()],
        )
        products = await db.fetch("SELECT slug, id FROM products WHERE slug = ANY($1)", slugs)
        return cls(
            currency=shop.currency_code,
            time_zone=shop.time_zone,
            has_postal_address=bool(shop.postal_address.strip()),
            email_cap=timedelta(hours=settings.email_cap_hours),
            sms_cap=timedelta(hours=settings.sms_cap_hours),
            quiet_from=settings.quiet_from,
            quiet_until=settings.quiet_until,
            voice_enabled=settings.voice_enabled,
            templates={
                row["key"]: TemplateFacts(
                    MessageChannel(row["channel"]), MessagePurpose(row["purpose"]), row["published"]
                )
                for row in templates
            },
            products={row["slug"]: row["id"] for row in products},
        )


def decide(message: MarketingMessage, past: Past, world: World, now: datetime) -> Reserved | Skipped | Deferred:
    template = world.templates.get(message.template_key)
    purpose = template.purpose if template else MessagePurpose.MARKETING
    column = "email" if message.channel is MessageChannel.EMAIL else "phone"
    recipient: str | None = past.profile[column]
    obstacle: MessageReason | Deferred | None = None
    if recipient is None:
        obstacle = MessageReason.NO_ADDRESS
    elif message.order_id is None and _is_ordered(message.cart_id, past, now):
        obstacle = MessageReason.ORDER_PLACED
    elif purpose is MessagePurpose.MARKETING:
        obstacle = _marketing_obstacle(message, recipient, past, world, now)
    obstacle = obstacle or _technical_obstacle(message, template, world, now)
    if isinstance(obstacle, Deferred):
        return obstacle
    if obstacle is not None:
        return Skipped(obstacle, _NOT_WRITTEN)
    if purpose is MessagePurpose.MARKETING:
        past.written.setdefault(message.channel, []).append(now)
    return Reserved(_NOT_WRITTEN)


def _is_ordered(cart_id: uuid.UUID | None, past: Past, now: datetime) -> bool:
    return cart_id is not None and any(order.cart_id == cart_id and order.placed_at <= now for order in past.orders)


def _marketing_obstacle(
    message: MarketingMessage, recipient: str, past: Past, world: World, now: datetime
) -> MessageReason | Deferred | None:
    refused = refusal_of(past.consent(consent_channel(message.channel), now))
    if refused is not None:
        return refused
    if past.is_suppressed(message.channel, now):
        return MessageReason.SUPPRESSED
    cap = world.email_cap if message.channel is MessageChannel.EMAIL else world.sms_cap
    latest = max(
        (moment for moment in past.written.get(message.channel, ()) if now - cap < moment <= now), default=None
    )
    if latest is not None:
        return put_off(message, message.on_cap, MessageReason.FREQUENCY_CAP, latest + cap)
    if message.channel is not MessageChannel.EMAIL:
        zones = quiet_hours.zones_of(past.profile["time_zone"], recipient)
        waking = quiet_hours.next_allowed(now, zones, world.quiet_from, world.quiet_until)
        if waking is None:
            return MessageReason.QUIET_HOURS
        if waking > now:
            return put_off(message, message.on_quiet, MessageReason.QUIET_HOURS, waking)
    return None


def _technical_obstacle(
    message: MarketingMessage, template: TemplateFacts | None, world: World, now: datetime
) -> MessageReason | None:
    if message.not_after is not None and now > message.not_after:
        return MessageReason.TOO_LATE
    if template is None or not template.published or template.channel is not message.channel:
        return MessageReason.TEMPLATE_UNAVAILABLE
    is_marketing_mail = message.channel is MessageChannel.EMAIL and template.purpose is MessagePurpose.MARKETING
    if is_marketing_mail and not world.has_postal_address:
        return MessageReason.TEMPLATE_UNAVAILABLE
    if message.channel is MessageChannel.VOICE and not world.voice_enabled:
        return MessageReason.CHANNEL_DISABLED
    return None
