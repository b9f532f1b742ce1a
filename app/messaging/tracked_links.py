"""Links of flows and campaigns: each leads through the shop, which counts the click and adds where it came from.

A link's code is derived from message and position, so the same message written again has the same links. Only what was
stored with a message is ever redirected to. Links by which somebody opts out stay as they are: they have to work
whatever becomes of the counting.
"""

import base64
import hashlib
import hmac
import html
import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app import db
from app.settings import Settings

LINK_PATH = "/l"
CODE_BYTES = 9
"""72 bits: nobody finds somebody else's link by trying."""
MAX_URL_CHARS = 4_000
_HARMLESS = ("mailto:", "tel:", "sms:", "#")
_HREF = re.compile(r'(<a\b[^>]*?\bhref=)(?:"([^"]*)"|\'([^\']*)\')', re.IGNORECASE)
_URL_IN_TEXT = re.compile(r"https?://[^\s<>\"']+")
_ENDS_SENTENCE = ".,;:!?)]"


def code_of(message_id: uuid.UUID, position: int, settings: Settings) -> str:
    text = b"link:" + message_id.bytes + position.to_bytes(4, "big")
    digest = hmac.digest(settings.secret_keys[0].encode(), text, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:CODE_BYTES]).decode()


def with_utm(url: str, utm: Mapping[str, str], own_hosts: Collection[str]) -> str:
    """The link with where it came from, if it leads to the shop's own pages and does not say so already.

    Other sites' links are left alone: a signed one would break.
    """
    if not is_own(url, own_hosts):
        return url
    parts = urlsplit(url)
    if any(name.startswith("utm_") for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return url
    added = urlencode({name: value for name, value in utm.items() if value})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def is_own(url: str, own_hosts: Collection[str]) -> bool:
    """Whether it leads to one of these hosts, or to a part of one."""
    host = _site_of(url)
    return any(host == own or host.endswith(f".{own}") for own in own_hosts)


def _site_of(url: str) -> str:
    """Its host; nothing for what is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def own_hosts(settings: Settings) -> frozenset[str]:
    """Of the API and the storefront; `www.shop.example` stands for all of `shop.example`."""
    urls = (
        settings.public_url,
        settings.storefront_url,
        settings.storefront_product_url,
        settings.storefront_cart_url,
    )
    hosts = (urlsplit(url).hostname for url in urls if url)
    return frozenset(host.removeprefix("www.") for host in hosts if host)


@dataclass(slots=True)
class LinkTracker:
    """Collects a message's links while it is written.

    Attributes:
        message_id: None where links are not counted, as in a preview.
        kept: addresses that stay as they are.
        urls: what was collected, by position.
    """

    message_id: uuid.UUID | None
    utm: Mapping[str, str]
    kept: Collection[str]
    settings: Settings
    urls: list[str] = field(default_factory=list)

    def html(self, page: str) -> str:
        """The page with its links exchanged. One that is no web, mail or phone address leads nowhere."""

        def exchange(found: re.Match[str]) -> str:
            written = found[2] if found[2] is not None else found[3]
            url = html.unescape(written).strip()
            if url.startswith(_HARMLESS) or not url:
                return found[0]
            target = self._exchanged(url) if url.startswith(("http://", "https://")) else "#"
            return f'{found[1]}"{html.escape(target)}"'

        return _HREF.sub(exchange, page)

    def text(self, text: str, source: str) -> str:
        """The text with its addresses exchanged: those of the shop, and those that its author wrote.

        Names and notes of shoppers stand in texts, too. An address in one of them stays as it is: counted, it would be
        a link on the shop's own domain that leads wherever somebody likes.

        Args:
            source: what the author wrote.
        """

        def exchange(found: re.Match[str]) -> str:
            url = found[0].rstrip(_ENDS_SENTENCE)
            ours = is_own(url, own_hosts(self.settings)) or _site_of(url) in written
            return (self._exchanged(url) if ours else url) + found[0][len(url) :]

        written = {_site_of(url) for url in _URL_IN_TEXT.findall(source)} - {""}

        return _URL_IN_TEXT.sub(exchange, text)

    def _exchanged(self, url: str) -> str:
        if url in self.kept or len(url) > MAX_URL_CHARS:
            return url
        target = with_utm(url, self.utm, own_hosts(self.settings))
        if self.message_id is None:
            return target
        if target not in self.urls:
            self.urls.append(target)
        return (
            f"{self.settings.public_url}{LINK_PATH}/{code_of(self.message_id, self.urls.index(target), self.settings)}"
        )


async def store(message_id: uuid.UUID, urls: list[str], settings: Settings) -> None:
    """Note a message's links, in the transaction that starts its sending."""
    if not urls:
        return
    await db.execute(
        """
        INSERT INTO message_links (code, message_id, position, url, created_at)
        SELECT l.code, $1, l.position - 1, l.url, business_now()
        FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS l (code, url, position)
        ON CONFLICT (message_id, position) DO UPDATE SET code = EXCLUDED.code, url = EXCLUDED.url
        """,
        message_id,
        [code_of(message_id, position, settings) for position in range(len(urls))],
        urls,
    )
