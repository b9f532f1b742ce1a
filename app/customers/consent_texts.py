"""The wordings that consent is given to. One that somebody agreed to never changes: a new wording is a new version.

A shop that has written none uses the defaults below, in English. They become rows when somebody first agrees to them,
under an id that follows from their text, so that reading them writes nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError

from app import db
from app.customers.errors import CustomerErrorCode
from app.errors import CommonErrorCode, DomainError
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.messaging.models import MessageChannel
from app.shop import queries as shop_queries

CHANNELS = (MessageChannel.EMAIL, MessageChannel.SMS)
MAX_TEXT_CHARS = 2_000
DEFAULT_LANGUAGE = "en"

_DEFAULTS = {
    MessageChannel.EMAIL: (
        "Yes, {shop} may send me news and offers by email. I can unsubscribe at any time with the link in every email."
    ),
    # What CTIA's Messaging Principles and the TCPA want said: who, what, how often, what it costs, STOP and HELP.
    MessageChannel.SMS: (
        "Yes, {shop} may send me recurring automated marketing text messages at the number I gave. Consent is not a "
        "condition of any purchase. Message frequency varies. Message and data rates may apply. Reply STOP to opt out, "
        "HELP for help."
    ),
}
_DEFAULT_IDS = uuid.UUID("6e5b1d0a-7f8c-5d2e-9a41-3c0b7f6d2e18")

_INSERT = """
    INSERT INTO consent_texts (id, channel, language, version, text, created_at)
    VALUES ($1, $2, $3, $4, $5, business_now())
"""


@dataclass(frozen=True, slots=True)
class Wording:
    id: uuid.UUID
    channel: MessageChannel
    language: str
    """A language tag."""
    version: int
    text: str


async def current(channel: MessageChannel, language: str | None = None) -> Wording:
    """The newest wording in this language, or else the shop's, English, or any. Calls follow text messages' consent."""
    return next(wording for wording in await newest(language) if wording.channel is channel)


async def newest(language: str | None = None) -> list[Wording]:
    """One wording for each channel, see `current`."""
    shop = await shop_queries.current()
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (channel, language) id, channel, language, version, text FROM consent_texts
        ORDER BY channel, language, version DESC
        """
    )
    written = [_wording(row) for row in rows]
    languages = [*_fallbacks(language), *_fallbacks(shop.locale), DEFAULT_LANGUAGE]
    return [
        _preferred([wording for wording in written if wording.channel is channel], languages)
        or _default(channel, shop.name)
        for channel in CHANNELS
    ]


async def chosen(channel: MessageChannel, text_id: uuid.UUID | None, language: str | None = None) -> Wording:
    """The wording that somebody agreed to, as a row; inside a unit of work.

    Args:
        text_id: what the shopper was shown; without it, the shop's current wording.

    Raises:
        DomainError: CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL.
    """
    if text_id is not None:
        wording = await find(text_id) or _by_id(text_id, (await shop_queries.current()).name)
        if wording is None:
            raise DomainError(CustomerErrorCode.CONSENT_TEXT_UNKNOWN, "The shop holds no such text.", ["textId"])
        if wording.channel is not channel:
            message = f"This text is for {wording.channel}."
            raise DomainError(CustomerErrorCode.CONSENT_TEXT_OF_ANOTHER_CHANNEL, message, ["textId"])
    else:
        wording = await current(channel, language)
    await _install(wording)
    return wording


async def find(text_id: uuid.UUID) -> Wording | None:
    row = await db.fetchrow("SELECT id, channel, language, version, text FROM consent_texts WHERE id = $1", text_id)
    return _wording(row) if row else None


async def create(channel: MessageChannel, language: str, text: str) -> Wording:
    """A new version of the wording, current from now on.

    Raises:
        DomainErrors: what is wrong with the input.
    """
    problems = Problems()
    if channel not in CHANNELS:
        problems.add(CommonErrorCode.INVALID, "Calls are consented to with text messages; choose SMS.", "channel")
    checked = problems.text(text, MAX_TEXT_CHARS, "text")
    if checked is None and not len(problems):
        problems.add(CommonErrorCode.REQUIRED, "A text is needed.", "text")
    tag = _language(problems, language)
    problems.raise_if_any()
    async with db.unit_of_work():
        # Two new versions at once have an order.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('consent text ' || $1, 0))", f"{channel}{tag}")
        version: int = await db.fetchval(
            "SELECT coalesce(max(version), 1) + 1 FROM consent_texts WHERE channel = $1 AND language = $2", channel, tag
        )
        wording = Wording(new_id(), channel, tag, version, checked or "")
        await db.execute(_INSERT, wording.id, channel, tag, version, wording.text)
    return wording


def _wording(row: db.Record) -> Wording:
    return Wording(row["id"], MessageChannel(row["channel"]), row["language"], row["version"], row["text"])


def _default(channel: MessageChannel, shop_name: str) -> Wording:
    text = _DEFAULTS[channel].format(shop=shop_name)
    return Wording(uuid.uuid5(_DEFAULT_IDS, f"{channel}:{text}"), channel, DEFAULT_LANGUAGE, 1, text)


def _by_id(text_id: uuid.UUID, shop_name: str) -> Wording | None:
    defaults = (_default(channel, shop_name) for channel in CHANNELS)
    return next((wording for wording in defaults if wording.id == text_id), None)


async def _install(wording: Wording) -> None:
    """A default becomes a row; anything else is one already."""
    await db.execute(
        f"{_INSERT} ON CONFLICT DO NOTHING",
        wording.id,
        wording.channel,
        wording.language,
        wording.version,
        wording.text,
    )


def _preferred(written: Sequence[Wording], languages: Sequence[str]) -> Wording | None:
    """The first by language; a shop that wrote in one language only means it for everybody."""
    by_language = {wording.language.lower(): wording for wording in written}
    for language in languages:
        if (wording := by_language.get(language.lower())) is not None:
            return wording
    return written[0] if written else None


def _fallbacks(language: str | None) -> list[str]:
    """`de-AT` is read by those who read `de`."""
    return [language, language.partition("-")[0]] if language else []


def _language(problems: Problems, given: str) -> str:
    try:
        return str(Locale.parse(given, sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        problems.add(CommonErrorCode.INVALID, "Take a language tag such as en or de-AT.", "language")
        return DEFAULT_LANGUAGE
