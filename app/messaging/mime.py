"""A rendered mail as the message that goes over the wire."""

import email.policy
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from app.addresses.contact import normalise_email
from app.errors import DomainError
from app.messaging.models import MessagePurpose
from app.messaging.rendering import LANGUAGE, RenderedEmail, one_line
from app.messaging.transports import OutgoingEmail, PermanentSendError, TemporarySendError

SENDER_ID = "tradewind"
"""The constant part of Feedback-ID, by which Gmail's tools group what is said about the shop's mail."""


@dataclass(frozen=True, slots=True)
class AttachedPdf:
    """`name` ends with .pdf, in ASCII."""

    name: str
    content: bytes


class _WebAddressHeader(UniqueUnstructuredHeader):
    """A header whose value is a web address: never folded and never encoded.

    Python's email library encodes a long word as RFC 2047 words, which no mail program undoes in List-Unsubscribe.
    """

    def fold(self, *, policy: email.policy.Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
for _name in ("list-unsubscribe", "feedback-id"):
    _HEADERS.map_to_type(_name, _WebAddressHeader)  # type: ignore[arg-type]  # as all of the library's own classes are
_POLICY = email.policy.SMTP.clone(header_factory=_HEADERS)

MAX_QUOTED_CHARS = 60
"""Of name and address together, on a line of 78 with `Reply-To: "" <>` around them."""
_FEEDBACK_PART = re.compile(r"[^A-Za-z0-9_.:-]+")
_NEEDS_QUOTES = re.compile(r'[()<>@,:;."\\\[\]]')


def address(text: str, default_name: str = "") -> Address:
    """`Name <box@host>` or `box@host`, the host in ASCII (IDNA). Raises DomainError for anything else."""
    name, mailbox = parseaddr(text) if text.isprintable() else ("", "")
    addr_spec = normalise_email(mailbox)
    display_name = _display_name(_header_text(name or default_name), addr_spec)
    return Address(display_name=_header_text(display_name), addr_spec=addr_spec)


def _header_text(text: str) -> str:
    """One line that stands for itself.

    Python's email library decodes the encoded words (RFC 2047) in what it is given, and writes what comes out as it is:
    a name such as `=?utf-8?q?Ada=0D=0ABcc:_eve@example.com?=` would be a header of its own.
    """
    return one_line(text).replace("=?", "= ?")


def _display_name(name: str, addr_spec: str) -> str:
    """The name, without the characters that would have to be quoted where it does not fit on a line.

    Python's email library (3.11 to 3.13, for some) breaks a long quoted name into lines and leaves the quotes out: a
    comma would then begin another address, and `<` end the name.
    """
    escaped = sum(character in '"\\' for character in name)
    if len(name) + escaped + len(addr_spec) <= MAX_QUOTED_CHARS:
        return name
    return " ".join(_NEEDS_QUOTES.sub(" ", name).split())


def mailbox_or_none(text: str | None) -> str | None:
    """The address, if it is one: what staff typed as the shop's contact may be anything."""
    try:
        return normalise_email(text or "")
    except DomainError:
        return None


def _header_address(text: str, default_name: str, setting: str) -> Address:
    try:
        return address(text, default_name)
    except DomainError:
        raise TemporarySendError(f"{setting} is not an email address") from None


def compose(
    *,
    message_id: uuid.UUID,
    purpose: MessagePurpose,
    template: str,
    rendered: RenderedEmail,
    recipient: str,
    email_from: str,
    reply_to: str | None,
    shop_name: str,
    written_at: datetime,
    language: str = LANGUAGE,
    unsubscribe_url: str | None = None,
    feedback: str = "",
    attached: Sequence[AttachedPdf] = (),
) -> OutgoingEmail:
    """The whole message, the same at every try: a mail program shows a repeated Message-ID once.

    Args:
        unsubscribe_url: for marketing: where one POST ends it (RFC 8058).
        feedback: which flow and step, or campaign, for Feedback-ID.
        attached: documents that come with it.

    Raises:
        PermanentSendError: the recipient is no address.
        TemporarySendError: the configured sender is no address.
    """
    sender = _header_address(email_from, shop_name, "EMAIL_FROM")
    try:
        to = Address(addr_spec=normalise_email(recipient))
    except DomainError:
        raise PermanentSendError("not an email address") from None
    mime = EmailMessage(_POLICY)
    mime["From"] = sender
    mime["To"] = to
    if reply_to:
        mime["Reply-To"] = _header_address(reply_to, shop_name, "EMAIL_REPLY_TO")
    mime["Subject"] = _header_text(rendered.subject)
    mime["Date"] = format_datetime(written_at)
    mime["Message-ID"] = f"<{message_id.hex}@{sender.domain}>"
    if purpose is MessagePurpose.TRANSACTIONAL:
        # RFC 3834 and Microsoft's own: no out-of-office answers to a machine.
        mime["Auto-Submitted"] = "auto-generated"
        mime["X-Auto-Response-Suppress"] = "All"
    if unsubscribe_url is not None:
        for name, value in _marketing_headers(unsubscribe_url, feedback, shop_name, sender.domain).items():
            mime[name] = value
    mime.set_content(rendered.text, cte="quoted-printable")
    mime.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    mime.set_boundary(f"=_{message_id.hex}")
    if attached:
        for document in attached:
            mime.add_attachment(document.content, maintype="application", subtype="pdf", filename=document.name)
        mime.set_boundary(f"=_{message_id.hex}_attached")
    # Last, as adding the second part moves every Content- header into the first.
    mime["Content-Language"] = language
    return OutgoingEmail(
        id=message_id,
        purpose=purpose,
        template=template,
        sender=sender.addr_spec,
        recipient=to.addr_spec,
        mime=mime,
    )


def _marketing_headers(unsubscribe_url: str, feedback: str, shop_name: str, domain: str) -> Mapping[str, str]:
    """RFC 2369 and 8058 (one-click), RFC 2919, and what Gmail and Yahoo ask of bulk senders."""
    words = _NEEDS_QUOTES.sub(" ", one_line(shop_name)).encode("ascii", "ignore").decode()
    return {
        "List-Unsubscribe": f"<{unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-ID": f"{_header_text(' '.join(words.split()))} <marketing.{domain}>".strip(),
        "Feedback-ID": f"{_FEEDBACK_PART.sub('-', feedback)}:marketing:{SENDER_ID}",
        # No out-of-office answers, and no Auto-Submitted: people sent it to people.
        "Precedence": "bulk",
    }
