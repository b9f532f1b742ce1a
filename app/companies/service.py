"""Companies and their terms, as staff keep them, and what they may buy on account."""

import uuid
from typing import TypedDict

import orjson

from app import db
from app.addresses.postal import PostalAddress
from app.alerts import watching
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.problems import Problems
from app.markets import current as markets
from app.payments import credit
from app.payments.credit import CreditTerms
from app.tax.tax_ids import normalise_tax_id

MAX_TERMS_DAYS = 365
_COLUMNS = (
    "name", "tax_id", "address", "payment_terms_days", "credit_limit_minor", "approval_threshold_minor",
    "currency_code", "price_list_id", "note",
)  # fmt: skip
_HAS_LIMITS = "SELECT EXISTS (SELECT FROM company_members WHERE company_id = $1 AND spending_limit_minor IS NOT NULL)"


class CompanyGiven(TypedDict, total=False):
    """What is given changes; None takes it away. Amounts in minor units of the company's currency."""

    name: str | None
    tax_id: str | None
    address: PostalAddress | None
    payment_terms_days: int | None
    credit_limit: Money | None
    approval_threshold: Money | None
    price_list_id: uuid.UUID | None
    note: str | None


async def create(given: CompanyGiven) -> uuid.UUID:
    """Raises DomainErrors: REQUIRED, TOO_LONG, OUT_OF_RANGE, INVALID_TAX_ID; INVALID for amounts in two currencies;
    NOT_FOUND for the price list."""
    company_id = new_id()
    currency = (await markets.now()).default.currency_code
    values = {**dict.fromkeys(_COLUMNS), "name": "", "currency_code": currency}
    await _check(values, {"name": "", **given})
    async with db.unit_of_work():
        await db.execute(
            f"INSERT INTO companies (id, {', '.join(_COLUMNS)}, created_at, updated_at) "
            f"SELECT $1, {', '.join('c.' + name for name in _COLUMNS)}, business_now(), business_now() "
            "FROM jsonb_populate_record(null::companies, $2::jsonb) c",
            company_id,
            _json(values),
        )
    return company_id


async def update(company_id: uuid.UUID, given: CompanyGiven) -> None:
    """Raises DomainErrors: NOT_FOUND; CONFLICT where its members' limits are in another currency; and see `create`."""
    async with db.unit_of_work():
        row = await db.fetchrow("SELECT * FROM companies WHERE id = $1 FOR NO KEY UPDATE", company_id)
        if row is None:
            raise not_found("company", ["id"])
        values = {name: row[name] for name in _COLUMNS}
        values["address"] = orjson.loads(row["address"]) if row["address"] else None
        await _check(values, given)
        if values["currency_code"] != row["currency_code"] and await db.fetchval(_HAS_LIMITS, company_id):
            message = f"What its members may order for is in {row['currency_code']}; take their limits away first."
            raise DomainError(CommonErrorCode.CONFLICT, message, ["input", "creditLimit"])
        await db.execute(
            f"UPDATE companies SET ({', '.join(_COLUMNS)}, updated_at) = ("
            f"SELECT {', '.join('c.' + name for name in _COLUMNS)}, business_now() "
            "FROM jsonb_populate_record(null::companies, $2::jsonb) c) WHERE id = $1",
            company_id,
            _json(values),
        )
        price_list_id = values["price_list_id"]
        if isinstance(price_list_id, uuid.UUID) and price_list_id != row["price_list_id"]:
            await watching.repriced(price_list_id)


async def _check(values: dict[str, object], given: CompanyGiven) -> None:
    """Put what is given among the values. Raises DomainErrors."""
    problems = Problems()
    if "name" in given:
        values["name"] = problems.required_line(given["name"] or "", "A name", "name")
    if "address" in given:
        values["address"] = given["address"].to_json() if given["address"] else None
    if "note" in given:
        values["note"] = problems.text(given["note"], 2_000, "note")
    if "tax_id" in given:
        values["tax_id"] = _tax_id(given["tax_id"], values["address"], problems)
    if "payment_terms_days" in given:
        values["payment_terms_days"] = days = given["payment_terms_days"]
        if days is not None and not 0 <= days <= MAX_TERMS_DAYS:
            problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 0 to {MAX_TERMS_DAYS} days.", "paymentTermsDays")
    _limits(values, given, problems)
    if "price_list_id" in given:
        values["price_list_id"] = given["price_list_id"]
        known = given["price_list_id"] is None or await db.fetchval(
            "SELECT EXISTS (SELECT FROM price_lists WHERE id = $1)", given["price_list_id"]
        )
        if not known:
            problems.add(CommonErrorCode.NOT_FOUND, "There is no such price list.", "priceListId")
    problems.raise_if_any()


def _limits(values: dict[str, object], given: CompanyGiven, problems: Problems) -> None:
    """All amounts of a company are in one currency: that of the first one that is given where it has none yet."""
    if "credit_limit" in given:
        values["credit_limit_minor"] = _limit(given["credit_limit"], problems, "creditLimit")
    if "approval_threshold" in given:
        values["approval_threshold_minor"] = _limit(given["approval_threshold"], problems, "approvalThreshold")
    amounts = {"creditLimit": given.get("credit_limit"), "approvalThreshold": given.get("approval_threshold")}
    currencies = {amount.currency for amount in amounts.values() if amount}
    # Any other amount that it keeps would be in another currency from now on.
    kept = [name for name in ("credit_limit", "approval_threshold") if name not in given]
    if len(currencies) == 1 and not any(values[f"{name}_minor"] is not None for name in kept):
        (values["currency_code"],) = currencies
    for name, amount in amounts.items():
        if amount and amount.currency != values["currency_code"]:
            problems.add(CommonErrorCode.INVALID, f"The company's limits are in {values['currency_code']}.", name)


def _limit(amount: Money | None, problems: Problems, name: str) -> int | None:
    if amount is None:
        return None
    if amount.amount_minor < 0:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A limit is not below zero.", name)
    return amount.amount_minor


def _tax_id(number: str | None, address: object, problems: Problems) -> str | None:
    if not number:
        return None
    country = address["country_code"] if isinstance(address, dict) else None
    try:
        return normalise_tax_id(number, country, ["input", "taxId"])
    except DomainError as wrong:
        problems.note(wrong)
        return None


def _json(values: dict[str, object]) -> str:
    return orjson.dumps(values).decode()


class _CompanyCredit:
    """The terms of payment of companies, for orders on account."""

    async def terms(self, company_id: uuid.UUID) -> CreditTerms | None:
        return await self._terms(company_id, "")

    async def lock(self, company_id: uuid.UUID) -> CreditTerms | None:
        return await self._terms(company_id, "FOR NO KEY UPDATE")

    async def _terms(self, company_id: uuid.UUID, locking: str) -> CreditTerms | None:
        row = await db.fetchrow(
            "SELECT payment_terms_days, credit_limit_minor, currency_code FROM companies "
            f"WHERE id = $1 AND payment_terms_days IS NOT NULL {locking}",
            company_id,
        )
        if row is None:
            return None
        limit = row["credit_limit_minor"]
        return CreditTerms(
            company_id=company_id,
            days_to_pay=row["payment_terms_days"],
            limit=None if limit is None else Money(limit, row["currency_code"]),
        )


credit.use(_CompanyCredit())
