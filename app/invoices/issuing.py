"""Issuing: the number, the frozen document and the reason for it, in one transaction.

The series' row is locked by the number that is taken from it, and by nothing before it: orders of one market wait for
each other for the length of one INSERT. A transaction that fails takes its number back, so there are no gaps.
"""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from app import clock, db
from app.invoices.document import Document, Party, credit_in_full, credit_of_refund, invoice_of
from app.invoices.models import InvoiceKind, IssueInvoices
from app.kit.ids import new_id

_JSON = ("shipping_address", "billing_address", "shipping_quote", "tax_lines", "shipping_tax_lines", "lines")

_ORDER = """
    SELECT o.*, (
        SELECT coalesce(json_agg(l ORDER BY l.position), '[]') FROM order_lines l WHERE l.order_id = o.id
    ) AS lines
    FROM orders o WHERE o.id = $1 FOR NO KEY UPDATE OF o
"""
_SELLER = """
    SELECT s.name, s.legal_name, s.postal_address, s.contact_email, s.contact_phone, s.time_zone, s.locale,
           i.vat_number, i.registration, i.footer, coalesce(i.issue, 'WHEN_PLACED') AS issue
    FROM (SELECT 1) one LEFT JOIN shop s ON s.id = 1 LEFT JOIN invoice_settings i ON i.id = 1
"""
# Short enough for the number's column, also with the mark of a restore and a prefix of chance.
_NEW_SERIES = """
    INSERT INTO invoice_series (id, market_id, kind, prefix, next_number, created_at)
    SELECT $1, $2, $3, left(coalesce((
        SELECT upper(m.code) || '-' FROM markets m WHERE m.id = $2 AND NOT m.is_default
    ), ''), CASE WHEN s.mark = '' THEN 16 ELSE 10 END) || $4 || s.mark, 1, business_now()
    FROM (SELECT coalesce((SELECT restore_mark FROM invoice_settings WHERE id = 1), '') AS mark) s
    ON CONFLICT DO NOTHING
"""
_NUMBER = """
    UPDATE invoice_series SET next_number = next_number + 1
    WHERE market_id IS NOT DISTINCT FROM $1 AND kind = $2
    RETURNING id, prefix, next_number - 1 AS sequence
"""
_INSERT = """
    INSERT INTO invoices (id, series_id, sequence, number, kind, order_id, corrects_id, source_key, currency_code,
                          total_minor, tax_minor, document, issued_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, business_now())
"""
# An edit credits what there was before it issues the next one, so the newest is the one that holds.
_INVOICE = """
    SELECT id, number, document, total_minor FROM invoices WHERE order_id = $1 AND kind = 'INVOICE'
    ORDER BY id DESC LIMIT 1
"""
# What an edit gives back is in the invoice that the edit has led to; a dispute takes money, and changes no sale.
_REFUND = """
    SELECT amount_minor, shipping_minor, lines FROM refunds WHERE id = $1 AND source NOT IN ('EDIT', 'DISPUTE')
"""
_REFUNDED = "SELECT id, created_at FROM refunds WHERE order_id = $1 AND state = 'SUCCEEDED' ORDER BY id"
_CREDITED = "SELECT coalesce(sum(total_minor), 0)::bigint FROM invoices WHERE corrects_id = $1"
_PREFIXES = {InvoiceKind.INVOICE: "INV-", InvoiceKind.CREDIT_NOTE: "CN-"}
DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Seller:
    party: Party
    zone: ZoneInfo
    locale: str
    footer: str | None
    issue: IssueInvoices

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


async def issue_when(order_id: uuid.UUID, moment: IssueInvoices) -> None:
    """Issue the order's invoice if this is the moment that the shop chose for it."""
    async with db.unit_of_work():
        seller = await _seller()
        order = await _order(order_id) if seller.issue is moment else None
        if order is not None and await _write(await _document(order, seller), order, f"order:{order_id}"):
            await _credit_what_came_before(order)


async def _credit_what_came_before(order: Mapping[str, Any]) -> None:
    """Events come in any order: what was refunded or cancelled before the invoice was there is credited with it."""
    order_id, cancelled_at = order["id"], order["cancelled_at"]
    refunds = await db.fetch(_REFUNDED, order_id)
    since = [refund["id"] for refund in refunds if cancelled_at and refund["created_at"] >= cancelled_at]
    for refund in refunds:
        if refund["id"] not in since:
            await credit_refund(order_id, refund["id"])
    if cancelled_at:
        await credit_cancelled(order_id)
    for refund_id in since:
        await credit_refund(order_id, refund_id)


async def credit_cancelled(order_id: uuid.UUID) -> None:
    """Take back what is left of a cancelled order's invoice; quiet where there is none."""
    async with db.unit_of_work():
        order = await _order(order_id)
        invoice = await db.fetchrow(_INVOICE, order_id)
        if order is None or invoice is None:
            return
        # Each refund has a credit note of its own; only what no refund speaks of is left for this one.
        if await db.fetchval(_CREDITED, invoice["id"]):
            return
        seller = await _seller()
        document = Document.from_json(invoice["document"])
        credited = credit_in_full(document, invoice["number"], issued_on=seller.day(await clock.now()))
        await _write(credited, order, f"cancellation:{order_id}", corrects_id=invoice["id"])


async def credit_refund(order_id: uuid.UUID, refund_id: uuid.UUID) -> None:
    """Issue the credit note of a refund that has succeeded; quiet where the order has no invoice."""
    async with db.unit_of_work():
        order = await _order(order_id)
        refund = await db.fetchrow(_REFUND, refund_id)
        invoice = await db.fetchrow(_INVOICE, order_id)
        if order is None or refund is None or invoice is None:
            return
        left = invoice["total_minor"] - await db.fetchval(_CREDITED, invoice["id"])
        if left < refund["amount_minor"]:
            return  # taken back before, by the order's cancellation
        seller = await _seller()
        document = Document.from_json(invoice["document"])
        day = seller.day(await clock.now())
        back = {**refund, "lines": orjson.loads(refund["lines"])}
        credited = credit_of_refund(document, invoice["number"], order, back, issued_on=day)
        await _write(credited, order, f"refund:{refund_id}", corrects_id=invoice["id"])


async def reissue(order_id: uuid.UUID, edit_id: uuid.UUID) -> None:
    """The order was edited: take its invoice back in full, and issue another one; quiet where it had none, or where
    that says what the order does."""
    async with db.unit_of_work():
        order = await _order(order_id)
        before = await db.fetchrow(_INVOICE, order_id)
        if order is None or before is None or await db.fetchval(_CREDITED, before["id"]):
            return
        seller = await _seller()
        document, now = await _document(order, seller), Document.from_json(before["document"])
        if replace(now, issued_on=document.issued_on, seller=document.seller, footer=document.footer) == document:
            return
        credited = credit_in_full(now, before["number"], issued_on=document.issued_on)
        await _write(credited, order, f"edit:{edit_id}", corrects_id=before["id"])
        await _write(document, order, f"order:{order_id}:{edit_id.hex}")


async def _document(order: Mapping[str, Any], seller: _Seller) -> Document:
    return invoice_of(
        order,
        seller.party,
        issued_on=seller.day(await clock.now()),
        supplied_on=seller.day(order["placed_at"]),
        locale=order["language"] or seller.locale,
        footer=seller.footer,
    )


async def _write(
    document: Document, order: Mapping[str, Any], source_key: str, *, corrects_id: uuid.UUID | None = None
) -> bool:
    """Whether it is new. The order's row is locked, so whoever comes second for one reason finds what the first one
    wrote."""
    if await db.fetchval("SELECT EXISTS (SELECT FROM invoices WHERE source_key = $1)", source_key):
        return False
    kind, market_id = document.kind, order["market_id"]
    row = await _next_number(market_id, kind)
    await db.execute(
        _INSERT,
        new_id(),
        row["id"],
        row["sequence"],
        f"{row['prefix']}{row['sequence']:0{DIGITS}}",
        kind.value,
        order["id"],
        corrects_id,
        source_key,
        document.currency,
        document.total_minor,
        document.tax_minor,
        document.to_json(),
    )
    return True


async def _next_number(market_id: uuid.UUID | None, kind: InvoiceKind) -> db.Record:
    """The first of a series makes it; where staff gave its usual prefix to another one, with a prefix of chance."""
    for extra in ("", *(f"{secrets.token_hex(2).upper()}-" for _ in range(3))):
        if row := await db.fetchrow(_NUMBER, market_id, kind.value):
            return row
        await db.execute(_NEW_SERIES, new_id(), market_id, kind.value, _PREFIXES[kind] + extra)
    if row := await db.fetchrow(_NUMBER, market_id, kind.value):
        return row
    raise RuntimeError("no free prefix was found for a series of invoices")


async def _order(order_id: uuid.UUID) -> dict[str, Any] | None:
    row = await db.fetchrow(_ORDER, order_id)
    if row is None:
        return None
    order = dict(row)
    for name in _JSON:
        order[name] = orjson.loads(order[name]) if isinstance(order[name], str) else order[name]
    return order


async def _seller() -> _Seller:
    row = await db.fetchrow(_SELLER)
    if row is None:
        raise RuntimeError("a row of one value has a row")
    name = row["legal_name"] or row["name"] or ""
    address = [line for line in (row["postal_address"] or "").splitlines() if line.strip()]
    more = [text for text in (row["registration"], row["contact_phone"]) if text]
    return _Seller(
        party=Party(
            # Many shops have their name on the first line of the address already.
            lines=address if address[:1] == [name] else [name, *address],
            tax_id=row["vat_number"],
            email=row["contact_email"] or None,
            more=more,
        ),
        zone=ZoneInfo(row["time_zone"] or "UTC"),
        locale=row["locale"] or "en-US",
        footer=row["footer"],
        issue=IssueInvoices(row["issue"]),
    )
