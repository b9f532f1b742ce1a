"""Reading gift cards, store credit and their ledger."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app import db
from app.errors import CommonErrorCode, DomainError
from app.gift_cards import codes
from app.gift_cards.models import ValueKind, ValueStatus
from app.gift_cards.rules import ValueTerms
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of

CURSOR = "gift_cards"
MAX_ENTRIES = 100
"""Of one balance, the newest."""
_LAST = re.compile(r"[0-9A-Za-z]{1,4}")

_CARDS = """
    SELECT g.*, s.status, s.currency_code, s.balance_minor, s.expires_at,
           coalesce(s.expires_at <= business_now(), false) AS expired
    FROM gift_cards g JOIN stored_values s ON s.id = g.id
"""
_ACCOUNTS = """
    SELECT id, customer_id, currency_code, balance_minor, created_at, status,
           coalesce(expires_at <= business_now(), false) AS expired
    FROM stored_values
"""
# A hold that was redeemed is shown as that, with its order; what was redeemed moves nothing itself.
_ENTRIES = """
    SELECT v.id AS value_id, e.id, e.amount_minor, e.reason, e.expires_at, e.created_at,
           CASE WHEN paid.id IS NOT NULL THEN 'REDEEM' ELSE e.kind END AS kind,
           coalesce(paid.order_id, e.order_id) AS order_id
    FROM unnest($1::uuid[]) AS v (id)
    CROSS JOIN LATERAL (
        SELECT * FROM stored_value_entries t WHERE t.stored_value_id = v.id AND t.kind <> 'REDEEM'
        ORDER BY t.id DESC LIMIT $2
    ) e
    LEFT JOIN stored_value_entries paid
      ON e.kind = 'HOLD' AND paid.attempt_id = e.attempt_id AND paid.stored_value_id = v.id AND paid.kind = 'REDEEM'
    ORDER BY e.id DESC
"""


async def cards_by_ids(card_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch(f"{_CARDS} WHERE g.id = ANY($1::uuid[])", list(card_ids))
    return {row["id"]: row for row in rows}


async def card_by_code(typed: str) -> db.Record | None:
    """The card that this code opens, however it is typed."""
    return await db.fetchrow(f"{_CARDS} WHERE g.code_hash = $1", codes.hash_of(typed))


async def terms_by_codes(normalised: Sequence[str]) -> list[ValueTerms | None]:
    """The cards of these codes, in their order; None for each that there is no card of."""
    hashes = [codes.hash_of(code) for code in normalised]
    rows = await db.fetch(f"{_CARDS} WHERE g.code_hash = ANY($1::bytea[])", hashes)
    found = {bytes(row["code_hash"]): _terms(row, ValueKind.GIFT_CARD) for row in rows}
    return [found.get(code_hash) for code_hash in hashes]


async def credit_terms(customer_id: uuid.UUID) -> list[ValueTerms]:
    """Of an account, in each currency."""
    rows = (await accounts_of([customer_id]))[customer_id]
    return [_terms(row, ValueKind.STORE_CREDIT) for row in rows]


def _terms(row: Mapping[str, Any], kind: ValueKind) -> ValueTerms:
    return ValueTerms(
        id=row["id"],
        kind=kind,
        balance_minor=row["balance_minor"],
        currency_code=row["currency_code"],
        last_characters=row.get("last_characters"),
        disabled=row["status"] != ValueStatus.ACTIVE,
        expired=row["expired"],
    )


async def cards_page(request: PageRequest, last_characters: str | None, *, count: bool) -> PageResult[db.Record]:
    """Newest first.

    Args:
        last_characters: only cards whose code ends in these.

    Raises:
        DomainError: INVALID for what no code ends in.
    """
    if last_characters is not None and not _LAST.fullmatch(last_characters):
        raise DomainError(CommonErrorCode.INVALID, "One to four letters or digits.", ["lastCharacters"])
    only = "($1::text IS NULL OR right(g.last_characters, length($1)) = upper($1))"
    rows = await db.fetch(
        f"{_CARDS} WHERE {only} AND ($2::uuid IS NULL OR g.id < $2) ORDER BY g.id DESC LIMIT $3",
        last_characters,
        request.cursor_id(),
        request.fetch_limit,
    )
    total = await db.fetchval(f"SELECT count(*) FROM gift_cards g WHERE {only}", last_characters) if count else None
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR) for row in rows], request, total)


async def accounts_by_ids(account_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, db.Record]:
    rows = await db.fetch(f"{_ACCOUNTS} WHERE id = ANY($1::uuid[]) AND kind = 'STORE_CREDIT'", list(account_ids))
    return {row["id"]: row for row in rows}


async def accounts_of(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[db.Record]]:
    """Of each customer, by currency."""
    found: dict[uuid.UUID, list[db.Record]] = {customer_id: [] for customer_id in customer_ids}
    sql = f"{_ACCOUNTS} WHERE customer_id = ANY($1::uuid[]) ORDER BY currency_code"
    for row in await db.fetch(sql, list(customer_ids)):
        found[row["customer_id"]].append(row)
    return found


async def entries_of(value_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[db.Record]]:
    """The newest entries of each balance, the newest first."""
    found: dict[uuid.UUID, list[db.Record]] = {value_id: [] for value_id in value_ids}
    for row in await db.fetch(_ENTRIES, list(value_ids), MAX_ENTRIES):
        found[row["value_id"]].append(row)
    return found
