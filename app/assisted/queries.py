"""Reading draft orders."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.assisted.content import DraftContent
from app.assisted.models import DraftKind, DraftState
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.orders.draft import OrderDraft

CURSOR = "draft_orders"
TOKEN_PURPOSE = "draft order"  # noqa: S105 - names what the token is for
MAX_TOKEN_CHARS = 100
_DRAFTS = """
    SELECT d.*, business_now() AS now, d.state = 'SENT' AND d.expires_at <= business_now() AS is_over
    FROM draft_orders d
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft order, or a quotation, with what it will be as an order.

    Attributes:
        is_over: it was sent and its time has passed, whether or not the timer has come by.
    """

    id: uuid.UUID
    kind: DraftKind
    state: DraftState
    content: DraftContent
    offer: OrderDraft | None
    currency_code: str
    total_minor: int
    customer_id: uuid.UUID | None
    company_id: uuid.UUID | None
    message: str | None
    reply: str | None
    token_hash: bytes
    days_good: int | None
    sent_at: datetime | None
    expires_at: datetime | None
    order_id: uuid.UUID | None
    created_at: datetime
    updated_at: datetime
    now: datetime
    is_over: bool

    @property
    def standing(self) -> DraftState:
        """The state, where a time that has passed counts at once."""
        return DraftState.EXPIRED if self.is_over else self.state

    @property
    def token(self) -> str | None:
        """What the link carries, derived anew; None when the key that it was made under has left the ring."""
        tokens = keyring().derivations(TOKEN_PURPOSE, self.id)
        return next((token for token in tokens if token_matches(token, self.token_hash)), None)

    def is_shown_to(self, customer_id: uuid.UUID) -> bool:
        """To the account that it is for, once it was sent or as it was asked for."""
        return self.customer_id == customer_id and (self.sent_at is not None or self.kind is not DraftKind.DRAFT)

    @property
    def is_linked(self) -> bool:
        """Whether its link opens something: the offer, or the order and what it owes."""
        return self.standing is DraftState.SENT or (self.order_id is not None and self.sent_at is not None)

    @property
    def ships(self) -> bool:
        return self.offer is not None and self.offer.ships


def _draft(row: db.Record) -> Draft:
    return Draft(
        id=row["id"],
        kind=DraftKind(row["kind"]),
        state=DraftState(row["state"]),
        content=DraftContent.from_json(row["content"]) if row["content"] else DraftContent(),
        offer=OrderDraft.from_json(row["offer"]) if row["offer"] else None,
        currency_code=row["currency_code"],
        total_minor=row["total_minor"],
        customer_id=row["customer_id"],
        company_id=row["company_id"],
        message=row["message"],
        reply=row["reply"],
        token_hash=row["token_hash"],
        days_good=row["days_good"],
        sent_at=row["sent_at"],
        expires_at=row["expires_at"],
        order_id=row["order_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        now=row["now"],
        is_over=bool(row["is_over"]),
    )


async def by_ids(draft_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Draft]:
    rows = await db.fetch(f"{_DRAFTS} WHERE d.id = ANY($1::uuid[])", list(draft_ids))
    return {row["id"]: _draft(row) for row in rows}


async def by_token(token: str) -> Draft | None:
    """What a link opens. What staff change at the moment, and what nobody was sent, is opened by none."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    row = await db.fetchrow(
        f"{_DRAFTS} WHERE d.token_hash = $1 AND d.sent_at IS NOT NULL AND d.state <> 'OPEN' AND d.offer IS NOT NULL",
        hash_token(token),
    )
    return _draft(row) if row else None


async def page(
    request: PageRequest,
    *,
    kind: DraftKind | None = None,
    state: DraftState | None = None,
    customer_id: uuid.UUID | None = None,
    company_id: uuid.UUID | None = None,
    count: bool = False,
) -> PageResult[Draft]:
    """Newest first."""
    where = """
        ($1::text IS NULL OR d.kind = $1) AND ($2::text IS NULL OR d.state = $2)
        AND ($3::uuid IS NULL OR d.customer_id = $3) AND ($4::uuid IS NULL OR d.company_id = $4)
    """
    wanted = (kind and kind.value, state and state.value, customer_id, company_id)
    rows = await db.fetch(
        f"{_DRAFTS} WHERE {where} AND ($5::uuid IS NULL OR d.id < $5) ORDER BY d.id DESC LIMIT $6",
        *wanted,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM draft_orders d WHERE {where}", *wanted) if count else None
    drafts = [_draft(row) for row in rows]
    return page_of(drafts, [encode_cursor([draft.id.hex], CURSOR) for draft in drafts], request, total)
