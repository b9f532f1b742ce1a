"""From a row of the ledger to the message as it leaves the shop, the same at every try."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from app import db
from app.errors import DomainError
from app.messaging import (
    account_context,
    account_mails,
    composing,
    draft_order_mails,
    gift_card_mails,
    invoice_copies,
    marketing_settings,
    merge_values,
    message_events,
    mime,
    order_approval_mails,
    order_context,
    previewing,
    rendering,
    sms_rules,
    staff_mails,
    versions,
)
from app.messaging.compiling import CompilingError
from app.messaging.ledger import LedgerRow
from app.messaging.merge_values import MergeDataError, Subject
from app.messaging.mime import AttachedPdf
from app.messaging.models import MessageChannel, MessagePurpose
from app.messaging.order_values import ShopValues
from app.messaging.previewing import About
from app.messaging.rendering import LANGUAGE, RenderedEmail, RenderingError
from app.messaging.shop_values import shop_values
from app.messaging.sms import sms_length
from app.messaging.starting import TEST
from app.messaging.tracked_links import LinkTracker
from app.messaging.transports import OutgoingCall, OutgoingMessage, OutgoingSms
from app.messaging.versions import Version
from app.settings import Settings
from app.shop import queries as shop_queries

STAFF_NOTICE = "staff_notice"
TEST_MARK = "[Test] "
SPOKEN = {MessageChannel.EMAIL: "email", MessageChannel.SMS: "sms", MessageChannel.VOICE: "call"}
"""As `utm_medium`."""


class UnwritableError(Exception):
    """Template and data do not fit, or what it is about is gone. The text names the place, never a value."""


@dataclass(frozen=True, slots=True)
class Written:
    message: OutgoingMessage
    urls: list[str]
    """Links to count, by position."""
    segments: int | None
    """Of a text message."""


async def write(row: LedgerRow, settings: Settings) -> Written:
    """Raises UnwritableError, and what `mime.compose` raises."""
    try:
        if row.template_version_id is not None:
            return await _from_database(row, row.template_version_id, settings)
        return await _built_in(row, settings)
    except (
        RenderingError,
        CompilingError,
        MergeDataError,
        order_context.OrderNotFoundError,
        account_context.ConsentNotFoundError,
        staff_mails.StaffLinkNotFoundError,
        account_mails.LinkNotFoundError,
        gift_card_mails.GiftCardNotFoundError,
        draft_order_mails.DraftNotFoundError,
        order_approval_mails.ApprovalNotFoundError,
        DomainError,
    ) as error:
        raise UnwritableError(str(error)) from error


async def _built_in(row: LedgerRow, settings: Settings) -> Written:
    if row.template in account_context.TEMPLATES:
        values = await account_context.build(row.template, row.context, settings)
    elif row.template in account_mails.TEMPLATES:
        values = await account_mails.build(row.template, row.context, settings)
    elif row.template in staff_mails.TEMPLATES:
        values = await staff_mails.build(row.template, row.context, settings)
    elif row.template == gift_card_mails.GIFT_CARD:
        values = await gift_card_mails.build(row.context, settings)
    elif row.template in draft_order_mails.TEMPLATES:
        values = await draft_order_mails.build(row.template, row.context, settings)
    elif row.template in order_approval_mails.TEMPLATES:
        values = await order_approval_mails.build(row.context, settings)
    elif row.template == STAFF_NOTICE:
        shop = shop_values(await shop_queries.current(), settings)
        values = {"language": LANGUAGE, "shop": shop, "subject": row.context["subject"], "text": row.context["text"]}
    elif row.order_id is not None:
        await invoice_copies.issue_for(row)
        values = await order_context.build(row.template, row.order_id, row.context, settings)
    else:
        raise order_context.OrderNotFoundError("the message belongs to no order")
    if row.channel is MessageChannel.EMAIL:
        rendered = rendering.render_email(row.template, values)
        shop = cast(ShopValues, values["shop"])
        return Written(_mail(row, rendered, shop, settings, attached=await invoice_copies.for_mail(row)), [], None)
    return _text(row, rendering.render_sms(row.template, values), [])


async def _from_database(row: LedgerRow, version_id: uuid.UUID, settings: Settings) -> Written:
    version = await versions.load(version_id)
    if version is None:
        raise MergeDataError("the template's version is gone")
    if TEST in row.context:
        values = await previewing.values_of(version, About.of_context(row.context))
    else:
        values = await merge_values.build(
            Subject.of(row),
            trigger=version.trigger,
            language=version.text.language,
            uses=composing.uses(version),
            settings=settings,
        )
    links = cast(Mapping[str, str], values["links"])
    tracker = await _tracker(row, links, settings)
    shop = cast(ShopValues, values["shop"])
    match row.channel:
        case MessageChannel.EMAIL:
            rendered = composing.compose_email(version, values, tracker)
            marketing = row.purpose is MessagePurpose.MARKETING
            unsubscribe_url = links["unsubscribe"] if marketing else None
            mail = _mail(row, rendered, shop, settings, version=version, unsubscribe_url=unsubscribe_url)
            return Written(mail, tracker.urls, None)
        case MessageChannel.SMS:
            text = composing.compose_sms(version, values, tracker, first_of=await _first_of(row, shop["name"]))
            return _text(row, text, tracker.urls)
        case _:
            spoken = composing.compose_call(version, values)
            call = OutgoingCall(row.id, row.purpose, row.template, row.recipient, spoken, version.text.language)
            return Written(call, [], None)


async def _first_of(row: LedgerRow, brand: str) -> str | None:
    """The brand, where this is its first marketing text to the number."""
    first = row.purpose is MessagePurpose.MARKETING and await sms_rules.is_first_marketing_sms(row.recipient)
    return brand if first else None


async def _tracker(row: LedgerRow, links: Mapping[str, str], settings: Settings) -> LinkTracker:
    return LinkTracker(
        message_id=row.id,
        utm=await utm_of(row),
        kept={links[name] for name in ("unsubscribe", "preferences", "view")},
        settings=settings,
    )


async def utm_of(row: LedgerRow) -> dict[str, str]:
    """Which flow and step, or campaign, a visit came from, for the storefront's own statistics."""
    flow_key = await message_events.flow_key(row.flow_id)
    campaign = (
        await db.fetchval("SELECT name FROM campaigns WHERE id = $1", row.campaign_id) if row.campaign_id else None
    )
    return {
        "utm_source": (await marketing_settings.current()).utm_source,
        "utm_medium": SPOKEN[row.channel],
        "utm_campaign": flow_key or campaign or row.template,
        "utm_content": row.step_key or row.template,
    }


def _text(row: LedgerRow, text: str, urls: list[str]) -> Written:
    whole = TEST_MARK + text if TEST in row.context else text
    message = OutgoingSms(row.id, row.purpose, row.template, row.recipient, whole)
    return Written(message, urls, sms_length(whole).segments)


def _mail(
    row: LedgerRow,
    rendered: RenderedEmail,
    shop: ShopValues,
    settings: Settings,
    *,
    version: Version | None = None,
    unsubscribe_url: str | None = None,
    attached: Sequence[AttachedPdf] = (),
) -> OutgoingMessage:
    if TEST in row.context:
        rendered = RenderedEmail(TEST_MARK + rendered.subject, rendered.html, rendered.text)
    return mime.compose(
        message_id=row.id,
        purpose=row.purpose,
        template=row.template,
        rendered=rendered,
        recipient=row.recipient,
        email_from=settings.email_from,
        reply_to=settings.email_reply_to or mime.mailbox_or_none(shop["email"]),
        shop_name=shop["name"],
        written_at=row.created_at,
        language=version.text.language if version else LANGUAGE,
        unsubscribe_url=unsubscribe_url,
        feedback=":".join((row.template, row.step_key or "direct")),
        attached=attached,
    )
