"""How the shop lets people pay, and when it takes the money."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import ModuleType
from typing import TypedDict

from stdnum import bic, iban
from stdnum.exceptions import ValidationError

from app import db
from app.configuration import Versioned
from app.errors import CommonErrorCode
from app.kit.problems import Problems
from app.payments.models import CapturePolicy

MAX_NAME_CHARS = 140
"""As in a credit transfer (SEPA: 70, ISO 20022: 140)."""
MAX_INSTRUCTIONS_CHARS = 2_000
MAX_DAYS_TO_PAY, MAX_REMINDER_DAYS = 365, 90
_LOCK_ID = 7_216_302
"""Of the advisory lock that two changes wait for each other by: the row may not be there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """One shop's.

    Attributes:
        bank_days_to_pay: days (business time) after which an order that was not paid by transfer is cancelled.
        bank_reminder_days: so many days before that its buyer is reminded; 0 for not at all.
    """

    capture_policy: CapturePolicy = CapturePolicy.EACH_SHIPMENT
    cash_on_delivery: bool = True
    bank_transfer: bool = False
    bank_account_holder: str | None = None
    bank_name: str | None = None
    bank_iban: str | None = None
    bank_bic: str | None = None
    bank_instructions: str | None = None
    bank_days_to_pay: int = 14
    bank_reminder_days: int = 4


class PaymentSettingsGiven(TypedDict, total=False):
    """What is left out stays as it is; null takes a text away."""

    capture_policy: CapturePolicy | None
    cash_on_delivery: bool | None
    bank_transfer: bool | None
    bank_account_holder: str | None
    bank_name: str | None
    bank_iban: str | None
    bank_bic: str | None
    bank_instructions: str | None
    bank_days_to_pay: int | None
    bank_reminder_days: int | None


_NAMES = [each.name for each in fields(PaymentSettings)]
_COLUMNS = ", ".join(_NAMES)
_STORE = f"""
    INSERT INTO payment_settings (id, {_COLUMNS}, updated_at)
    VALUES (1, {", ".join(f"${place}" for place in range(1, len(_NAMES) + 1))}, business_now())
    ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES)},
        updated_at = business_now()
"""


async def _load() -> PaymentSettings:
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM payment_settings WHERE id = 1")
    if row is None:
        return PaymentSettings()
    return PaymentSettings(**{**row, "capture_policy": CapturePolicy(row["capture_policy"])})


settings: Versioned[PaymentSettings] = Versioned("payments", _load)


async def current() -> PaymentSettings:
    """As they are now, for one statement; the defaults where nothing was set."""
    return await settings.current()


async def update(given: PaymentSettingsGiven) -> PaymentSettings:
    """Change what is given; the rest stays.

    Raises:
        DomainErrors: everything that is wrong with the input.
    """
    problems = Problems()
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_ID)
        changed = _edited(problems, await _load(), given)
        problems.raise_if_any()
        await db.execute(_STORE, *(value for value in asdict(changed).values()))
    return changed


def _edited(problems: Problems, before: PaymentSettings, given: PaymentSettingsGiven) -> PaymentSettings:
    changes: dict[str, object] = {}
    for name in ("capture_policy", "cash_on_delivery", "bank_transfer"):
        if (value := given.get(name)) is not None:
            changes[name] = value
    for name, path in (("bank_account_holder", "bankAccountHolder"), ("bank_name", "bankName")):
        if name in given:
            changes[name] = problems.line(_text(given, name), path, max_chars=MAX_NAME_CHARS)
    if "bank_instructions" in given:
        text = given["bank_instructions"]
        changes["bank_instructions"] = problems.text(text, MAX_INSTRUCTIONS_CHARS, "bankInstructions")
    if "bank_iban" in given:
        changes["bank_iban"] = _checked(problems, given["bank_iban"], iban, "An IBAN has another form.", "bankIban")
    if "bank_bic" in given:
        changes["bank_bic"] = _checked(problems, given["bank_bic"], bic, "A BIC has another form.", "bankBic")
    for name, least, most, path in (
        ("bank_days_to_pay", 1, MAX_DAYS_TO_PAY, "bankDaysToPay"),
        ("bank_reminder_days", 0, MAX_REMINDER_DAYS, "bankReminderDays"),
    ):
        number = given.get(name)
        if isinstance(number, int):
            if not least <= number <= most:
                problems.add(CommonErrorCode.OUT_OF_RANGE, f"Take a number from {least} to {most}.", path)
            changes[name] = number
    after = replace(before, **changes)  # type: ignore[arg-type]
    _check_bank(problems, after)
    return after


def _check_bank(problems: Problems, after: PaymentSettings) -> None:
    if after.bank_transfer and not after.bank_account_holder:
        problems.add(CommonErrorCode.REQUIRED, "Whom to transfer to.", "bankAccountHolder")
    if after.bank_transfer and not (after.bank_iban or after.bank_instructions):
        problems.add(CommonErrorCode.REQUIRED, "Give an IBAN, or say in words where to.", "bankIban")
    if after.bank_reminder_days >= after.bank_days_to_pay:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "Remind before the time is over.", "bankReminderDays")


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    return value if isinstance(value, str) else None


def _checked(problems: Problems, text: str | None, kind: ModuleType, message: str, path: str) -> str | None:
    """In its compact form (ISO 13616 for an IBAN, ISO 9362 for a BIC)."""
    if not text or not re.sub(r"\s", "", text):
        return None
    try:
        compact: str = kind.validate(text)
    except ValidationError:
        problems.add(CommonErrorCode.INVALID, message, path)
        return None
    return compact
