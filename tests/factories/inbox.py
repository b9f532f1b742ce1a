"""Messages in the developer's inbox, as the shop would have sent them."""

from dataclasses import dataclass
from email.message import EmailMessage

from app.kit.ids import new_id
from app.messaging.dev_inbox import DevEmailTransport, DevSmsTransport
from app.messaging.models import MessagePurpose
from app.messaging.rendering import render_email
from app.messaging.transports import OutgoingEmail, OutgoingSms
from tests.factories.messages import template_values


@dataclass(frozen=True, slots=True)
class Received:
    subject: str
    text: str


async def mail(to: str, template: str, *, subject: str | None = None, html: str | None = None) -> Received:
    """A mail with the template's sample values; its picture is left out, as it lies on another host."""
    rendered = render_email(template, template_values(template) | {"has_images": False})
    message = EmailMessage()
    message["Subject"] = subject or rendered.subject
    message["From"] = "Tradewind Supply <hello@shop.example>"
    message["To"] = to
    message.set_content(rendered.text)
    message.add_alternative(html or rendered.html, subtype="html")
    outgoing = OutgoingEmail(new_id(), MessagePurpose.TRANSACTIONAL, template, "hello@shop.example", to, message)
    await DevEmailTransport().send(outgoing)
    return Received(message["Subject"], rendered.text)


async def text(to: str, words: str, template: str = "order_shipped") -> None:
    """An SMS."""
    await DevSmsTransport().send(OutgoingSms(new_id(), MessagePurpose.TRANSACTIONAL, template, to, words))
