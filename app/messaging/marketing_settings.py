"""How the shop does marketing: frequency caps, quiet hours, who has to confirm, and what HELP is answered with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from typing import TypedDict

import orjson

from app import db
from app.customers.models import ConsentSource
from app.errors import CommonErrorCode
from app.kit.problems import Problems
from app.messaging.models import MessageChannel

MAX_CAP_HOURS = 31 * 24
MAX_ATTRIBUTION_DAYS = 90
MAX_UTM_SOURCE_CHARS = 80
MAX_HELP_TEXT_CHARS = 160

CONFIRMABLE = (MessageChannel.EMAIL, MessageChannel.SMS)
"""A call's consent is the one to text messages."""
UNPROVEN_SOURCES = (ConsentSource.NEWSLETTER, ConsentSource.CART, ConsentSource.CHECKOUT, ConsentSource.API)
"""Where anybody can enter anybody's address; the others come from the receiver, or from staff."""


LATEST_QUIET_FROM = time(21)
EARLIEST_QUIET_UNTIL = time(8)
"""47 CFR 64.1200(c)(1): calls and texts that sell are made from 8:00 to 21:00 where the receiver is. A shop can be
quieter than that."""


@dataclass(frozen=True, slots=True)
class MarketingSettings:
    email_cap_hours: int = 16
    """At most one marketing mail to a person in so many hours; 0 is no cap."""
    sms_cap_hours: int = 24
    """The same for text messages and calls."""
    quiet_from: time = LATEST_QUIET_FROM
    quiet_until: time = EARLIEST_QUIET_UNTIL
    """Between them, in the receiver's time zone, no marketing text or call goes out."""
    double_opt_in: Mapping[MessageChannel, frozenset[ConsentSource]] = field(
        default_factory=lambda: {channel: frozenset({ConsentSource.NEWSLETTER}) for channel in CONFIRMABLE}
    )
    """Sources whose consent the receiver has to confirm."""
    attribution_days: int = 5
    voice_enabled: bool = False
    utm_source: str = "tradewind"
    help_text: str | None = None
    """What HELP is answered with after the shop's name; None for its contact."""

    def needs_confirmation(self, channel: MessageChannel, source: ConsentSource) -> bool:
        return source in self.double_opt_in.get(channel, frozenset())


class DoubleOptInGiven(TypedDict):
    channel: MessageChannel
    sources: list[ConsentSource]


class MarketingSettingsGiven(TypedDict, total=False):
    """What is left out stays as it is."""

    email_cap_hours: int | None
    sms_cap_hours: int | None
    quiet_from: str | None
    """`21:00`."""
    quiet_until: str | None
    double_opt_in: list[DoubleOptInGiven] | None
    """Channels that are left out stay as they are."""
    attribution_days: int | None
    voice_enabled: bool | None
    utm_source: str | None
    help_text: str | None


_COLUMNS = """
    email_cap_hours, sms_cap_hours, quiet_from, quiet_until, double_opt_in, attribution_days, voice_enabled,
    utm_source, help_text
"""
_STORE = f"""
    INSERT INTO marketing_settings (id, {_COLUMNS}, updated_at)
    VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, business_now())
    ON CONFLICT (id) DO UPDATE SET
        email_cap_hours = $1, sms_cap_hours = $2, quiet_from = $3, quiet_until = $4, double_opt_in = $5,
        attribution_days = $6, voice_enabled = $7, utm_source = $8, help_text = $9, updated_at = business_now()
"""
_LOCK_ID = 7_216_301
"""Of the advisory lock that two changes wait for each other by: the row may not be there yet."""


async def current() -> MarketingSettings:
    """As they are now; the defaults where nothing was set."""
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM marketing_settings WHERE id = 1")
    if row is None:
        return MarketingSettings()
    stored: dict[str, list[str]] = orjson.loads(row["double_opt_in"])
    return MarketingSettings(
        email_cap_hours=row["email_cap_hours"],
        sms_cap_hours=row["sms_cap_hours"],
        quiet_from=time.fromisoformat(row["quiet_from"]),
        quiet_until=time.fromisoformat(row["quiet_until"]),
        double_opt_in={
            channel: frozenset(ConsentSource(source) for source in stored.get(channel, ())) for channel in CONFIRMABLE
        },
        attribution_days=row["attribution_days"],
        voice_enabled=row["voice_enabled"],
        utm_source=row["utm_source"],
        help_text=row["help_text"],
    )


async def update(given: MarketingSettingsGiven) -> MarketingSettings:
    """Change what is given; the rest stays.

    Raises:
        DomainErrors: everything that is wrong with the input.
    """
    problems = Problems()
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_ID)
        settings = _edited(problems, await current(), given)
        problems.raise_if_any()
        await db.execute(
            _STORE,
            settings.email_cap_hours,
            settings.sms_cap_hours,
            settings.quiet_from.isoformat("minutes"),
            settings.quiet_until.isoformat("minutes"),
            orjson.dumps(
                {channel.value: sorted(sources) for channel, sources in settings.double_opt_in.items()}
            ).decode(),
            settings.attribution_days,
            settings.voice_enabled,
            settings.utm_source,
            settings.help_text,
        )
    return settings


def _edited(problems: Problems, before: MarketingSettings, given: MarketingSettingsGiven) -> MarketingSettings:
    settings = before
    if (hours := given.get("email_cap_hours")) is not None:
        settings = replace(settings, email_cap_hours=_within(problems, hours, 0, MAX_CAP_HOURS, "emailCapHours"))
    if (hours := given.get("sms_cap_hours")) is not None:
        settings = replace(settings, sms_cap_hours=_within(problems, hours, 0, MAX_CAP_HOURS, "smsCapHours"))
    if (days := given.get("attribution_days")) is not None:
        days = _within(problems, days, 1, MAX_ATTRIBUTION_DAYS, "attributionDays")
        settings = replace(settings, attribution_days=days)
    if (enabled := given.get("voice_enabled")) is not None:
        settings = replace(settings, voice_enabled=enabled)
    if (source := given.get("utm_source")) is not None:
        line = problems.required_line(source, "A name", "utmSource", max_chars=MAX_UTM_SOURCE_CHARS)
        settings = replace(settings, utm_source=line)
    if "help_text" in given:
        settings = replace(
            settings, help_text=problems.line(given["help_text"], "helpText", max_chars=MAX_HELP_TEXT_CHARS)
        )
    quiet_from = _time(problems, given.get("quiet_from"), "quietFrom") or settings.quiet_from
    quiet_until = _time(problems, given.get("quiet_until"), "quietUntil") or settings.quiet_until
    if quiet_from > LATEST_QUIET_FROM:
        problems.add(CommonErrorCode.INVALID, "The quiet hours begin at 21:00 or earlier.", "quietFrom")
    elif quiet_until < EARLIEST_QUIET_UNTIL or quiet_until >= quiet_from:
        message = "The quiet hours end at 08:00 or later, and before they begin again."
        problems.add(CommonErrorCode.INVALID, message, "quietUntil")
    double_opt_in = _double_opt_in(problems, settings.double_opt_in, given.get("double_opt_in") or ())
    return replace(settings, quiet_from=quiet_from, quiet_until=quiet_until, double_opt_in=double_opt_in)


def _within(problems: Problems, value: int, least: int, most: int, *path: str) -> int:
    if not least <= value <= most:
        problems.add(CommonErrorCode.OUT_OF_RANGE, f"Take a number from {least} to {most}.", *path)
        return least
    return value


def _time(problems: Problems, text: str | None, *path: str) -> time | None:
    if text is None:
        return None
    try:
        moment = time.fromisoformat(text) if len(text) == len("08:00") else None
    except ValueError:
        moment = None
    if moment is None:
        problems.add(CommonErrorCode.INVALID, "A time of day is written as 21:00.", *path)
    return moment


def _double_opt_in(
    problems: Problems,
    before: Mapping[MessageChannel, frozenset[ConsentSource]],
    given: Sequence[DoubleOptInGiven],
) -> Mapping[MessageChannel, frozenset[ConsentSource]]:
    after = dict(before)
    for index, one in enumerate(given):
        path = ("doubleOptIn", index)
        if one["channel"] not in CONFIRMABLE:
            message = "Calls are consented to with text messages; choose EMAIL or SMS."
            problems.add(CommonErrorCode.INVALID, message, *path, "channel")
            continue
        for position, source in enumerate(one["sources"]):
            if source not in UNPROVEN_SOURCES:
                message = f"{source} comes from the receiver or from staff, and is never confirmed again."
                problems.add(CommonErrorCode.INVALID, message, *path, "sources", position)
        after[one["channel"]] = frozenset(one["sources"])
    return after
