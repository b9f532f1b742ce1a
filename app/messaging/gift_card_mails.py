"""The mail with a gift card's code, to whoever it is for.

| template | beside `language` and `shop` |
|---|---|
| gift_card | `card`: `code`, `amount`, `expires_on` or nil; `recipient`: `name` or nil; `message` or nil |
"""

import uuid
from collections.abc import Mapping

from app import db
from app.gift_cards import codes
from app.gift_cards.models import ValueStatus
from app.messaging import checks, formats, ledger
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.settings import Settings
from app.shop import queries as shop_queries

GIFT_CARD = "gift_card"

_CARD = """
    SELECT g.id, g.code_hash, g.initial_minor, g.recipient_name, g.message, s.currency_code, s.expires_at,
           sh.time_zone, sh.locale
    FROM gift_cards g JOIN stored_values s ON s.id = g.id LEFT JOIN shop sh ON sh.id = 1
    WHERE g.id = $1
"""


class GiftCardNotFoundError(Exception):
    """There is nothing to send: no such card, or its key has left the ring."""


async def reserve(card_id: uuid.UUID, asked: uuid.UUID) -> None:
    """Inside a unit of work; nothing for a card without a recipient.

    Args:
        asked: the event, so that every request is one mail.
    """
    email = await db.fetchval("SELECT recipient_email FROM gift_cards WHERE id = $1", card_id)
    if email is None:
        return
    await ledger.reserve(
        dedupe_key=f"{GIFT_CARD}:{card_id.hex}:{asked.hex}",
        channel=MessageChannel.EMAIL,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=GIFT_CARD,
        recipient=email,
        order_id=None,
        context={"giftCardId": str(card_id)},
    )


@checks.before_sending("gift_cards.mails")
async def pointless(row: LedgerRow) -> MessageReason | None:
    """A card that was switched off while its mail waited, as its order was cancelled, is not sent."""
    if row.template != GIFT_CARD:
        return None
    card_id = uuid.UUID(row.context["giftCardId"])
    status = await db.fetchval("SELECT status FROM stored_values WHERE id = $1", card_id)
    return None if status == ValueStatus.ACTIVE else MessageReason.SUPERSEDED


async def build(ids: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The values of the template.

    Args:
        ids: `giftCardId`.

    Raises:
        GiftCardNotFoundError
    """
    row = await db.fetchrow(_CARD, uuid.UUID(str(ids["giftCardId"])))
    code = codes.code_of(row["id"], row["code_hash"]) if row else None
    if row is None or code is None:
        raise GiftCardNotFoundError("there is no such gift card")
    locale = formats.text_locale(row["locale"] or LANGUAGE)
    ends = row["expires_at"]
    return {
        "language": LANGUAGE,
        "shop": shop_values(await shop_queries.current(), settings),
        "card": {
            "code": code,
            "amount": formats.money_text(row["initial_minor"], row["currency_code"], locale),
            "expires_on": formats.day_text(ends, row["time_zone"] or "UTC", locale) if ends else None,
        },
        "recipient": {"name": row["recipient_name"]},
        "message": row["message"],
    }
