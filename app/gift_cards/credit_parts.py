"""Store credit by where it came from: what a gift card became keeps the card's end, and is withheld like the card.

A balance of credit is one number, which checkouts take from. What is left of each amount that was ever given is worked
out from the ledger when it matters, so that spending pays nothing for it: what ends first is spent first, then what was
given first, and what comes back goes where it was taken from.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.gift_cards import expiring
from app.gift_cards.models import EntryKind

_LEDGER = """
    SELECT id, kind, amount_minor, attempt_id, order_id, source_key, expires_at, part_id, created_at
    FROM stored_value_entries WHERE stored_value_id = $1 ORDER BY id
"""
# The two lines of a card that becomes credit have one `source_key` but for its end (`redeeming`).
# Amounts that a card became whose price is not the shop's for good: a payment of the order that it was sold with is
# disputed or lost, or that order is cancelled or given back altogether, for which its cards are switched off as well.
_UNPAID = """
    SELECT made.id FROM stored_value_entries made
    JOIN stored_value_entries taken ON taken.source_key = replace(made.source_key, ':credit', ':card')
    JOIN gift_cards g ON g.id = taken.stored_value_id
    JOIN orders o ON o.id = g.order_id
    WHERE made.stored_value_id = $1 AND made.kind = 'ISSUE' AND made.source_key LIKE 'redeem:%:credit' AND (
        o.status = 'CANCELLED' OR o.payment_status = 'REFUNDED' OR EXISTS (
            SELECT FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
            WHERE p.order_id = g.order_id AND d.state <> 'WON'
        )
    )
"""
_LOCK = "SELECT id FROM stored_values WHERE id = $1 AND kind = 'STORE_CREDIT' FOR NO KEY UPDATE"
_MOVE = """
    WITH noted AS (
        INSERT INTO stored_value_entries (stored_value_id, kind, amount_minor, part_id, created_at)
        VALUES ($1, $2, $3, $4, business_now()) RETURNING stored_value_id, amount_minor
    )
    UPDATE stored_values s SET balance_minor = s.balance_minor + noted.amount_minor, updated_at = business_now()
    FROM noted WHERE s.id = noted.stored_value_id
"""
_CREDIT_OF_ORDER = """
    SELECT DISTINCT made.stored_value_id AS id
    FROM gift_cards g
    JOIN stored_value_entries taken ON taken.stored_value_id = g.id AND taken.source_key LIKE 'redeem:%:card'
    JOIN stored_value_entries made ON made.source_key = replace(taken.source_key, ':card', ':credit')
    WHERE g.order_id = $1 ORDER BY 1
"""


@dataclass(slots=True)
class Part:
    """What one line of the ledger gave, in minor units."""

    id: int
    left_minor: int
    expires_at: datetime | None
    withheld_minor: int = 0

    def put_in(self, minor: int, now: datetime | None = None) -> None:
        """
        Args:
            now: where it is good again without an end if it has ended by then: the shop cannot keep what it gives back.
        """
        self.left_minor += minor
        if now is not None and self.expires_at is not None and self.expires_at <= now:
            self.expires_at = None


class _Replay:
    def __init__(self) -> None:
        self.parts: dict[int, Part] = {}
        self._taken: dict[uuid.UUID, list[_Take]] = defaultdict(list)
        self._attempts: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        """That each order came of."""

    def read(self, entry: db.Record) -> None:
        kind, minor, now = EntryKind(entry["kind"]), entry["amount_minor"], entry["created_at"]
        part = self.parts.get(entry["part_id"])
        if kind is EntryKind.HOLD:
            self._taken[entry["attempt_id"]] += self._take(-minor)
        elif kind is EntryKind.REDEEM:
            self._attempts[entry["order_id"]].append(entry["attempt_id"])
        elif kind is EntryKind.RELEASE:
            self._put_back(self._taken[entry["attempt_id"]], minor)
        elif kind is EntryKind.REFUND and entry["source_key"] is None:
            for attempt_id in reversed(self._attempts[entry["order_id"]]):
                minor = self._put_back(self._taken[attempt_id], minor, now)
            self._give(entry, minor)
        elif part is not None:
            part.put_in(minor, now if kind is EntryKind.RESTORE else None)
            if kind is not EntryKind.EXPIRE:
                part.withheld_minor -= minor
        elif minor < 0:
            self._take(-minor)
        else:
            self._give(entry, minor)

    def _give(self, entry: db.Record, minor: int) -> None:
        if minor:
            self.parts[entry["id"]] = Part(entry["id"], minor, entry["expires_at"])

    def _take(self, minor: int) -> "list[_Take]":
        takes = []
        for part in sorted(self.parts.values(), key=_first_to_go):
            if amount := min(minor, part.left_minor):
                part.left_minor -= amount
                minor -= amount
                takes.append(_Take(part, amount))
        return takes

    def _put_back(self, takes: "list[_Take]", minor: int, now: datetime | None = None) -> int:
        """What was taken last first. Returns what was not taken by these."""
        for take in reversed(takes):
            if amount := min(minor, take.minor):
                take.minor -= amount
                minor -= amount
                take.part.put_in(amount, now)
        return minor


@dataclass(slots=True)
class _Take:
    part: Part
    minor: int


def _first_to_go(part: Part) -> tuple[bool, datetime | int, int]:
    return (True, part.id, part.id) if part.expires_at is None else (False, part.expires_at, part.id)


def parts_of(ledger: Sequence[db.Record]) -> list[Part]:
    """What is left of everything that one balance was ever given; together it is the balance.

    Args:
        ledger: all of its lines, the oldest first.
    """
    replay = _Replay()
    for entry in ledger:
        replay.read(entry)
    return list(replay.parts.values())


async def settle(credit_id: uuid.UUID) -> None:
    """Take what is over and what is not paid for, give back what is after all, and look again when something ends.
    In the open unit of work, which has the balance locked. Repeating it changes nothing."""
    db.current_unit_of_work()
    unpaid = {row["id"] for row in await db.fetch(_UNPAID, credit_id)}
    now: datetime = await db.fetchval("SELECT business_now()")
    parts = parts_of(await db.fetch(_LEDGER, credit_id))
    for part in parts:
        if part.id not in unpaid and (back := part.withheld_minor):
            await db.execute(_MOVE, credit_id, EntryKind.RESTORE.value, back, part.id)
            part.put_in(back, now)
        if part.left_minor and part.id in unpaid:
            await db.execute(_MOVE, credit_id, EntryKind.WITHHOLD.value, -part.left_minor, part.id)
            part.left_minor = 0
        if part.left_minor and part.expires_at is not None and part.expires_at <= now:
            await db.execute(_MOVE, credit_id, EntryKind.EXPIRE.value, -part.left_minor, part.id)
            part.left_minor = 0
    if ends := [part.expires_at for part in parts if part.left_minor and part.expires_at is not None]:
        await expiring.watch(credit_id, min(ends))


async def look(value_id: uuid.UUID) -> None:
    """As `settle`; nothing for a gift card. In the open unit of work."""
    if await db.fetchval(_LOCK, value_id) is not None:
        await settle(value_id)


async def settle_order(order_id: uuid.UUID) -> None:
    """As `settle`, for all credit that gift cards of an order became. In the open unit of work, which has no balance
    locked: the cards are switched off by then, so that no more of them becomes credit."""
    for row in await db.fetch(_CREDIT_OF_ORDER, order_id):
        await look(row["id"])
