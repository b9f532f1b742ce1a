"""What becomes of gift cards by themselves: mailed when it is time, over when it is time."""

import uuid

from app import events
from app.events import Event
from app.gift_cards import credit_parts, expiring, issuing, selling
from app.messaging import gift_card_mails


@events.on(issuing.MAIL_DUE, name="gift_cards.mail")
async def on_mail_due(event: Event) -> None:
    await gift_card_mails.reserve(_subject(event), event.id)


@events.on(expiring.EXPIRES, name="gift_cards.expire")
async def on_expires(event: Event) -> None:
    await expiring.expire(_subject(event))
    await credit_parts.look(_subject(event))


async def _sells_gift_cards(event: Event) -> bool:
    return await selling.is_sold_with(_subject(event))


@events.on("order.paid", name="gift_cards.issue", only_if=_sells_gift_cards)
@events.on(selling.ISSUE_DUE, name="gift_cards.issue")
async def on_paid(event: Event) -> None:
    await selling.issue_sold(_subject(event))


@events.on("order.cancelled", name="gift_cards.switch_off", only_if=_sells_gift_cards)
async def on_order_cancelled(event: Event) -> None:
    await selling.switch_off_all(_subject(event))


@events.on("order.refunded", name="gift_cards.switch_off", only_if=_sells_gift_cards)
async def on_order_refunded(event: Event) -> None:
    await selling.switch_off_refunded(_subject(event), uuid.UUID(event.payload["refundId"]))


# On its own: the cards are locked before credit of others, whose ids may come first.
@events.on("order.cancelled", name="gift_cards.settle_credit", only_if=_sells_gift_cards)
@events.on("order.refunded", name="gift_cards.settle_credit", only_if=_sells_gift_cards)
@events.on(selling.ISSUE_DUE, name="gift_cards.settle_credit")
async def on_price_moved(event: Event) -> None:
    """What some of the cards have become before: withheld with their price, and given back with it."""
    await credit_parts.settle_order(_subject(event))


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
