"""Who pays no tax: staff note the certificates that customers and companies have shown."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app import clock, db
from app.addresses.countries import country
from app.addresses.errors import AddressErrorCode
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.pagination import PageRequest, PageResult, encode_cursor, page_of
from app.kit.problems import Problems

CURSOR = "exemptions"
MAX_OF_ONE = 200
MAX_CERTIFICATE_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionDraft:
    """Of a customer's account or of a company. Without a country it holds everywhere.

    `valid_until` is the last day on which it holds, in the shop's time zone.
    """

    customer_id: uuid.UUID | None = None
    company_id: uuid.UUID | None = None
    country_code: str | None = None
    province_code: str | None = None
    certificate_number: str
    valid_until: dt.date | None = None


async def create(draft: ExemptionDraft, *, created_by: uuid.UUID | None) -> uuid.UUID:
    """Raises DomainErrors: REQUIRED, INVALID, TOO_LONG, INVALID_COUNTRY, INVALID_PROVINCE, OUT_OF_RANGE for a day that
    is over, NOT_FOUND for whom it is for, TOO_MANY of one."""
    problems = Problems()
    if (draft.customer_id is None) == (draft.company_id is None):
        problems.add(CommonErrorCode.INVALID, "An exemption is a customer's or a company's, one of the two.")
    certificate = problems.required_line(
        draft.certificate_number, "The certificate's number", "certificateNumber", max_chars=MAX_CERTIFICATE_CHARS
    )
    country_code, province_code = _place(draft, problems)
    now = await clock.now()
    if draft.valid_until is not None and draft.valid_until < now.date() - dt.timedelta(days=1):
        problems.add(CommonErrorCode.OUT_OF_RANGE, "The certificate is over already.", "validUntil")
    problems.raise_if_any()
    exemption_id = new_id()
    async with db.unit_of_work():
        await _lock_holder(draft)
        count = await db.fetchval(
            "SELECT count(*) FROM tax_exemptions WHERE customer_id = $1 OR company_id = $2",
            draft.customer_id,
            draft.company_id,
        )
        if count >= MAX_OF_ONE:
            raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_OF_ONE} exemptions of one.", ["input"])
        await db.execute(
            """
            INSERT INTO tax_exemptions (id, customer_id, company_id, country_code, province_code, certificate_number,
                                        valid_until, created_by, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            exemption_id,
            draft.customer_id,
            draft.company_id,
            country_code,
            province_code,
            certificate,
            draft.valid_until,
            created_by,
            now,
        )
    return exemption_id


def _place(draft: ExemptionDraft, problems: Problems) -> tuple[str | None, str | None]:
    if draft.country_code is None:
        if draft.province_code is not None:
            problems.add(CommonErrorCode.REQUIRED, "A province needs its country.", "countryCode")
        return None, None
    place = country(draft.country_code.strip().upper())
    if place is None:
        message = "Give the country as a two-letter code, such as US."
        problems.add(AddressErrorCode.INVALID_COUNTRY, message, "countryCode")
        return None, None
    if draft.province_code is None:
        return place.code, None
    province = place.province(draft.province_code)
    if province is None:
        message = f"There is no {place.province_word} of this code in {place.in_a_sentence}."
        problems.add(AddressErrorCode.INVALID_PROVINCE, message, "provinceCode")
        return place.code, None
    return place.code, province.code


async def _lock_holder(draft: ExemptionDraft) -> None:
    """Whoever it is for stays there, and gets exemptions one after the other."""
    if draft.customer_id is not None:
        found = await db.fetchval("SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE", draft.customer_id)
        if found is None:
            raise not_found("customer", ["input", "customerId"])
    else:
        found = await db.fetchval("SELECT id FROM companies WHERE id = $1 FOR NO KEY UPDATE", draft.company_id)
        if found is None:
            raise not_found("company", ["input", "companyId"])


async def delete(exemption_id: uuid.UUID) -> None:
    """Orders keep what they say. Raises DomainError(NOT_FOUND)."""
    if not await db.execute("DELETE FROM tax_exemptions WHERE id = $1", exemption_id):
        raise not_found("exemption", ["id"])


async def by_ids(exemption_ids: Sequence[uuid.UUID]) -> list[db.Record]:
    return await db.fetch("SELECT * FROM tax_exemptions WHERE id = ANY($1::uuid[])", list(exemption_ids))


async def page(
    request: PageRequest, *, customer_id: uuid.UUID | None, company_id: uuid.UUID | None, count: bool
) -> PageResult[db.Record]:
    """The newest first, of one or of all. Raises DomainError(INVALID) for the cursor."""
    where = "($1::uuid IS NULL OR customer_id = $1) AND ($2::uuid IS NULL OR company_id = $2)"
    arguments: list[object] = [customer_id, company_id]
    total = await db.fetchval(f"SELECT count(*) FROM tax_exemptions WHERE {where}", *arguments) if count else None
    if request.cursor is not None:
        arguments.append(request.cursor_id())
        where += " AND id < $3::uuid"
    rows = await db.fetch(
        f"SELECT * FROM tax_exemptions WHERE {where} ORDER BY id DESC LIMIT {request.fetch_limit}", *arguments
    )
    return page_of(rows, [encode_cursor([row["id"].hex], CURSOR) for row in rows], request, total)
