"""Gift cards: issued and managed by staff; their balance for whoever has the code."""

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import strawberry

from app import db
from app.gift_cards import entering, issuing, managing, queries
from app.gift_cards.issuing import Gift
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation, query
from schema.connections import After, Connection, First
from schema.context import Info
from schema.gift_cards.types import (
    GIFT_CARD_PREFIX,
    GiftCard,
    GiftCardBalance,
    GiftCardIssuePayload,
    GiftCardPayload,
)
from schema.money import MoneyInput
from schema.nodes import Node, node_loader
from schema.selection import Selection


@strawberry.input(description="A new gift card.")
class GiftCardIssueInput:
    amount: MoneyInput = strawberry.field(description="What it is worth, above zero, in a currency of the shop.")
    recipient_email: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whom to mail the code to; left out, only the answer has it."
    )
    expires_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When it ends, with what is left; left out or null, never. Many places forbid an early end.",
    )
    recipient_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="As the mail addresses them, up to 120 characters."
    )
    message: str | None = strawberry.field(
        default=strawberry.UNSET, description="Words for the mail, up to 1,000 characters."
    )
    send_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When to mail it; left out or null, at once."
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="Staff's own, up to 1,000 characters; nobody else sees it."
    )

    @property
    def gift(self) -> Gift:
        return Gift(
            recipient_email=self.recipient_email or None,
            recipient_name=self.recipient_name or None,
            message=self.message or None,
            send_at=self.send_at or None,
        )


GiftCardId = Annotated[strawberry.ID, strawberry.argument(description="Id of the gift card.")]


@strawberry.type
class GiftCardQueries:
    @query(access=STAFF(Permission.GIFT_CARDS_READ), description="Gift cards, the newest first.")
    async def gift_cards(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last_characters: Annotated[
            str | None, strawberry.argument(description="Only cards whose code ends in these one to four characters.")
        ] = strawberry.UNSET,
    ) -> Connection[GiftCard]:
        selection = Selection.of(info)
        page = await queries.cards_page(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR),
            last_characters or None,
            count="totalCount" in selection,
        )
        return Connection[GiftCard].of(page, await _shown(page.items, selection.nodes()))

    @query(access=STAFF(Permission.GIFT_CARDS_READ), description="One gift card; null when there is none.")
    async def gift_card(self, info: Info, id: GiftCardId) -> GiftCard | None:
        return await _find(ids.decode(GIFT_CARD_PREFIX, id, ["id"]), Selection.of(info))

    @query(
        access=PUBLIC,
        description="What is left on the gift card with this code; null when there is none. Send the code as a "
        "variable, in a POST. Who tries too many codes that do not exist hears RATE_LIMITED for a while.",
    )
    async def gift_card_balance(
        self, info: Info, code: Annotated[str, strawberry.argument(description="In any case, with or without hyphens.")]
    ) -> GiftCardBalance | None:
        card = await entering.balance_of(code, info.context.client_address)
        return GiftCardBalance.of(card) if card else None


@strawberry.type
class GiftCardMutations:
    @mutation(
        access=STAFF(Permission.GIFT_CARDS_WRITE),
        description="Issue a gift card. Its code is in this answer and in its recipient's mail, nowhere else.",
    )
    async def gift_card_issue(
        self, info: Info, input: Annotated[GiftCardIssueInput, strawberry.argument(description="The card.")]
    ) -> GiftCardIssuePayload:
        issued = await issuing.issue_by_staff(
            input.amount.parsed(["input", "amount", "amount"]), input.gift, input.expires_at or None, input.note or None
        )
        return GiftCardIssuePayload(gift_card=(await _payload(info, issued.id)).gift_card, code=issued.code)

    @mutation(
        access=STAFF(Permission.GIFT_CARDS_WRITE),
        description="Switch a gift card off. Checkouts that are being paid with it keep what they hold.",
    )
    async def gift_card_disable(self, info: Info, id: GiftCardId) -> GiftCardPayload:
        card_id = ids.decode(GIFT_CARD_PREFIX, id, ["id"])
        await managing.switch_card(card_id, on=False)
        return await _payload(info, card_id)

    @mutation(access=STAFF(Permission.GIFT_CARDS_WRITE), description="Switch a gift card on again.")
    async def gift_card_enable(self, info: Info, id: GiftCardId) -> GiftCardPayload:
        card_id = ids.decode(GIFT_CARD_PREFIX, id, ["id"])
        await managing.switch_card(card_id, on=True)
        return await _payload(info, card_id)

    @mutation(access=STAFF(Permission.GIFT_CARDS_WRITE), description="Put the balance of a gift card right.")
    async def gift_card_adjust(
        self,
        info: Info,
        id: GiftCardId,
        delta: Annotated[
            Decimal,
            strawberry.argument(description="In the card's currency; below zero to take. Never below what is left."),
        ],
        reason: Annotated[str, strawberry.argument(description="Kept in the ledger, up to 500 characters.")],
    ) -> GiftCardPayload:
        card_id = ids.decode(GIFT_CARD_PREFIX, id, ["id"])
        await managing.adjust_card(card_id, delta, reason)
        return await _payload(info, card_id)

    @mutation(access=STAFF(Permission.GIFT_CARDS_WRITE), description="Mail the code of a gift card once more, now.")
    async def gift_card_resend(
        self,
        info: Info,
        id: GiftCardId,
        recipient_email: Annotated[
            str | None,
            strawberry.argument(description="Instead of the address that it has, which this one takes the place of."),
        ] = strawberry.UNSET,
    ) -> GiftCardPayload:
        card_id = ids.decode(GIFT_CARD_PREFIX, id, ["id"])
        await managing.resend(card_id, recipient_email or None)
        return await _payload(info, card_id)


async def _payload(info: Info, card_id: uuid.UUID) -> GiftCardPayload:
    """To change a card is not to read it."""
    if not _may_read(info):
        return GiftCardPayload()
    return GiftCardPayload(gift_card=await _find(card_id, Selection.of(info).below("giftCard")))


def _may_read(info: Info) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(Permission.GIFT_CARDS_READ)


async def _find(card_id: uuid.UUID, selection: Selection) -> GiftCard | None:
    shown = await _shown(list((await queries.cards_by_ids([card_id])).values()), selection)
    return shown[0] if shown else None


async def _shown(rows: Sequence[db.Record], selection: Selection) -> list[GiftCard]:
    """One statement more where the ledger is asked for."""
    wanted = [row["id"] for row in rows] if "entries" in selection else []
    entries = await queries.entries_of(wanted) if wanted else {}
    return [GiftCard.of(row, entries.get(row["id"], [])) for row in rows]


@node_loader(GIFT_CARD_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(GIFT_CARD_PREFIX, text, ["id"]) for text in texts]
    seen = wanted if _may_read(info) else []
    shown = await _shown(list((await queries.cards_by_ids(seen)).values()), selection) if seen else []
    found = {card.id: card for card in shown}
    return [found.get(strawberry.ID(ids.encode(GIFT_CARD_PREFIX, card_id))) for card_id in wanted]
