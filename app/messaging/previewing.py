"""A template as its reader would see it, with examples or with somebody's own data. Nothing is sent or written."""

import uuid
from dataclasses import dataclass
from typing import Any, cast

import orjson

from app import db
from app.errors import CommonErrorCode, DomainError, not_found
from app.messaging import composing, merge_data, merge_values
from app.messaging.compiling import CompilingError
from app.messaging.errors import MessagingErrorCode
from app.messaging.merge_values import MergeDataError, Subject
from app.messaging.models import MessageChannel
from app.messaging.rendering import RenderedEmail, RenderingError
from app.messaging.shop_values import shop_values
from app.messaging.sms import SmsLength, sms_length
from app.messaging.tracked_links import LinkTracker
from app.messaging.versions import Version
from app.settings import get_settings
from app.shop import queries as shop_queries


@dataclass(frozen=True, slots=True)
class About:
    """Whose data it shows: a run's person and trigger, a cart's, or somebody's alone; nothing for examples."""

    profile_id: uuid.UUID | None = None
    run_id: uuid.UUID | None = None
    cart_id: uuid.UUID | None = None

    def as_context(self) -> dict[str, str]:
        given = {"profileId": self.profile_id, "runId": self.run_id, "cartId": self.cart_id}
        return {name: str(value) for name, value in given.items() if value is not None}

    @classmethod
    def of_context(cls, context: dict[str, Any]) -> "About":
        def known(name: str) -> uuid.UUID | None:
            return uuid.UUID(context[name]) if name in context else None

        return cls(known("profileId"), known("runId"), known("cartId"))

    @property
    def is_real(self) -> bool:
        return bool(self.profile_id or self.run_id or self.cart_id)


@dataclass(frozen=True, slots=True)
class Preview:
    mail: RenderedEmail | None
    text: str
    """Of the mail, the text message or the call."""
    sms: SmsLength | None


async def preview(version: Version, about: About) -> Preview:
    """The version, drafts too.

    Raises:
        DomainError: NOT_FOUND for whom it is to be shown about; TEMPLATE_INVALID; INVALID where they lack what it
            prints, such as a cart.
    """
    tracker = LinkTracker(message_id=None, utm={}, kept=(), settings=get_settings())
    try:
        values = await values_of(version, about)
        match version.channel:
            case MessageChannel.EMAIL:
                mail = composing.compose_email(version, values, tracker)
                return Preview(mail, mail.text, None)
            case MessageChannel.SMS:
                text = composing.compose_sms(version, values, tracker)
                return Preview(None, text, sms_length(text))
            case _:
                return Preview(None, composing.compose_call(version, values), None)
    except MergeDataError as error:
        message = f"It cannot be shown about this: {error}."
        raise DomainError(CommonErrorCode.INVALID, message, ["about"]) from error
    except (CompilingError, RenderingError) as error:
        raise DomainError(MessagingErrorCode.TEMPLATE_INVALID, str(error), ["id"]) from error


async def values_of(version: Version, about: About) -> dict[str, object]:
    """Raises DomainError(NOT_FOUND), MergeDataError."""
    settings = get_settings()
    if not about.is_real:
        shop = shop_values(await shop_queries.current(), settings)
        values = merge_data.sample(version.trigger)
        links = {**cast(dict[str, str], values["links"]), **merge_values.preview_links(settings)}
        return {**values, "shop": shop, "language": version.text.language, "links": links}
    return await merge_values.build(
        await _subject(version, about),
        trigger=version.trigger,
        language=version.text.language,
        uses=composing.uses(version),
        settings=settings,
    )


async def _subject(version: Version, about: About) -> Subject:
    profile_id, context, cart_id = about.profile_id, {}, about.cart_id
    if about.run_id is not None:
        run = await db.fetchrow("SELECT profile_id, trigger FROM flow_runs WHERE id = $1", about.run_id)
        if run is None:
            raise not_found("run", ["about", "runId"])
        profile_id, context = run["profile_id"], orjson.loads(run["trigger"])
    if profile_id is None and cart_id is not None:
        profile_id = await db.fetchval("SELECT profile_id FROM carts WHERE id = $1", cart_id)
        if profile_id is None:
            message = "Nobody knows whose cart this is."
            raise DomainError(CommonErrorCode.INVALID, message, ["about", "cartId"])
    if profile_id is None or not await db.fetchval("SELECT EXISTS (SELECT FROM profiles WHERE id = $1)", profile_id):
        raise not_found("profile", ["about", "profileId"])
    named = {name: _uuid(context.get(name)) for name in ("cartId", "orderId")}
    return Subject(
        profile_id=profile_id,
        channel=version.channel,
        address="preview",
        context=context,
        run_id=about.run_id,
        cart_id=cart_id or named["cartId"],
        order_id=named["orderId"],
    )


def _uuid(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
