"""A rendered mail as the message that goes over the wire."""

import email.policy
import re
import uuid
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from app.addresses.contact import normalise_email
from app.errors import DomainError
from app.messaging.models import MessagePurpose
from app.messaging.rendering import LANGUAGE, RenderedEmail, one_line
from app.messaging.transports import OutgoingEmail, PermanentSendError, TemporarySendError

MAX_QUOTED_CHARS = 60
"""Of name and address together, on a line of 78 with `Reply-To: "" <>` around them."""
_NEEDS_QUOTES = re.compile(r'[()<>@,:;."\\\[\]]')


def address(text: str, default_name: str = "") -> Address:
    """`Name <box@host>` or `box@host`, the host in ASCII (IDNA). Raises DomainError for anything else."""
    name, mailbox = parseaddr(text) if text.isprintable() else ("", "")
    addr_spec = normalise_email(mailbox)
    return Address(display_name=_display_name(name or one_line(default_name), addr_spec), addr_spec=addr_spec)


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
) -> OutgoingEmail:
    """The whole message, the same at every try: a mail program shows a repeated Message-ID once.

    Raises:
        PermanentSendError: the recipient is no address.
        TemporarySendError: the configured sender is no address.
    """
    sender = _header_address(email_from, shop_name, "EMAIL_FROM")
    try:
        to = Address(addr_spec=normalise_email(recipient))
    except DomainError:
        raise PermanentSendError("not an email address") from None
    mime = EmailMessage(email.policy.SMTP)
    mime["From"] = sender
    mime["To"] = to
    if reply_to:
        mime["Reply-To"] = _header_address(reply_to, shop_name, "EMAIL_REPLY_TO")
    mime["Subject"] = one_line(rendered.subject)
    mime["Date"] = format_datetime(written_at)
    mime["Message-ID"] = f"<{message_id.hex}@{sender.domain}>"
    if purpose is MessagePurpose.TRANSACTIONAL:
        # RFC 3834 and Microsoft's own: no out-of-office answers to a machine.
        mime["Auto-Submitted"] = "auto-generated"
        mime["X-Auto-Response-Suppress"] = "All"
    mime.set_content(rendered.text, cte="quoted-printable")
    mime.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    mime.set_boundary(f"=_{message_id.hex}")
    # Last, as adding the second part moves every Content- header into the first.
    mime["Content-Language"] = LANGUAGE
    return OutgoingEmail(
        id=message_id,
        purpose=purpose,
        template=template,
        sender=sender.addr_spec,
        recipient=to.addr_spec,
        mime=mime,
    )
