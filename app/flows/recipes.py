"""The flows that every shop gets: definitions and templates as files, the merchant's own once they are installed."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from app import db
from app.flows import service
from app.messaging import library
from app.messaging.library import TemplateText
from app.messaging.models import MessageChannel, MessagePurpose

FOLDER = Path(__file__).resolve().parent / "recipes"
LANGUAGE = "en"
LOCK_ID = 0x7472_6164_666C
"""Installing at the same time by several processes is done one after the other."""
_TEXTS = {
    MessageChannel.EMAIL: ".txt.liquid",
    MessageChannel.SMS: ".sms.liquid",
    MessageChannel.VOICE: ".voice.liquid",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    key: str
    name: str
    definition: dict[str, Any]
    templates: list[str]

    @property
    def trigger(self) -> str | None:
        """What its templates print comes with this event; None where several can start it."""
        trigger = self.definition.get("trigger", {})
        return trigger.get("event") if isinstance(trigger, dict) else None


def recipes(folder: Path = FOLDER) -> Iterator[Recipe]:
    for file in sorted(folder.glob("*.json")):
        given = orjson.loads(file.read_bytes())
        yield Recipe(given["key"], given["name"], given["definition"], given["templates"])


async def install(*, publish: bool, folder: Path = FOLDER) -> list[str]:
    """Install the recipes that the shop does not have yet; returns their keys.

    Args:
        publish: also publish them, and those that were installed as drafts before and that nobody has touched since.

    A flow that is there stays as it is, whatever became of it. Safe to call from several processes at once, and in an
    open unit of work.
    """
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", LOCK_ID)
        known = {row["key"] for row in await db.fetch("SELECT key FROM flows")}
        shipped = list(recipes(folder))
        missing = [recipe for recipe in shipped if recipe.key not in known]
        for recipe in missing:
            for template in recipe.templates:
                await _install_template(template, recipe.trigger, folder / "templates")
            await service.save(key=recipe.key, name=recipe.name, definition=recipe.definition)
        if publish:
            # Only now: recipes name each other.
            for flow_id in await _unpublished([recipe.key for recipe in shipped]):
                await service.publish(flow_id)
    return [recipe.key for recipe in missing]


async def _unpublished(keys: list[str]) -> list[uuid.UUID]:
    """Drafts as they came, that nobody has touched."""
    rows = await db.fetch(
        """
        SELECT f.id FROM flows f JOIN flow_versions v ON v.flow_id = f.id AND v.number = f.latest_version
        WHERE f.key = ANY($1) AND f.status = 'DRAFT' AND v.created_by IS NULL ORDER BY f.id
        """,
        keys,
    )
    return [row["id"] for row in rows]


async def _install_template(key: str, trigger: str | None, folder: Path) -> None:
    channel = next(channel for channel, suffix in _TEXTS.items() if (folder / f"{key}{suffix}").exists())
    mjml = folder / f"{key}.mjml"
    text = TemplateText(
        language=LANGUAGE,
        subject=None,
        preheader=None,
        mjml=mjml.read_text(encoding="utf-8") if channel is MessageChannel.EMAIL else None,
        text=(folder / f"{key}{_TEXTS[channel]}").read_text(encoding="utf-8"),
    )
    await library.save_template(
        key=key,
        name=key.replace("-", " ").capitalize(),
        channel=channel,
        purpose=MessagePurpose.MARKETING,
        trigger=trigger,
        versions=[text],
        publish=True,
    )
