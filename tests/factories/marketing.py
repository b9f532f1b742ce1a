"""Templates of the database, and messages of flows and campaigns."""

import uuid
from typing import Any

from app import db
from app.kit.ids import new_id
from app.messaging import library, marketing
from app.messaging.library import TemplateText
from app.messaging.marketing import Deferred, MarketingMessage, Reserved, Skipped
from app.messaging.models import MessageChannel, MessagePurpose
from tests.factories import customers

EMAIL = "ada@customer.example"
PHONE = "+14155550188"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
MJML = """<mjml>
  <mj-head><mj-title>Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %}</mj-title></mj-head>
  <mj-body>
    <mj-section><mj-column>
      <mj-text>News from {{ shop.name }}. <a href="https://shop.example/new">What is new</a></mj-text>
      <mj-button href="{{ links.shop }}">To the shop</mj-button>
    </mj-column></mj-section>
    <mj-include path="marketing_footer.mjml" />
  </mj-body>
</mjml>"""
TEXT = """News from {{ shop.name }}: {{ links.shop }}

{% render 'marketing_footer.txt.liquid', links: links, shop: shop %}"""


async def template(
    key: str = "news",
    *,
    channel: MessageChannel = MessageChannel.EMAIL,
    purpose: MessagePurpose = MessagePurpose.MARKETING,
    trigger: str | None = None,
    mjml: str = MJML,
    text: str | None = None,
    language: str = "en",
    publish: bool = True,
) -> uuid.UUID:
    """A template with one version; the shop has to be there."""
    is_mail = channel is MessageChannel.EMAIL
    said = text if text is not None else TEXT if is_mail else "{{ shop.name }}: news! {{ links.shop }}"
    return await library.save_template(
        key=key,
        name=key,
        channel=channel,
        purpose=purpose,
        trigger=trigger,
        versions=[TemplateText(language, None, None, mjml if is_mail else None, said)],
        publish=publish,
    )


async def subscriber(**more: Any) -> uuid.UUID:
    """Ada, who agreed to mail and texts."""
    facts = {"email": EMAIL, "phone": PHONE, "first_name": "Ada", **more}
    consents = [MessageChannel.EMAIL, MessageChannel.SMS]
    return await customers.profile(**{"consents": consents, **facts})


def message(profile_id: uuid.UUID, **more: Any) -> MarketingMessage:
    given = {
        "profile_id": profile_id,
        "channel": MessageChannel.EMAIL,
        "template_key": "news",
        "dedupe_key": f"test:{new_id().hex}",
    }
    return MarketingMessage(**{**given, **more})


async def reserve(profile_id: uuid.UUID, **more: Any) -> Reserved | Skipped | Deferred:
    async with db.unit_of_work():
        return await marketing.reserve(message(profile_id, **more))
