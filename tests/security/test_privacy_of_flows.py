"""A person goes through everything that the shop's flows do. What machines keep and write about it names nobody."""

import re
from typing import Any

import pytest

from app import db
from app.flows import recipes
from app.settings import get_settings
from app.webhooks import service as webhooks
from tests.client import Api
from tests.factories import catalogue, fulfillments
from tests.factories import checkout as buying
from tests.http_receiver import Reply, http_receiver
from tests.stories.shopper import Advance, Drain, Story
from tests.written_logs import logging_as_served

pytestmark = pytest.mark.long

EMAIL, PHONE, NAME, STREET = "canary.8842@customer.example", "+14155550188", "Canaria8842", "8842 Canary Street"
COMMENT, NOTE, KEY, REPLY = "canary-comment-8842", "canary-note-8842", "canary-key-8842", "canary-reply-8842"
PEOPLES = {
    "carts", "checkouts", "checkout_attempts", "orders", "profiles", "consents", "messages", "inbound_sms",
    "survey_responses", "dev_messages", "payments", "audit_changes", "invoices",
}  # fmt: skip
"""Tables that are about people: reached by their owners' rules, exported and erased with them."""
LEADS_ON = {"message_links"}
"""Where the links of a message lead: they open something, and say nothing about anybody."""
TOKEN = re.compile(r"/(?:unsubscribe|preferences|confirm|surveys|messages|restore)/([\w.=-]{20,})")


def around(text: str, found_in: str) -> str:
    """Where it was found: it is made up, so it may be told."""
    at = found_in.lower().index(text.lower())
    return found_in[max(at - 300, 0) : at + 100]


async def machines_tables(without: set[str]) -> str:
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = sorted({row["tablename"] for row in tables} - without)
    rows = [row["text"] for name in names for row in await db.fetch(f'SELECT t::text AS text FROM "{name}" t')]
    return "\n".join(rows)


@pytest.fixture
async def story(api: Api, staff_token: str, drain: Drain, advance: Advance, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    await buying.shop_that_ships()
    await recipes.install(publish=True)
    return Story(api, staff_token, drain, advance, email=EMAIL, phone=PHONE)


async def tour(story: Story) -> list[dict[str, Any]]:
    """Everything that one person can do; the mails that they got."""
    api, staff_token = story.api, story.staff
    await story.until_hour(16)
    tea = await catalogue.product(name="Sencha")
    await story.subscribe(sms=True)
    await story.confirm()
    await story.reply("YES")
    await story.reply(REPLY)
    await story.look_at(tea)
    cart_id = await story.cart(tea, sms=True)
    await api.ok(
        "mutation ($id: ID!, $note: String) { cartUpdate(cartId: $id, input: {note: $note}) { userErrors { code } } }",
        {"id": cart_id, "note": NOTE},
    )
    await story.start_checkout(cart_id)
    await story.pass_time("P3D")
    address = {**buying.ADDRESS, "firstName": NAME, "lastName": NAME, "address1": STREET}
    order = await story.order(cart_id, shippingAddress=address)
    sent = await fulfillments.fulfill(api, staff_token, order["id"], trackingNumber=fulfillments.UPS_NUMBER)
    await fulfillments.track(api, staff_token, sent["id"], "DELIVERED")
    await story.pass_time("P4D")
    mails = await story.inbox()
    survey = next(mail for mail in mails if mail["stepKey"] == "survey")
    await story.answer_survey(await story.click((await story.follow(survey, "2")).headers["location"]), score=2,
                              comment=COMMENT)  # fmt: skip
    await story.one_click(survey["headers"]["List-Unsubscribe"].strip("<>"))
    await story.reply("STOP")
    steps = {mail["stepKey"] for mail in mails}
    assert len(steps) > 4, steps
    return mails


async def test_a_tour_of_the_flows_leaves_nobodys_name_behind(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    async with http_receiver(lambda _: Reply(500)) as other:
        _, secret = await webhooks.create_endpoint({"name": "Other", "url": other.url()})
        await story.api.ok(
            "mutation ($i: CrmConnectionInput!) { crmConnectionCreate(input: $i) { userErrors { code message } } }",
            {"i": {"adapter": "hubspot", "name": "CRM", "apiKey": KEY, "configuration": {"apiUrl": other.url("")}}},
            token=story.staff,
        )
        with logging_as_served(get_settings(), log_format="console"):
            mails = await tour(story)

    people = [EMAIL, PHONE, PHONE.lstrip("+"), NAME, STREET, COMMENT, NOTE, KEY, REPLY, "canary"]
    tokens = {token for mail in mails for token in TOKEN.findall(f"{mail['text']} {mail['html']}")}
    assert len(tokens) > 5
    opening = [secret, story.carts[0].split("_", 2)[2], str(story.visitor_id).rpartition("_")[2], *tokens]
    logged = "".join(capfd.readouterr())
    assert "message sent" in logged
    assert EMAIL in await machines_tables(set()), "it looks where people are"
    kept = await machines_tables(PEOPLES)
    assert "checkout.started" in kept
    assert [around(text, f"{logged}{kept}") for text in people if text.lower() in f"{logged}{kept}".lower()] == []
    assert [text for text in opening if text in logged + await machines_tables(PEOPLES | LEADS_ON)] == []
    sent_out = "".join(request.body.decode() for request in other.received if "webhook-id" in request.headers)
    assert "order.placed" in sent_out
    assert [text for text in [*people, *opening] if text.lower() in sent_out.lower()] == []
