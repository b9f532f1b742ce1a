"""Changing the shop's own settings and policies."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TypedDict

from babel import Locale, UnknownLocaleError

from app import db
from app.addresses.contact import normalise_email
from app.addresses.countries import country
from app.catalogue.editing.descriptions import both_forms
from app.errors import CommonErrorCode, DomainError
from app.inventory.warehouses import is_time_zone
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.problems import MAX_INT, Problems
from app.shop import queries
from app.shop.errors import ShopErrorCode
from app.shop.models import ShopPolicyKind
from app.shop.queries import ShopSettings
from app.terms.models import AgeCheck

MAX_NAME_CHARS = 120
MAX_LEGAL_NAME_CHARS = 200
MAX_POSTAL_ADDRESS_CHARS = 1_000
MAX_PHONE_CHARS = 32
MAX_RESERVATION_MINUTES = 24 * 60


class PolicyGiven(TypedDict, total=False):
    kind: ShopPolicyKind
    title: str
    body: str | None
    """Plain text; or `body_html`. Without either, the policy is removed."""
    body_html: str | None


class ShopGiven(TypedDict, total=False):
    """What is left out stays as it is; None empties what can be empty."""

    name: str | None
    currency_code: str | None
    countries: list[str] | None
    legal_name: str | None
    postal_address: str | None
    contact_email: str | None
    contact_phone: str | None
    time_zone: str | None
    locale: str | None
    available_quantity_limit: int | None
    reservation_minutes: int | None
    reservation_max_minutes: int | None
    reservation_unit_limit: int | None
    minimum_order: Decimal | None
    age_check: AgeCheck | None
    policies: list[PolicyGiven] | None


@dataclass(frozen=True, slots=True)
class _Policy:
    kind: ShopPolicyKind
    title: str
    body: str
    body_html: str


async def update_shop(given: ShopGiven) -> None:
    """Change what is given; the rest stays, the policies of other kinds included.

    Raises:
        DomainErrors: whatever is wrong with the input, all of it.
        DomainError: SHOP_CURRENCY_FIXED.
    """
    problems = Problems()
    policies = _policies(problems, given.get("policies") or ())
    async with db.unit_of_work():
        await db.execute("SELECT FROM shop WHERE id = 1 FOR UPDATE")
        before = await queries.current()
        settings = _edited(problems, before, given)
        problems.raise_if_any()
        if settings.currency_code != before.currency_code and await _has_amounts():
            message = f"Amounts in {before.currency_code} are in use already."
            raise DomainError(ShopErrorCode.SHOP_CURRENCY_FIXED, message, ["input", "currencyCode"])
        if settings != before:
            await _store(settings)
        for policy in policies:
            await _store_policy(policy)


async def _has_amounts() -> bool:
    found: bool = await db.fetchval(
        """
        SELECT EXISTS (SELECT FROM products) OR EXISTS (SELECT FROM shipping_methods) OR EXISTS (SELECT FROM orders)
            OR EXISTS (SELECT FROM price_lists)
        """
    )
    return found


async def _store(settings: ShopSettings) -> None:
    columns = asdict(settings)
    assignments = ", ".join(f"{column} = ${number}" for number, column in enumerate(columns, start=1))
    await db.execute(f"UPDATE shop SET {assignments}, updated_at = business_now() WHERE id = 1", *columns.values())


async def _store_policy(policy: _Policy) -> None:
    if not policy.body:
        await db.execute("DELETE FROM shop_policies WHERE kind = $1", policy.kind)
        return
    await db.execute(
        """
        INSERT INTO shop_policies (id, kind, title, body, body_html, updated_at)
        VALUES ($1, $2, $3, $4, $5, business_now())
        ON CONFLICT (kind) DO UPDATE
        SET title = EXCLUDED.title, body = EXCLUDED.body, body_html = EXCLUDED.body_html, updated_at = business_now()
        """,
        new_id(),
        policy.kind,
        policy.title,
        policy.body,
        policy.body_html,
    )


def _policies(problems: Problems, given: Sequence[PolicyGiven]) -> list[_Policy]:
    policies: dict[ShopPolicyKind, _Policy] = {}
    for index, policy in enumerate(given):
        path = ("policies", index)
        kind = policy["kind"]
        if kind in policies:
            problems.add(CommonErrorCode.INVALID, "This policy is given twice.", *path, "kind")
        title = problems.required_line(policy.get("title"), "A title", *path, "title", max_chars=MAX_NAME_CHARS)
        body, body_html = both_forms(problems, policy.get("body"), policy.get("body_html"), *path, name="body")
        policies[kind] = _Policy(kind, title, body, body_html)
    return list(policies.values())


def _edited(problems: Problems, before: ShopSettings, given: ShopGiven) -> ShopSettings:
    settings = before
    if "name" in given:
        name = problems.required_line(given["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
        settings = replace(settings, name=name)
    if (currency_code := given.get("currency_code")) is not None:
        settings = replace(settings, currency_code=currency_code)
    if "countries" in given:
        settings = replace(settings, countries=_countries(problems, given["countries"] or []))
    if "legal_name" in given:
        legal_name = problems.line(given["legal_name"], "legalName", max_chars=MAX_LEGAL_NAME_CHARS)
        settings = replace(settings, legal_name=legal_name or "")
    if "postal_address" in given:
        address = problems.text(given["postal_address"], MAX_POSTAL_ADDRESS_CHARS, "postalAddress")
        settings = replace(settings, postal_address=address or "")
    if "contact_email" in given:
        settings = replace(settings, contact_email=_email(problems, given["contact_email"] or ""))
    if "contact_phone" in given:
        phone = problems.line(given["contact_phone"], "contactPhone", max_chars=MAX_PHONE_CHARS)
        settings = replace(settings, contact_phone=phone or "")
    if (limit := given.get("available_quantity_limit")) is not None:
        settings = replace(settings, available_quantity_limit=problems.count(limit, "availableQuantityLimit"))
    settings = _checkout_terms(problems, settings, given)
    return replace(
        settings,
        time_zone=_time_zone(problems, given.get("time_zone")) or settings.time_zone,
        locale=_locale(problems, given.get("locale")) or settings.locale,
    )


def _checkout_terms(problems: Problems, settings: ShopSettings, given: ShopGiven) -> ShopSettings:
    """How long a checkout holds its units, and what it has to come to."""
    if (minutes := given.get("reservation_minutes")) is not None:
        settings = replace(settings, reservation_minutes=minutes)
    if (most := given.get("reservation_max_minutes")) is not None:
        settings = replace(settings, reservation_max_minutes=most)
    if (units := given.get("reservation_unit_limit")) is not None:
        settings = replace(settings, reservation_unit_limit=units)
    if "minimum_order" in given:
        settings = replace(settings, minimum_order_minor=_amount(problems, given["minimum_order"], settings))
    if (age_check := given.get("age_check")) is not None:
        settings = replace(settings, age_check=age_check.value)
    if not 0 <= settings.reservation_minutes <= MAX_RESERVATION_MINUTES:
        message = f"From 0 to {MAX_RESERVATION_MINUTES:,} minutes."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "reservationMinutes")
    elif not settings.reservation_minutes <= settings.reservation_max_minutes <= MAX_RESERVATION_MINUTES:
        message = f"From the minutes of one reservation to {MAX_RESERVATION_MINUTES:,}."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "reservationMaxMinutes")
    if not 1 <= settings.reservation_unit_limit <= MAX_INT:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "One unit at least.", "reservationUnitLimit")
    return settings


def _amount(problems: Problems, amount: Decimal | None, settings: ShopSettings) -> int | None:
    if amount is None:
        return None
    try:
        return Money.from_decimal(amount, settings.currency_code, ["input", "minimumOrder"]).amount_minor
    except DomainError as error:
        problems.note(error)
        return None


def _countries(problems: Problems, given: Sequence[str]) -> list[str]:
    if not given:
        problems.add(CommonErrorCode.REQUIRED, "The shop sells to one country at least.", "countries")
    for index, code in enumerate(given):
        if country(code) is None:
            problems.add(CommonErrorCode.INVALID, f"There is no country {code}.", "countries", index)
    return list(dict.fromkeys(given))


def _email(problems: Problems, given: str) -> str:
    if not given.strip():
        return ""
    try:
        return normalise_email(given, ["input", "contactEmail"])
    except DomainError as error:
        problems.note(error)
        return ""


def _time_zone(problems: Problems, given: str | None) -> str | None:
    if given is not None and not is_time_zone(given):
        problems.add(CommonErrorCode.INVALID, "Take a name of the IANA database: Europe/Berlin.", "timeZone")
    return given


def _locale(problems: Problems, given: str | None) -> str | None:
    if given is None:
        return None
    try:
        Locale.parse(given, sep="-")
    except (UnknownLocaleError, ValueError):
        problems.add(CommonErrorCode.INVALID, "Take a language tag such as en-US.", "locale")
    return given
