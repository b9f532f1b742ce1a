"""Staff change how taxes are computed."""

import uuid
from collections.abc import Mapping
from typing import TypedDict

import orjson

from app import clock, db
from app.addresses.countries import country
from app.addresses.errors import AddressErrorCode
from app.errors import CommonErrorCode, DomainError, not_found
from app.keys import keyring
from app.kit import http
from app.kit.problems import Problems
from app.settings import get_settings
from app.tax.engines.asking import PURPOSE
from app.tax.engines.registry import engines
from app.tax.errors import TaxErrorCode
from app.tax.tax_ids import normalise_tax_id
from app.tax.terms import ShippingTax, TaxEngineFallback, TaxIdCheck, TaxIdFallback

MAX_VALUE_CHARS = 500
MIN_SECRET_CHARS = 24
TIMEOUT_MS = range(100, 10_001)


class SettingsChange(TypedDict, total=False):
    """What is given changes; None empties what may be empty. See `app.tax.terms.TaxSettings`.

    An engine is given as a whole: its name with `engine_configuration`, or None to use the shop's own rates alone.
    """

    home_country_code: str | None
    tax_id: str | None
    gross_price_stays: bool
    untaxed_price_stays: bool
    shipping: ShippingTax
    shipping_class_id: uuid.UUID | None
    gift_wrap_class_id: uuid.UUID | None
    tax_id_check: TaxIdCheck
    tax_id_fallback: TaxIdFallback
    engine: str | None
    engine_configuration: Mapping[str, str]
    engine_secret: str
    engine_timeout_ms: int
    engine_fallback: TaxEngineFallback


_COLUMNS = frozenset(SettingsChange.__annotations__) - {"engine_secret"} | {"engine_credentials"}


async def update_settings(change: SettingsChange) -> None:
    """Raises DomainErrors: INVALID_COUNTRY, INVALID_TAX_ID, NOT_FOUND for a class, REQUIRED, INVALID, OUT_OF_RANGE,
    TAX_ENGINE_UNKNOWN; fields are below `input`."""
    async with db.unit_of_work():
        await db.execute(
            "INSERT INTO tax_settings (id, updated_at) VALUES (1, $1) ON CONFLICT (id) DO NOTHING", await clock.now()
        )
        before = await db.fetchrow("SELECT * FROM tax_settings WHERE id = 1 FOR UPDATE")
        if before is None:
            raise RuntimeError("the row that was just written is gone")
        columns = await _checked(change, before)
        if not columns:
            return
        assignments = ", ".join(
            f"{name} = ${place}{'::jsonb' if name == 'engine_configuration' else ''}"
            for place, name in enumerate(columns, start=2)
        )
        await db.execute(
            f"UPDATE tax_settings SET {assignments}, updated_at = $1 WHERE id = 1",
            await clock.now(),
            *columns.values(),
        )


async def _checked(change: SettingsChange, before: db.Record) -> dict[str, object]:
    """The columns that change. Raises DomainErrors."""
    problems = Problems()
    columns: dict[str, object] = {name: value for name, value in change.items() if name in _COLUMNS}
    home = change.get("home_country_code", before["home_country_code"])
    if home is not None:
        home = home.strip().upper()
        if country(home) is None:
            message = "Give the country as a two-letter code, such as DE."
            problems.add(AddressErrorCode.INVALID_COUNTRY, message, "homeCountryCode")
        elif "home_country_code" in change:
            columns["home_country_code"] = home
    if (tax_id := change.get("tax_id")) is not None:
        try:
            columns["tax_id"] = normalise_tax_id(tax_id, home)
        except DomainError as error:
            problems.note(error.under("input", "taxId"))
    await _check_classes(change, before, problems)
    if "engine_timeout_ms" in change and change["engine_timeout_ms"] not in TIMEOUT_MS:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "The timeout is 100 to 10,000 ms.", "engine", "timeoutMs")
    if "engine" in change:
        columns |= _engine(change, before, problems)
    problems.raise_if_any()
    return {name: getattr(value, "value", value) for name, value in columns.items()}


async def _check_classes(change: SettingsChange, before: db.Record, problems: Problems) -> None:
    """Classes that are named are kept until the end of the transaction."""
    for name, field in (("shipping_class_id", "shippingClassId"), ("gift_wrap_class_id", "giftWrapClassId")):
        class_id = change.get(name)
        if class_id is not None and not await db.fetchval(
            "SELECT id FROM tax_classes WHERE id = $1 FOR KEY SHARE", class_id
        ):
            problems.note(not_found("tax class", ["input", field]))
    shipping = change.get("shipping", before["shipping"])
    if shipping == ShippingTax.SHIPPING_CLASS and change.get("shipping_class_id", before["shipping_class_id"]) is None:
        problems.add(CommonErrorCode.REQUIRED, "Say which class shipping is of.", "shippingClassId")


def _engine(change: SettingsChange, before: db.Record, problems: Problems) -> dict[str, object]:
    name = change.get("engine")
    if name is None:
        return {"engine": None, "engine_configuration": "{}", "engine_credentials": None}
    known = engines().get(name)
    if known is None:
        message = f"No engine is called {name!r:.60}; there are {', '.join(engines())}."
        problems.add(TaxErrorCode.TAX_ENGINE_UNKNOWN, message, "engine", "name")
        return {}
    configuration = dict(change.get("engine_configuration", {}))
    for setting, value in configuration.items():
        at = ("engine", "configuration", setting)
        if setting not in known.settings:
            message = f"This engine has no such setting; it has {', '.join(known.settings)}."
            problems.add(CommonErrorCode.INVALID, message, *at)
        else:
            problems.required_line(value, "A value", *at, max_chars=MAX_VALUE_CHARS)
    for setting in sorted(known.required - configuration.keys()):
        message = f"The setting {setting} is needed."
        problems.add(CommonErrorCode.REQUIRED, message, "engine", "configuration", setting)
    if url := configuration.get("url"):
        _check_url(url, problems)
    columns: dict[str, object] = {"engine": name, "engine_configuration": orjson.dumps(configuration).decode()}
    secret = change.get("engine_secret")
    if secret is not None:
        checked = problems.required_line(secret, "A secret", "engine", "secret", max_chars=MAX_VALUE_CHARS)
        if checked and len(checked) < MIN_SECRET_CHARS:
            message = f"A secret has {MIN_SECRET_CHARS} characters or more."
            problems.add(CommonErrorCode.INVALID, message, "engine", "secret")
        columns["engine_credentials"] = keyring().encrypt(PURPOSE, checked.encode())
    elif before["engine"] != name or orjson.loads(before["engine_configuration"]) != configuration:
        # A stored secret goes only where it was given for.
        message = "Another engine, or another address, needs the engine's secret again."
        problems.add(CommonErrorCode.REQUIRED, message, "engine", "secret")
    return columns


def _check_url(url: str, problems: Problems) -> None:
    allow_private = get_settings().allow_private_addresses
    try:
        parsed = http.check_url(url, allow_private=allow_private)
    except http.RefusedUrlError as refused:
        problems.add(CommonErrorCode.INVALID, f"Refused: {refused.detail}.", "engine", "configuration", "url")
        return
    if parsed.scheme != "https" and not allow_private:
        message = "Refused: what customers buy would travel unencrypted; use https."
        problems.add(CommonErrorCode.INVALID, message, "engine", "configuration", "url")
