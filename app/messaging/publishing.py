"""What keeps a template from being published: the law's rules for marketing, asked of the mail as its reader sees it.

Sources: CAN-SPAM (16 CFR 316: postal address, clear opt-out), CTIA 5.1 (a text names its sender).
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import cast

from app import db
from app.errors import DomainError, not_found
from app.messaging import library, merge_data, template_checks, versions
from app.messaging.errors import MessagingErrorCode
from app.messaging.models import MessageChannel, MessagePurpose
from app.messaging.order_values import ShopValues
from app.messaging.rendering import RenderedEmail
from app.messaging.shop_values import shop_values
from app.messaging.versions import Version
from app.settings import get_settings
from app.shop import queries as shop_queries

MIN_FONT_PX = 6.0
"""Smaller text nobody can read."""
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNSEEN = re.compile(r"display:none|visibility:hidden|opacity:0(?![.\d])|opacity:0\.0|mso-hide:all")
_FONT_SIZE = re.compile(r"font-size:([\d.]+)")
_SILENT = frozenset({"style", "title", "script", "head"})


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    is_hidden: bool
    font_size: float | None
    """In pixels or points, where it is set."""
    href: str | None


class _Seen(HTMLParser):
    """The text and links of a page that a reader can see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.links: dict[str, str] = {}
        self._open: list[_Open] = []
        self.feed(page)

    @property
    def _is_hidden(self) -> bool:
        # An inner font size replaces an outer one; MJML sets it to 0 between columns.
        sizes = [element.font_size for element in self._open if element.font_size is not None]
        return any(element.is_hidden for element in self._open) or (bool(sizes) and sizes[-1] < MIN_FONT_PX)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = dict(attrs)
        style = "".join((given.get("style") or "").lower().split())
        size = _FONT_SIZE.search(style)
        element = _Open(
            tag=tag,
            is_hidden=tag in _SILENT or "hidden" in given or _UNSEEN.search(style) is not None,
            font_size=float(size[1]) if size else None,
            href=given.get("href") if tag == "a" else None,
        )
        self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while any(element.tag == tag for element in self._open):
            if self._open.pop().tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._is_hidden or not data.strip():
            return
        self.text += data
        for element in self._open:
            if element.href:
                self.links[element.href] = self.links.get(element.href, "") + data


async def publishable(key: str) -> list[DomainError]:
    """What is wrong with what would be sent of a template; empty when it may be. For flows and campaigns.

    Of each language the newest published version counts; of a template that never was published, the newest draft.
    """
    version_ids = await _to_be_sent(key)
    if not version_ids:
        return [DomainError(MessagingErrorCode.TEMPLATE_NOT_PUBLISHED, f"There is no template {key}.")]
    return [error for version_id in version_ids for error in await problems(await _loaded(version_id))]


async def publish_drafts(keys: Sequence[str]) -> None:
    """Publish those of the templates that never were, when their flow or campaign is. `publishable` was asked before,
    in the same unit of work."""
    db.current_unit_of_work()
    for key in dict.fromkeys(keys):
        await library.mark_published(await _to_be_sent(key))


async def _to_be_sent(key: str) -> list[uuid.UUID]:
    return await library.newest_versions(key, published=True) or await library.newest_versions(key, published=False)


async def _loaded(version_id: uuid.UUID) -> Version:
    version = await versions.load(version_id)
    if version is None:
        raise not_found("version")
    return version


async def problems(version: Version) -> list[DomainError]:
    """What is wrong with one version: as it was written, as it is printed with examples, and by law."""
    found = template_checks.source_problems(version.channel, version.trigger, version.text)
    if found:
        return found
    settings = get_settings()
    shop = await shop_queries.current()
    values = {**merge_data.sample(version.trigger), "shop": shop_values(shop, settings)}
    values["language"] = version.text.language
    mail, text, found = template_checks.sample_of(version, values, settings)
    if found or version.purpose is not MessagePurpose.MARKETING:
        return found
    written = cast(ShopValues, values["shop"])
    if mail is not None:
        links = cast(dict[str, str], values["links"])
        has_address = bool(shop.postal_address.strip())
        return _mail_problems(version, mail, written["address"] if has_address else [], links["unsubscribe"])
    if version.channel is MessageChannel.EMAIL or written["name"].casefold() in text.casefold():
        return []
    message = "Begin with the shop's name, such as {{ shop.name }}: …"
    return [DomainError(MessagingErrorCode.BRAND_MISSING, message, ["text"])]


def _mail_problems(
    version: Version, mail: RenderedEmail, address: list[str], unsubscribe_url: str
) -> list[DomainError]:
    seen = _Seen(mail.html)
    found: list[DomainError] = []
    if not address:
        message = "The shop has no postal address; set it with shopUpdate(input: {postalAddress: …})."
        found.append(DomainError(MessagingErrorCode.POSTAL_ADDRESS_MISSING, message, ["mjml"]))
    elif not all(_words(line) in _words(seen.text) for line in address):
        message = 'Print shop.address, or put <mj-include path="marketing_footer.mjml" /> at the end.'
        found.append(DomainError(MessagingErrorCode.POSTAL_ADDRESS_MISSING, message, ["mjml"]))
    if not seen.links.get(unsubscribe_url, "").strip():
        message = "Show a link to {{ links.unsubscribe }}, or include marketing_footer.mjml."
        found.append(DomainError(MessagingErrorCode.OPT_OUT_MISSING, message, ["mjml"]))
    if version.text.text.strip() and unsubscribe_url not in mail.text:
        message = "The text part needs {{ links.unsubscribe }}, too: {% render 'marketing_footer.txt.liquid', … %}."
        found.append(DomainError(MessagingErrorCode.OPT_OUT_MISSING, message, ["text"]))
    return found


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()
