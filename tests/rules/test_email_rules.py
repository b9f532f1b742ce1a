"""What the law and the big mailbox providers ask of marketing mail (CAN-SPAM, RFC 8058, Gmail's and Yahoo's rules).

How the links themselves behave is told in test_consent_rules.
"""

import email
import email.policy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.flows import recipes
from app.messaging import library, publishing
from app.messaging.dev_inbox import list_messages
from app.messaging.library import TemplateText
from app.messaging.models import MessageChannel, MessagePurpose
from app.settings import Settings
from tests.client import Api
from tests.factories import shop
from tests.factories.marketing import EMAIL, MJML, TEXT, reserve, subscriber, template

Drain = Callable[[], Awaitable[None]]

PUBLISH = "mutation ($id: ID!) { templatePublish(id: $id) { userErrors { code message field } } }"
FOOTER = '<mj-include path="marketing_footer.mjml" />'
ADDRESS = (
    "<mj-section><mj-column><mj-text>{% for l in shop.address %}{{ l }}<br>{% endfor %}{link}</mj-text></mj-column>"
    "</mj-section>"
)


@pytest.fixture(autouse=True)
async def shop_row(clean_database: None) -> None:
    await shop.shop()


async def wire_headers() -> dict[str, str]:
    """The header lines of the only mail, as they went over the wire."""
    content: bytes = await db.fetchval("SELECT content FROM dev_messages")
    head = content.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ")
    return dict(line.split(": ", 1) for line in head.split("\r\n"))


async def test_marketing_carries_one_click_unsubscribe(drain: Drain, settings: Settings) -> None:
    await template()
    await reserve(await subscriber())
    await drain()
    headers = await wire_headers()
    assert headers["List-Unsubscribe"].startswith(f"<{settings.public_url}/unsubscribe/")
    assert headers["List-Unsubscribe"].endswith(">")
    assert "=?" not in headers["List-Unsubscribe"]  # encoded words are nothing that a mail program undoes here
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (mail,) = await list_messages(EMAIL)
    assert headers["List-Unsubscribe"][1:-1] in (mail.html or "")
    assert headers["List-Unsubscribe"][1:-1] in mail.text


async def test_marketing_names_its_list_and_is_no_automatic_answer(drain: Drain) -> None:
    await template()
    await reserve(await subscriber(), step_key="remind-1")
    await drain()
    headers = await wire_headers()
    assert headers["List-ID"] == "Tradewind Supply <marketing.localhost.localdomain>"
    assert headers["Feedback-ID"] == "news:remind-1:marketing:tradewind"
    assert headers["Precedence"] == "bulk"
    assert "Auto-Submitted" not in headers
    message = email.message_from_bytes(
        await db.fetchval("SELECT content FROM dev_messages"), policy=email.policy.default
    )
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_mail_about_an_account_or_order_is_no_marketing(drain: Drain) -> None:
    await template(purpose=MessagePurpose.TRANSACTIONAL)
    await reserve(await subscriber())
    await drain()
    headers = await wire_headers()
    assert headers["Auto-Submitted"] == "auto-generated"
    assert not {"List-Unsubscribe", "List-ID", "Precedence", "Feedback-ID"} & headers.keys()


async def test_a_name_cannot_bring_in_a_header(drain: Drain) -> None:
    await template()
    await reserve(await subscriber(first_name="Ada\r\nBcc: everybody@example.com"))
    await drain()
    headers = await wire_headers()
    assert headers["Subject"] == "Hello Ada Bcc: everybody@example.com"
    assert "Bcc" not in headers


async def draft(**text: Any) -> str:
    """A draft of a marketing mail; its id as the API shows it."""
    given = {"mjml": MJML, "text": TEXT, **text}
    template_id = await library.save_template(
        key="draft",
        name="Draft",
        channel=MessageChannel.EMAIL,
        purpose=MessagePurpose.MARKETING,
        versions=[TemplateText("en", "News", None, given["mjml"], given["text"])],
        publish=False,
    )
    return f"tmpl_{template_id.hex}"


async def refusals(api: Api, token: str, template_id: str) -> list[tuple[str, str]]:
    payload = (await api.query(PUBLISH, {"id": template_id}, token=token)).data["templatePublish"]
    published = await db.fetchval("SELECT count(*) FROM message_template_versions WHERE published_at IS NOT NULL")
    assert bool(payload["userErrors"]) is (published == 0)
    return [(error["code"], error["field"][-1]) for error in payload["userErrors"]]


async def test_marketing_with_address_and_opt_out_is_published(api: Api, staff_token: str) -> None:
    assert await refusals(api, staff_token, await draft()) == []


async def test_marketing_of_a_shop_without_postal_address_is_not_published(api: Api, staff_token: str) -> None:
    await db.execute("UPDATE shop SET postal_address = ' '")
    assert await refusals(api, staff_token, await draft()) == [("POSTAL_ADDRESS_MISSING", "mjml")]


async def test_marketing_that_does_not_print_the_postal_address_is_not_published(api: Api, staff_token: str) -> None:
    link = '<a href="{{ links.unsubscribe }}">Unsubscribe</a>'
    without = MJML.replace(FOOTER, ADDRESS.replace("{% for l in shop.address %}{{ l }}<br>{% endfor %}", "")).replace(
        "{link}", link
    )
    assert await refusals(api, staff_token, await draft(mjml=without)) == [("POSTAL_ADDRESS_MISSING", "mjml")]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "{{ links.unsubscribe }}",
        '<a href="{{ links.unsubscribe }}"></a>',
        '<!-- <a href="{{ links.unsubscribe }}">Unsubscribe</a> -->',
        '<span style="display: none"><a href="{{ links.unsubscribe }}">Unsubscribe</a></span>',
        '<a href="{{ links.unsubscribe }}" style="font-size:1px">Unsubscribe</a>',
        '{% if false %}<a href="{{ links.unsubscribe }}">Unsubscribe</a>{% endif %}',
    ],
)
async def test_marketing_without_an_opt_out_that_can_be_seen_is_not_published(
    api: Api, staff_token: str, link: str
) -> None:
    page = MJML.replace(FOOTER, ADDRESS.replace("{link}", link))
    assert await refusals(api, staff_token, await draft(mjml=page)) == [("OPT_OUT_MISSING", "mjml")]


async def test_a_text_part_without_the_opt_out_is_not_published(api: Api, staff_token: str) -> None:
    assert await refusals(api, staff_token, await draft(text="News!")) == [("OPT_OUT_MISSING", "text")]


async def test_marketing_by_text_names_the_shop(clean_database: None) -> None:
    await template("text", channel=MessageChannel.SMS, text="News! {{ links.shop }}")
    assert [error.code.name for error in await publishing.publishable("text")] == ["BRAND_MISSING"]
    assert await db.fetchval("SELECT published_at FROM message_template_versions") is None


async def test_a_flow_of_a_shop_without_postal_address_is_not_published(api: Api, staff_token: str) -> None:
    await db.execute("UPDATE shop SET postal_address = ''")
    await recipes.install(publish=False)
    flow_id = await db.fetchval("SELECT id FROM flows WHERE key = 'welcome'")
    publish = "mutation ($id: ID!) { flowPublish(id: $id) { userErrors { message } } }"
    refused = (await api.query(publish, {"id": f"flow_{flow_id.hex}"}, token=staff_token)).data["flowPublish"]
    assert any("postal address" in error["message"] for error in refused["userErrors"])
    assert await db.fetchval("SELECT status FROM flows WHERE id = $1", flow_id) == "DRAFT"
    await db.execute("UPDATE shop SET postal_address = '1 Harbor Way'")
    await api.ok(publish, {"id": f"flow_{flow_id.hex}"}, token=staff_token)
    unpublished = await db.fetch(
        """
        SELECT t.key FROM message_templates t WHERE t.key LIKE 'welcome-%' AND NOT EXISTS (
            SELECT FROM message_template_versions v WHERE v.template_id = t.id AND v.published_at IS NOT NULL)
        """
    )
    assert unpublished == []


async def test_every_text_of_the_recipes_keeps_the_rules(clean_database: None) -> None:
    for recipe in recipes.recipes():
        for key in recipe.templates:
            await recipes._install_template(key, recipe.trigger, recipes.FOLDER / "templates")
            assert [error.message for error in await publishing.publishable(key)] == [], key
    drafts = await db.fetchval("SELECT count(*) FROM message_template_versions WHERE published_at IS NULL")
    assert drafts == 0
