"""Messages with the link of a draft order or a quotation, and with an invitation to a company.

| template | beside `language` and `shop` |
|---|---|
| draft_order | `url`; `is_quotation`; `total`; `deposit`, `owed`, `expires_on` and `message`, or nil; `lines`; |
| | `store`: lines of text, none where it is shipped |
| company_invitation | `url`; `company` |
"""

import uuid
from collections.abc import Mapping

from app import db
from app.assisted import queries
from app.assisted.content import DraftContent
from app.assisted.links import url_of
from app.assisted.models import DraftKind, DraftState
from app.assisted.shipping import store_lines
from app.companies import invitations
from app.messaging import checks, formats, ledger, providers
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.payments import later
from app.settings import Settings, get_settings
from app.shop import queries as shop_queries

DRAFT_ORDER, COMPANY_INVITATION = "draft_order", "company_invitation"
TEMPLATES = frozenset({DRAFT_ORDER, COMPANY_INVITATION})


class DraftNotFoundError(Exception):
    """There is nothing to send: no such draft or invitation, or its key has left the ring."""


async def reserve(draft_id: uuid.UUID, asked: uuid.UUID) -> None:
    """Inside a unit of work: a mail, or a text message to who has a phone alone.

    Args:
        asked: the event, so that every time it is sent is one message.
    """
    draft = (await queries.by_ids([draft_id])).get(draft_id)
    channel = channel_of(draft.content) if draft else None
    if draft is None or channel is None:
        return
    recipient = draft.content.email if channel is MessageChannel.EMAIL else draft.content.phone
    if recipient:
        await _reserve(DRAFT_ORDER, recipient, asked, {"draftOrderId": str(draft_id)}, channel)


def channel_of(content: DraftContent) -> MessageChannel | None:
    """How a draft's link is sent; None where the shop cannot, as text messages were never set up."""
    if content.email:
        return MessageChannel.EMAIL
    texts = content.phone and providers.is_configured(MessageChannel.SMS, get_settings())
    return MessageChannel.SMS if texts else None


async def reserve_invitation(member_id: uuid.UUID, asked: uuid.UUID) -> None:
    """Inside a unit of work."""
    email = await db.fetchval("SELECT email FROM company_members WHERE id = $1 AND joined_at IS NULL", member_id)
    if email is not None:
        await _reserve(COMPANY_INVITATION, email, asked, {"companyMemberId": str(member_id)})


async def _reserve(
    template: str,
    recipient: str,
    asked: uuid.UUID,
    context: dict[str, str],
    channel: MessageChannel = MessageChannel.EMAIL,
) -> None:
    await ledger.reserve(
        dedupe_key=f"{template}:{asked.hex}",
        channel=channel,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=template,
        recipient=recipient,
        order_id=None,
        context=context,
    )


@checks.before_sending("draft_orders.mails")
async def pointless(row: LedgerRow) -> MessageReason | None:
    """What staff have taken back while its mail waited is not sent, and nothing of what is paid meanwhile."""
    if row.template != DRAFT_ORDER:
        return None
    draft_id = uuid.UUID(row.context["draftOrderId"])
    draft = await db.fetchrow("SELECT state, order_id FROM draft_orders WHERE id = $1", draft_id)
    if draft is None or (draft["order_id"] and not await _owed(draft["order_id"])):
        return MessageReason.SUPERSEDED
    return None if draft["state"] in (DraftState.SENT, DraftState.COMPLETED) else MessageReason.SUPERSEDED


async def _owed(order_id: uuid.UUID) -> int:
    return (await later.owed_of([order_id]))[order_id]


async def build(template: str, ids: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The values of a template.

    Args:
        template: one of `TEMPLATES`.
        ids: `draftOrderId` or `companyMemberId`.

    Raises:
        DraftNotFoundError
    """
    shop = await shop_queries.current()
    values: dict[str, object] = {"language": LANGUAGE, "shop": shop_values(shop, settings)}
    if template == COMPANY_INVITATION:
        invited = await invitations.mailed(uuid.UUID(str(ids["companyMemberId"])))
        if invited is None:
            raise DraftNotFoundError("there is no such invitation")
        return {**values, "url": invited.url, "company": invited.company_name}
    draft_id = uuid.UUID(str(ids["draftOrderId"]))
    draft = (await queries.by_ids([draft_id])).get(draft_id)
    url = url_of(draft) if draft else None
    if draft is None or url is None or draft.offer is None or not (draft.expires_at or draft.order_id):
        raise DraftNotFoundError("there is no such draft order")
    locale = formats.text_locale(shop.locale or LANGUAGE)
    return {
        **values,
        "url": url,
        "is_quotation": draft.kind is DraftKind.QUOTATION,
        "total": formats.money_text(draft.total_minor, draft.currency_code, locale),
        "deposit": formats.money_text(draft.offer.first_payment_minor, draft.currency_code, locale)
        if draft.offer.first_payment_minor < draft.offer.due_minor
        else None,
        "owed": formats.money_text(await _owed(draft.order_id), draft.currency_code, locale)
        if draft.order_id
        else None,
        "expires_on": formats.day_text(draft.expires_at, shop.time_zone or "UTC", locale) if draft.expires_at else None,
        "message": draft.reply,
        "store": store_lines(draft.content),
        "lines": [
            {
                "name": line.product_name if not line.variant_name else f"{line.product_name}, {line.variant_name}",
                "quantity": line.quantity,
                "total": formats.money_text(line.total_minor, draft.currency_code, locale),
            }
            for line in draft.offer.lines
        ],
    }
