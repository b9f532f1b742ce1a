"""What staff do with templates: write them, publish them, look at them, send themselves one."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError

from app import db, rate_limit
from app.addresses.contact import normalise_email, normalise_phone
from app.customers import permission
from app.customers.vocabulary import EVENT_TYPES
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.messaging import ledger, library, previewing, publishing, starting, template_checks, versions
from app.messaging.errors import MessagingErrorCode
from app.messaging.library import TemplateText
from app.messaging.models import MessageChannel, MessagePurpose

MAX_NAME_CHARS = 120
TESTS_AN_HOUR = 60
"""By one member of staff: a way to see one's own mail, not to write to people."""
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateGiven:
    """A new text of a template. `name`, `channel` and `purpose` are needed for a new key, and may be left out later."""

    key: str
    text: TemplateText
    name: str | None = None
    channel: MessageChannel | None = None
    purpose: MessagePurpose | None = None
    trigger: str | None = None
    keeps_trigger: bool = True
    """Whether an existing template keeps its trigger, whatever `trigger` says."""


async def save(given: TemplateGiven, staff_id: uuid.UUID | None) -> uuid.UUID:
    """Write down a new version, a draft; the same text again makes none. Returns the template's id.

    Raises:
        DomainErrors: all that is wrong: REQUIRED, INVALID, TOO_LONG, and TEMPLATE_INVALID with the line.
    """
    problems = Problems()
    if not _KEY.fullmatch(given.key):
        problems.add(CommonErrorCode.INVALID, "A key has small letters, digits, - and _, up to 80.", "key")
    if given.trigger is not None and given.trigger not in EVENT_TYPES:
        problems.add(CommonErrorCode.INVALID, f"There is no event {given.trigger}.", "trigger")
    language = _language(given.text.language, problems)
    problems.raise_if_any()
    async with db.unit_of_work():
        known = await db.fetchrow(
            "SELECT id, name, channel, purpose, trigger FROM message_templates WHERE key = $1 FOR UPDATE", given.key
        )
        name, channel, purpose = _kind(given, known, problems)
        problems.raise_if_any()
        trigger = known["trigger"] if known is not None and given.keeps_trigger else given.trigger
        text = TemplateText(
            language, given.text.subject or None, given.text.preheader or None, given.text.mjml or None, given.text.text
        )
        for error in template_checks.source_problems(channel, trigger, text):
            problems.note(error.under("input"))
        problems.raise_if_any()
        template_id = await library.lock_or_make(
            key=given.key, name=name, channel=channel, purpose=purpose, trigger=trigger
        )
        await db.execute(
            "UPDATE message_templates SET name = $2, trigger = $3, updated_at = business_now() WHERE id = $1",
            template_id,
            name,
            trigger,
        )
        if known is None or trigger != known["trigger"] or not await library.is_newest(template_id, text):
            await library.insert_version(template_id, text, created_by=staff_id)
    return template_id


def _kind(
    given: TemplateGiven, known: db.Record | None, problems: Problems
) -> tuple[str, MessageChannel, MessagePurpose]:
    if known is None:
        if given.channel is None:
            problems.add(CommonErrorCode.REQUIRED, "A new template is for EMAIL, SMS or VOICE.", "channel")
        if given.purpose is None:
            problems.add(CommonErrorCode.REQUIRED, "A new template is TRANSACTIONAL or MARKETING.", "purpose")
        name = problems.required_line(given.name, "A name", "name", max_chars=MAX_NAME_CHARS)
        return name, given.channel or MessageChannel.EMAIL, given.purpose or MessagePurpose.MARKETING
    for field, wanted in (("channel", given.channel), ("purpose", given.purpose)):
        if wanted is not None and wanted != known[field]:
            problems.add(CommonErrorCode.INVALID, "This is fixed: make another template.", field)
    name = known["name"]
    if given.name is not None:
        name = problems.required_line(given.name, "A name", "name", max_chars=MAX_NAME_CHARS)
    return name, MessageChannel(known["channel"]), MessagePurpose(known["purpose"])


def _language(tag: str, problems: Problems) -> str:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        problems.add(CommonErrorCode.INVALID, "Take a language tag such as en or pt-BR.", "language")
    return tag


async def publish(template_id: uuid.UUID, language: str | None = None) -> None:
    """Send the newest version of a language, or of each, from now on. Doing it again changes nothing.

    Raises:
        DomainError: NOT_FOUND.
        DomainErrors: everything that keeps it from being published.
    """
    async with db.unit_of_work():
        key = await db.fetchval("SELECT key FROM message_templates WHERE id = $1 FOR UPDATE", template_id)
        if key is None:
            raise not_found("template", ["id"])
        newest = [await _version(version_id) for version_id in await library.newest_versions(key, published=False)]
        chosen = [version for version in newest if language is None or version.text.language == language]
        if not chosen:
            raise not_found("version in this language", ["language"])
        found = [error for version in chosen for error in await publishing.problems(version)]
        if found:
            raise DomainErrors([error.under("id") for error in found])
        await library.mark_published([version.id for version in chosen])


async def _version(version_id: uuid.UUID) -> versions.Version:
    version = await versions.load(version_id)
    if version is None:
        raise not_found("version", ["id"])
    return version


async def version_to_show(template_id: uuid.UUID, language: str | None) -> versions.Version:
    """The newest version, drafts included, in this language or the first there is. Raises DomainError(NOT_FOUND)."""
    key = await db.fetchval("SELECT key FROM message_templates WHERE id = $1", template_id)
    if key is None:
        raise not_found("template", ["id"])
    newest: Sequence[uuid.UUID] = await library.newest_versions(key, published=False)
    for version_id in newest:
        version = await _version(version_id)
        if language is None or version.text.language == language:
            return version
    raise not_found("version in this language", ["language"])


async def send_test(
    template_id: uuid.UUID,
    to: str,
    *,
    language: str | None,
    about: previewing.About,
    staff_id: uuid.UUID | None,
) -> uuid.UUID:
    """Send the newest version to an address that staff name, marked [Test]; returns the ledger's row.

    No consent is asked for, and no cap counts it. An address that mail came back from gets none.

    Raises:
        DomainError: NOT_FOUND; INVALID_EMAIL, INVALID_PHONE; RATE_LIMITED; INVALID where the template does not fit
            what it is shown about; MESSAGE_OBSOLETE for an address that nothing may be sent to.
    """
    version = await version_to_show(template_id, language)
    is_mail = version.channel is MessageChannel.EMAIL
    recipient = normalise_email(to, ["to"]) if is_mail else normalise_phone(to, None, ["to"])
    await previewing.preview(version, about)
    await rate_limit.allow("template-test", str(staff_id), limit=TESTS_AN_HOUR, window_seconds=3600)
    async with db.unit_of_work():
        if await permission.transactional(version.channel, recipient) is not None:
            message = "Nothing may be sent to this address: it is suppressed."
            raise DomainError(MessagingErrorCode.MESSAGE_OBSOLETE, message, ["to"])
        context: Mapping[str, str] = {starting.TEST: "true", **about.as_context()}
        message_id = await ledger.reserve(
            dedupe_key=f"test:{new_id().hex}",
            channel=version.channel,
            purpose=version.purpose,
            template=version.key,
            recipient=recipient,
            order_id=None,
            context=context,
            origin=ledger.Origin(template_version_id=version.id),
        )
    if message_id is None:
        raise RuntimeError("a fresh dedupe key was taken")
    return message_id
