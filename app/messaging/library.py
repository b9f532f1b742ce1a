"""Templates in the database: what flows and campaigns write, in versions and languages.

A version is never changed once it is written. The newest published version of a language is what is sent, and a
message keeps the version that it was reserved with.
"""

import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from app import db
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessagePurpose


@dataclass(frozen=True, slots=True)
class TemplateText:
    """One language of a template, as it is written down.

    Attributes:
        language: a language tag such as `en` or `pt-BR`.
        subject: Liquid, email only; without it, the MJML's `<mj-title>`.
        preheader: Liquid, email only: what a mail program shows beside the subject; without it, `<mj-preview>`.
        mjml: MJML with Liquid, email only.
        text: Liquid: the mail's text part (empty: made from the HTML), a text message, or what a call says.
    """

    language: str
    subject: str | None
    preheader: str | None
    mjml: str | None
    text: str


_INSERT_VERSION = """
    INSERT INTO message_template_versions (id, template_id, number, language, subject, preheader, mjml, text,
                                           created_by, created_at)
    SELECT $1, $2, coalesce(max(number), 0) + 1, $3::varchar, $4, $5, $6, $7, $8, business_now()
    FROM message_template_versions WHERE template_id = $2 AND language = $3
    RETURNING id
"""


async def save_template(
    *,
    key: str,
    name: str,
    channel: MessageChannel,
    purpose: MessagePurpose,
    trigger: str | None = None,
    versions: Sequence[TemplateText],
    publish: bool = True,
) -> uuid.UUID:
    """Install what a recipe brings, in a unit of work of its own or the open one; returns the template's id.

    Doing it again changes nothing. A newer text of the recipe becomes a new version, unless the newest version of
    that language was written by the merchant: that one stays, and stays what is sent.

    Args:
        publish: as far as it may be (see `publishing.problems`). What the law keeps from it, such as marketing of a
            shop that has no postal address yet, stays a draft until its flow is published.
    """
    async with db.unit_of_work():
        template_id = await lock_or_make(key=key, name=name, channel=channel, purpose=purpose, trigger=trigger)
        for text in versions:
            await _install(template_id, text, publish=publish)
    return template_id


async def lock_or_make(
    *, key: str, name: str, channel: MessageChannel, purpose: MessagePurpose, trigger: str | None
) -> uuid.UUID:
    """The template's row, held until the open unit of work ends; one that exists keeps its name and kind."""
    db.current_unit_of_work()
    await db.execute(
        """
        INSERT INTO message_templates (id, key, name, channel, purpose, trigger, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, business_now(), business_now()) ON CONFLICT (key) DO NOTHING
        """,
        new_id(),
        key,
        name,
        channel,
        purpose,
        trigger,
    )
    template_id: uuid.UUID = await db.fetchval("SELECT id FROM message_templates WHERE key = $1 FOR UPDATE", key)
    return template_id


async def _install(template_id: uuid.UUID, text: TemplateText, *, publish: bool) -> None:
    newest = await db.fetchrow(
        """
        SELECT id, language, subject, preheader, mjml, text, created_by, published_at FROM message_template_versions
        WHERE template_id = $1 AND language = $2 ORDER BY number DESC LIMIT 1
        """,
        template_id,
        text.language,
    )
    if newest is not None and newest["created_by"] is not None:
        return
    same = newest is not None and astuple(text) == tuple(
        newest[name] for name in ("language", "subject", "preheader", "mjml", "text")
    )
    if newest is None or not same:
        version_id = await insert_version(template_id, text, created_by=None)
    elif newest["published_at"] is None:
        version_id = newest["id"]
    else:
        return
    if publish:
        await _publish_if_allowed(version_id)


async def _publish_if_allowed(version_id: uuid.UUID) -> None:
    # What is asked reads versions, and so stands above this module.
    from app.messaging import publishing, versions

    version = await versions.load(version_id)
    if version is not None and not await publishing.problems(version):
        await mark_published([version_id])


async def insert_version(template_id: uuid.UUID, text: TemplateText, *, created_by: uuid.UUID | None) -> uuid.UUID:
    """A draft. The template's row is locked: the number is the next one of its language."""
    version_id: uuid.UUID = await db.fetchval(
        _INSERT_VERSION,
        new_id(),
        template_id,
        text.language,
        text.subject,
        text.preheader,
        text.mjml,
        text.text,
        created_by,
    )
    return version_id


async def mark_published(version_ids: Sequence[uuid.UUID]) -> None:
    await db.execute(
        """
        UPDATE message_template_versions SET published_at = business_now()
        WHERE id = ANY($1) AND published_at IS NULL
        """,
        list(version_ids),
    )


async def newest_versions(key: str, *, published: bool) -> list[uuid.UUID]:
    """The newest version of each language of a template, of the published ones or of all."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (v.language) v.id
        FROM message_template_versions v JOIN message_templates t ON t.id = v.template_id
        WHERE t.key = $1 AND (v.published_at IS NOT NULL OR NOT $2)
        ORDER BY v.language, v.number DESC
        """,
        key,
        published,
    )
    return [row["id"] for row in rows]


async def is_newest(template_id: uuid.UUID, text: TemplateText) -> bool:
    """Whether the newest version of its language says just this."""
    found: bool = await db.fetchval(
        """
        SELECT (v.subject, v.preheader, v.mjml, v.text) IS NOT DISTINCT FROM ($3::text, $4::text, $5::text, $6::text)
        FROM message_template_versions v WHERE v.template_id = $1 AND v.language = $2 ORDER BY v.number DESC LIMIT 1
        """,
        template_id,
        text.language,
        text.subject,
        text.preheader,
        text.mjml,
        text.text,
    )
    return bool(found)
