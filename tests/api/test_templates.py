"""Templates through GraphQL: what may be written, what is refused and where, and how it looks."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.customers.vocabulary import EVENT_TYPES
from app.kit import ids
from app.messaging import composing, merge_data
from app.messaging.compiling import html_environment
from app.messaging.dev_inbox import list_messages
from app.messaging.models import MessageChannel, MessagePurpose
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, shop
from tests.factories.marketing import EMAIL, MJML, TEXT, reserve, subscriber, template
from tests.factories.messages import ledger

Drain = Callable[[], Awaitable[None]]

SAVE = """
mutation ($input: TemplateInput!) {
  templateSave(input: $input) {
    template { id key channel purpose trigger versions { language number text publishedAt isSent } }
    userErrors { code message field }
  }
}
"""
PUBLISH = """
mutation ($id: ID!) {
  templatePublish(id: $id) { template { versions { number isSent } } userErrors { code message field } }
}
"""
PREVIEW = """
query ($id: ID!, $about: TemplateAboutInput) {
  templatePreview(id: $id, about: $about) { subject html text smsSegments smsEncoding problems { code } }
}
"""
TEST_SEND = """
mutation ($id: ID!, $to: String!) {
  templateTestSend(id: $id, to: $to) { message { id state recipient template } userErrors { code field } }
}
"""
NEWS: dict[str, Any] = {
    "key": "news",
    "name": "News",
    "channel": "EMAIL",
    "purpose": "MARKETING",
    "subject": "Hello {{ customer.first_name | default: 'you' }}",
    "mjml": MJML,
    "text": TEXT,
}


@pytest.fixture(autouse=True)
async def shop_row(clean_database: None) -> None:
    await shop.shop()


async def saved(api: Api, token: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(SAVE, {"input": {**NEWS, **more}}, token=token))["templateSave"]["template"]
    return found


async def errors_of(api: Api, token: str, **more: Any) -> list[tuple[str, str, list[str]]]:
    """What a text is refused for; nothing is written."""
    payload = (await api.query(SAVE, {"input": {**NEWS, **more}}, token=token)).data["templateSave"]
    assert payload["template"] is None
    assert await db.fetchval("SELECT count(*) FROM message_template_versions") == 0
    return [(error["code"], error["message"], error["field"]) for error in payload["userErrors"]]


async def test_each_text_is_a_draft_until_it_is_published(api: Api, staff_token: str) -> None:
    first = await saved(api, staff_token)
    assert [(v["number"], v["publishedAt"]) for v in first["versions"]] == [(1, None)]
    await api.ok(PUBLISH, {"id": first["id"]}, token=staff_token)
    await saved(api, staff_token, text=f"New. {TEXT}")
    again = await saved(api, staff_token, text=f"New. {TEXT}")
    assert [(v["number"], v["isSent"]) for v in again["versions"]] == [(2, False), (1, True)]
    answer = await api.ok(PUBLISH, {"id": first["id"]}, token=staff_token)
    assert [v["isSent"] for v in answer["templatePublish"]["template"]["versions"]] == [True, False]


SECTION = "<mjml>\n<mj-body>\n<mj-section>\n</mj-body></mjml>"
INCLUDED = '<mjml><mj-body>\n<mj-include path="../secrets" /></mj-body></mjml>'
SCRIPTED = '<mjml><mj-body><mj-raw>\n<a href="javascript:alert(1)">x</a></mj-raw></mj-body></mjml>'


@pytest.mark.parametrize(
    ("part", "source", "message"),
    [
        (
            "subject",
            "{{ customer.frist_name }}",
            "Line 1: customer.frist_name is unknown here; did you mean first_name?",
        ),
        ("text", "A\n\n{% iff x %}", "Line 3: unexpected tag 'iff'."),
        ("text", "A\n{{ shop.name | shout }}", "Line 2: there is no filter shout."),
        (
            "text",
            "{{ cart.total }}",
            "Line 1: cart is unknown here; there are blocks, coupon, customer, language, links,",
        ),
        ("text", "{% include 'footer' %}", "Line 1: unexpected tag 'include'."),
        ("mjml", "<mjml>\n<mj-bdy></mj-bdy></mjml>", "Line 2: there is no element mj-bdy; did you mean mj-body?"),
        ("mjml", SECTION, "Line 4: </mj-body> ends what was not begun; mj-section of line 3 is open here."),
        ("mjml", INCLUDED, "Line 2: write <mj-include"),
        ("mjml", SCRIPTED, "Line 2: a link leads to http, https, mailto, tel or sms, not to javascript."),
        ("mjml", "<mjml><mj-raw><script>x</script></mj-raw></mjml>", "Line 1: scripts, forms and frames"),
    ],
)
async def test_what_is_wrong_is_named_with_its_line(
    api: Api, staff_token: str, part: str, source: str, message: str
) -> None:
    found = await errors_of(api, staff_token, **{part: source})
    assert ("TEMPLATE_INVALID", ["input", part]) in [(code, field) for code, _, field in found]
    assert any(text.startswith(message) for _, text, _ in found), found


async def test_everything_that_is_wrong_is_told_at_once(api: Api, staff_token: str) -> None:
    found = await errors_of(api, staff_token, subject="{{ a }}", text="{{ b }}", mjml="<mjml><mj-bdy></mj-bdy></mjml>")
    assert {field[1] for _, _, field in found} == {"subject", "text", "mjml"}


async def test_a_new_template_says_what_it_is_and_keeps_it(api: Api, staff_token: str) -> None:
    found = await errors_of(api, staff_token, name=None, channel=None, purpose=None)
    assert [(code, field) for code, _, field in found] == [
        ("REQUIRED", ["input", "channel"]),
        ("REQUIRED", ["input", "purpose"]),
        ("REQUIRED", ["input", "name"]),
    ]
    await saved(api, staff_token)
    refused = (await api.query(SAVE, {"input": {**NEWS, "channel": "SMS"}}, token=staff_token)).data["templateSave"]
    assert [error["field"] for error in refused["userErrors"]] == [["input", "channel"]]


async def test_a_preview_shows_examples_or_somebodys_own_data(api: Api, staff_token: str) -> None:
    variant = (await catalogue.product(name="Harbour sweater")).variant_ids[0]
    cart = await carts.cart((variant, 2), email=EMAIL)
    ada = await subscriber(first_name="Zoë <b>")
    made = await saved(
        api,
        staff_token,
        trigger="cart.updated",
        subject="{{ customer.first_name }}: {{ cart.item_count }} left",
        mjml=MJML.replace("News from", "{{ customer.first_name }} {% for l in cart.lines %}{{ l.name }}{% endfor %}"),
    )
    examples = (await api.ok(PREVIEW, {"id": made["id"]}, token=staff_token))["templatePreview"]
    assert examples["subject"] == "Ada: 2 left"
    assert examples["problems"] == []
    about = {"cartId": cart.gid, "profileId": ids.encode("prof", ada)}
    real = (await api.ok(PREVIEW, {"id": made["id"], "about": about}, token=staff_token))["templatePreview"]
    assert real["subject"] == "Zoë <b>: 2 left"
    assert "Zoë &lt;b&gt; Harbour sweater" in real["html"]
    without_cart = await api.query(
        PREVIEW, {"id": made["id"], "about": {"profileId": ids.encode("prof", ada)}}, token=staff_token
    )
    assert without_cart.codes == ["INVALID"]


async def test_a_preview_of_a_text_message_counts_its_segments(api: Api, staff_token: str) -> None:
    text = {"key": "text", "name": "Text", "channel": "SMS", "purpose": "MARKETING", "text": "{{ shop.name }}: 花"}
    made = (await api.ok(SAVE, {"input": text}, token=staff_token))["templateSave"]["template"]
    shown = (await api.ok(PREVIEW, {"id": made["id"]}, token=staff_token))["templatePreview"]
    assert (shown["smsSegments"], shown["smsEncoding"], shown["html"]) == (1, "UCS_2", None)


async def test_a_test_goes_to_the_address_that_staff_name_and_says_so(api: Api, staff_token: str, drain: Drain) -> None:
    made = await saved(api, staff_token)
    answer = await api.ok(TEST_SEND, {"id": made["id"], "to": "me@shop.example"}, token=staff_token)
    assert answer["templateTestSend"]["message"]["state"] == "RESERVED"
    await drain()
    (mail,) = await list_messages()
    assert (mail.to, mail.subject) == ("me@shop.example", "[Test] Hello Ada")
    assert [row["state"] for row in await ledger()] == ["SENT"]
    refused = await api.query(TEST_SEND, {"id": made["id"], "to": "nobody"}, token=staff_token)
    assert refused.data["templateTestSend"]["userErrors"][0]["code"] == "INVALID_EMAIL"


async def test_every_name_of_every_trigger_is_documented_and_prints(api: Api, staff_token: str) -> None:
    merge_names = "query ($t: String) { templateMergeData(trigger: $t) { path kind description example } }"
    for trigger in (None, *EVENT_TYPES):
        names = (await api.ok(merge_names, {"t": trigger}, token=staff_token))["templateMergeData"]
        values = merge_data.sample(trigger)
        for name in names:
            # Of a list's items the first is printed.
            path = name["path"].replace("[]", "[0]")
            printed = html_environment().from_string("{{ " + path + " }}").render(**values)
            assert name["description"]
            if name["example"] is not None:
                assert printed, (trigger, path)
    unknown = await api.query(merge_names, {"t": "order.plcaed"}, token=staff_token)
    assert unknown.codes == ["INVALID"]


async def test_real_data_has_every_name_that_is_documented(staff_token: str) -> None:
    """What `merge_values` fills in and what `merge_data` promises are the same names."""
    from app.messaging import merge_values
    from app.settings import get_settings

    variant = (await catalogue.product()).variant_ids[0]
    cart = await carts.cart((variant, 1), email=EMAIL)
    ada = await subscriber()
    uses = frozenset({"customer", "cart", "links", "shop", "blocks.recommended", "blocks.viewed"})
    subject = merge_values.Subject(ada, MessageChannel.EMAIL, EMAIL, {"cartId": str(cart.id)}, cart_id=cart.id)
    values = await merge_values.build(
        subject, trigger="cart.updated", language="en", uses=uses, settings=get_settings()
    )
    promised = merge_data.sample("cart.updated")
    for root in ("customer", "cart", "shop"):
        assert set(values[root]) == set(promised[root]), root  # type: ignore[call-overload]
    assert set(values["links"]) >= set(promised["links"])  # type: ignore[call-overload]
    assert set(values["cart"]["lines"][0]) == set(promised["cart"]["lines"][0])  # type: ignore[index]


async def test_a_recipe_never_overwrites_what_the_merchant_wrote(api: Api, staff_token: str) -> None:
    await template()
    mine = await saved(api, staff_token, text=f"Mine. {TEXT}")
    await template(text=f"The recipe's next text. {TEXT}")
    texts = await db.fetch("SELECT text FROM message_template_versions ORDER BY number")
    assert [row["text"] for row in texts] == [TEXT, f"Mine. {TEXT}"]
    assert len(mine["versions"]) == 2


async def test_the_text_part_is_made_from_the_html_where_none_was_written(api: Api, staff_token: str) -> None:
    made = await saved(api, staff_token, text="")
    shown = (await api.ok(PREVIEW, {"id": made["id"]}, token=staff_token))["templatePreview"]
    assert "News from Tradewind Supply" in shown["text"]
    assert "[Unsubscribe](" in shown["text"]
    assert "<" not in composing.text_of(shown["html"]).replace("<http", "")


async def test_a_transactional_message_can_be_sent_again_and_marketing_cannot(
    api: Api, staff_token: str, drain: Drain
) -> None:
    ada = await subscriber()
    await template("news")
    await template("account", purpose=MessagePurpose.TRANSACTIONAL)
    for key in ("news", "account"):
        await reserve(ada, template_key=key)
    await drain()
    resend = "mutation ($id: ID!) { messageResend(id: $id) { message { id } userErrors { code } } }"
    ids_of = {row["template"]: ids.encode("msg", row["id"]) for row in await ledger()}
    refused = (await api.query(resend, {"id": ids_of["news"]}, token=staff_token)).data["messageResend"]
    assert [error["code"] for error in refused["userErrors"]] == ["MESSAGE_OBSOLETE"]
    await api.ok(resend, {"id": ids_of["account"]}, token=staff_token)
    await drain()
    assert [row["state"] for row in await ledger()] == ["SENT"] * 3
    assert len(await list_messages(EMAIL)) == 3
