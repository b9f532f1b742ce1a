"""Amounts, dates and links as people read them in a message."""

import re
from datetime import UTC, date, datetime
from urllib.parse import quote, urljoin, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_time
from babel.numbers import format_currency

from app.kit.money import Money
from app.messaging.rendering import LANGUAGE

_LETTER_BY_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""CLDR puts a space there ("CHF 56.15", `currencySpacing`), and Babel does not."""


def text_locale(shop_locale: str, language: str = LANGUAGE) -> Locale:
    """The shop's locale, in the language of the texts: a German shop's English mail has `en_DE` dates.

    Args:
        language: a language tag; one that nobody knows counts as the language of the built-in texts.
    """
    text = _locale(language) or Locale(LANGUAGE)
    wanted = _locale(shop_locale)
    if wanted is None or text.territory:
        return text
    if wanted.language == text.language:
        return wanted
    try:
        return Locale(text.language, territory=wanted.territory, script=text.script)
    except UnknownLocaleError:
        return text


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


def money_text(amount_minor: int, currency: str, locale: Locale) -> str:
    text = format_currency(Money(amount_minor, currency).decimal, currency, locale=locale)
    return _LETTER_BY_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def day_text(moment: datetime, time_zone: str, locale: Locale) -> str:
    """The calendar day of a moment where the shop is: `November 22, 2026`."""
    return format_date(_there(moment, time_zone).date(), "long", locale=locale)


def moment_text(moment: datetime, time_zone: str, locale: Locale) -> str:
    """Day and time of a moment where the shop is: `November 22, 2026, 4:30 PM`."""
    there = _there(moment, time_zone)
    return f"{format_date(there.date(), 'long', locale=locale)}, {format_time(there.time(), 'short', locale=locale)}"


def _there(moment: datetime, time_zone: str) -> datetime:
    try:
        return moment.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(UTC)


def days_text(first: date | None, last: date | None, locale: Locale) -> str | None:
    """A range of days, or the one day."""
    start, end = first or last, last or first
    if start is None or end is None:
        return None
    if start >= end:
        return format_date(start, "medium", locale=locale)
    return format_interval(start, end, skeleton="yMMMd", locale=locale)


def web_url(url: str | None, base: str) -> str | None:
    """The absolute address of a page or picture; None for what is no http(s) address."""
    if not url:
        return None
    absolute = urljoin(f"{base}/", url)
    parts = urlsplit(absolute)
    return absolute if parts.scheme in ("http", "https") and parts.hostname else None


def order_url(storefront_url: str | None, token: str | None) -> str | None:
    """The storefront's page of an order: `STOREFRONT_URL` with the order's token in it.

    `https://shop.example/orders/{token}` and `https://shop.example/order#token={token}` both work; the second keeps
    the token out of the storefront's own access logs. None where the setting or the token is missing.
    """
    if not storefront_url or "{token}" not in storefront_url or token is None:
        return None
    return web_url(storefront_url.replace("{token}", quote(token, safe="")), storefront_url)
