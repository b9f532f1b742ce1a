"""A mail as a page: written anew from what the shop knows now, never from a copy."""

import uuid

from app.keys import keyring
from app.messaging import composing, ledger, merge_values, versions
from app.messaging.compiling import CompilingError
from app.messaging.ledger import LedgerRow
from app.messaging.merge_values import MergeDataError, Subject
from app.messaging.models import MessageChannel
from app.messaging.rendering import RenderingError
from app.messaging.tracked_links import LinkTracker
from app.settings import Settings

MAX_TOKEN_CHARS = 300


async def page_of(token: str, settings: Settings) -> str | None:
    """The HTML of a mail; None for a wrong token, and for a message that cannot be written (any more)."""
    payload = keyring().unsign(merge_values.VIEW_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None
    row = await ledger.find(uuid.UUID(hex=payload)) if isinstance(payload, str) else None
    if row is None or row.channel is not MessageChannel.EMAIL:
        return None
    try:
        return await _written(row, settings)
    except (MergeDataError, CompilingError, RenderingError):
        return None


async def _written(row: LedgerRow, settings: Settings) -> str | None:
    version = await versions.load(row.template_version_id) if row.template_version_id else None
    if version is None:
        return None
    values = await merge_values.build(
        Subject.of(row),
        trigger=version.trigger,
        language=version.text.language,
        uses=composing.uses(version),
        settings=settings,
    )
    tracker = LinkTracker(message_id=None, utm={}, kept=(), settings=settings)
    return composing.compose_email(version, values, tracker).html
