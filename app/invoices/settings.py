"""What the shop prints on its invoices, when it issues them, and how it numbers them."""

import re
import uuid
from dataclasses import dataclass, replace
from typing import TypedDict

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.invoices.errors import InvoiceErrorCode
from app.invoices.models import InvoiceKind, IssueInvoices
from app.kit.ids import new_id
from app.kit.problems import Problems

MAX_VAT_NUMBER_CHARS = 32
MAX_REGISTRATION_CHARS = 200
MAX_FOOTER_CHARS = 1_000
_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9/-]{0,18}[A-Z/-]")
"""It ends with no digit, so that no two series can ever write the same number."""


@dataclass(frozen=True, slots=True)
class Settings:
    issue: IssueInvoices
    attached: bool
    vat_number: str | None
    registration: str | None
    footer: str | None


class SettingsGiven(TypedDict, total=False):
    """What is left out stays as it is; None empties it."""

    issue: IssueInvoices | None
    attached: bool | None
    vat_number: str | None
    registration: str | None
    footer: str | None


async def current() -> Settings:
    row = await db.fetchrow(
        "SELECT issue, attached, vat_number, registration, footer FROM invoice_settings WHERE id = 1"
    )
    if row is None:
        return Settings(IssueInvoices.WHEN_PLACED, True, None, None, None)
    return Settings(IssueInvoices(row["issue"]), row["attached"], row["vat_number"], row["registration"], row["footer"])


async def update(given: SettingsGiven) -> Settings:
    """Raises DomainErrors: TOO_LONG and INVALID, at the fields of `input`."""
    problems = Problems()
    limits = {
        "vat_number": ("vatNumber", MAX_VAT_NUMBER_CHARS),
        "registration": ("registration", MAX_REGISTRATION_CHARS),
        "footer": ("footer", MAX_FOOTER_CHARS),
    }
    for name, (field, limit) in limits.items():
        text = given.get(name)
        if isinstance(text, str):
            problems.text(text, limit, field)
    problems.raise_if_any()
    async with db.unit_of_work():
        await db.execute(
            """
            INSERT INTO invoice_settings (id, issue, attached, updated_at)
            VALUES (1, 'WHEN_PLACED', true, business_now())
            ON CONFLICT DO NOTHING
            """
        )
        await db.execute("SELECT FROM invoice_settings WHERE id = 1 FOR UPDATE")
        after = _changed(await current(), given)
        await db.execute(
            """
            UPDATE invoice_settings SET issue = $1, attached = $2, vat_number = $3, registration = $4, footer = $5,
                updated_at = business_now()
            WHERE id = 1
            """,
            after.issue.value,
            after.attached,
            after.vat_number,
            after.registration,
            after.footer,
        )
    return after


def _changed(before: Settings, given: SettingsGiven) -> Settings:
    attached = given.get("attached")
    return replace(
        before,
        issue=given.get("issue") or before.issue,
        attached=before.attached if attached is None else attached,
        vat_number=_text(given["vat_number"]) if "vat_number" in given else before.vat_number,
        registration=_text(given["registration"]) if "registration" in given else before.registration,
        footer=_text(given["footer"]) if "footer" in given else before.footer,
    )


def _text(given: str | None) -> str | None:
    return (given or "").strip() or None


async def series() -> list[db.Record]:
    """Every series that has begun, or has a prefix of its own."""
    return await db.fetch(
        "SELECT id, market_id, kind, prefix, next_number FROM invoice_series ORDER BY market_id NULLS FIRST, kind"
    )


async def update_series(market_id: uuid.UUID | None, kind: InvoiceKind, prefix: str) -> db.Record:
    """Choose what the numbers of one market's invoices or credit notes begin with, from the next one on.

    Args:
        market_id: None for the default one.

    Raises:
        DomainError: INVALID, NOT_FOUND for the market, INVOICE_PREFIX_TAKEN.
    """
    if not _PREFIX.fullmatch(prefix):
        message = "A prefix has 2 to 20 capital letters, digits, hyphens and slashes, and does not end with a digit."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "prefix"])
    async with db.unit_of_work():
        if market_id is None:
            market_id = await db.fetchval("SELECT id FROM markets WHERE is_default")
        elif not await db.fetchval("SELECT EXISTS (SELECT FROM markets WHERE id = $1)", market_id):
            raise not_found("market", ["input", "marketId"])
        taken = await db.fetchval(
            """
            SELECT EXISTS (SELECT FROM invoice_settings WHERE $1 = ANY(retired_prefixes)) OR EXISTS (
                SELECT FROM invoice_series s
                WHERE NOT (s.market_id IS NOT DISTINCT FROM $2 AND s.kind = $3) AND (
                    s.prefix = $1
                    OR EXISTS (SELECT FROM invoices i WHERE i.series_id = s.id AND starts_with(i.number, $1))
                )
            )
            """,
            prefix,
            market_id,
            kind.value,
        )
        if taken:
            message = (
                "Numbers of two series would look alike, or were given out before a restore; choose another prefix."
            )
            raise DomainError(InvoiceErrorCode.INVOICE_PREFIX_TAKEN, message, ["input", "prefix"])
        row = await db.fetchrow(
            """
            INSERT INTO invoice_series AS s (id, market_id, kind, prefix, next_number, created_at)
            VALUES ($1, $2, $3, $4, 1, business_now())
            ON CONFLICT (coalesce(market_id, '00000000-0000-0000-0000-000000000000'), kind)
            DO UPDATE SET prefix = EXCLUDED.prefix
            RETURNING id, market_id, kind, prefix, next_number
            """,
            new_id(),
            market_id,
            kind.value,
            prefix,
        )
    if row is None:
        raise RuntimeError("the series was not written")
    return row
