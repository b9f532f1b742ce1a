"""What keeps a template from being published: the law's rules for marketing, asked of the mail as its reader sees it.

Sources: CAN-SPAM (16 CFR 316: postal address, clear opt-out), CTIA 5.1 (a text names its sender).
"""

import uuid
from collections.abc import Sequence
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

_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNSEEN = ("display:none", "visibility:hidden", "font-size:0", "opacity:0", "mso-hide:all")
_SILENT = frozenset({"style", "title", "script", "head"})


class _Seen(HTMLParser):
    """The text and links of a page that a reader can see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.links: dict[str, str] = {}
        self._open: list[tuple[str, bool, str | None]] = []
        self.feed(page)

    @property
    def _is_hidden(self) -> bool:
        return any(hidden for _, hidden, _ in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = dict(attrs)
        style = "".join((given.get("style") or "").lower().split())
        hidden = tag in _SILENT or "hidden" in given or any(mark in style for mark in _UNSEEN)
        self._open.append((tag, hidden, given.get("href") if tag == "a" else None))

    def handle_endtag(self, tag: str) -> None:
        while self._open and any(name == tag for name, _, _ in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._is_hidden or not data.strip():
            return
        self.text += data
        for _, _, href in self._open:
            if href:
                self.links[href] = self.links.get(href, "") + data


async def publishable(key: str) -> list[DomainError]:
    """What is wrong with what would be sent of a template now; empty when it may be. For flows and campaigns.

    Of each language the newest published version counts; without any, TEMPLATE_NOT_PUBLISHED.
    """
    version_ids = await library.newest_versions(key, published=True)
    if not version_ids:
        message = f"The template {key} has no published version."
        return [DomainError(MessagingErrorCode.TEMPLATE_NOT_PUBLISHED, message)]
    return [error for version_id in version_ids for error in await problems(await _loaded(version_id))]


async def ensure_published(keys: Sequence[str]) -> list[DomainError]:
    """Publish, in the open unit of work, those of the templates that never were; and say what keeps any from it.

    For publishing a flow: its recipe's templates are drafts until then.
    """
    db.current_unit_of_work()
    found: list[DomainError] = []
    for key in dict.fromkeys(keys):
        if await library.newest_versions(key, published=True):
            found += await publishable(key)
            continue
        drafts = await library.newest_versions(key, published=False)
        if not drafts:
            message = f"There is no template {key}."
            found.append(DomainError(MessagingErrorCode.TEMPLATE_NOT_PUBLISHED, message))
            continue
        wrong = [error for version_id in drafts for error in await problems(await _loaded(version_id))]
        found += wrong
        if not wrong:
            await library.mark_published(drafts)
    return found


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
