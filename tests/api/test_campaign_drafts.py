"""Campaigns before they are sent: drafts, tests, refusals; and what is counted after."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.kit import ids
from app.messaging.dev_inbox import list_messages
from app.messaging.models import MessageChannel, MessagePurpose
from tests.api.campaign_operations import CREATE, DELETE, LIST, SCHEDULE, SHOW, TEST, UPDATE, Staff, at_work, receivers
from tests.client import Api
from tests.factories import campaigns, customers, marketing

EMAIL, VOICE = MessageChannel.EMAIL, MessageChannel.VOICE
Drain = Callable[[], Awaitable[None]]


@pytest.fixture
async def by(api: Api, staff_token: str) -> Staff:
    return await at_work(api, staff_token)


async def test_a_draft_can_be_changed_listed_and_deleted(by: Staff, api: Api, staff_token: str) -> None:
    campaign = await by.create(perMinute=60)
    data = await api.ok(UPDATE, {"id": campaign, "input": {"name": "Summer", "perMinute": None}}, token=staff_token)
    changed = data["campaignUpdate"]["campaign"]
    assert (changed["name"], changed["perMinute"], changed["templateKey"]) == ("Summer", None, "news")
    assert changed["stats"]["revenue"] == {"amount": "0.00", "currencyCode": "USD"}
    other = await by.create(name="Autumn")
    listed = (await api.ok(LIST, {"status": "DRAFT"}, token=staff_token))["campaigns"]
    assert [node["name"] for node in listed["nodes"]] == ["Autumn", "Summer"]
    assert listed["totalCount"] == 2
    assert (await api.ok(DELETE, {"id": other}, token=staff_token))["campaignDelete"]["deletedId"] == other
    assert (await api.ok(SHOW, {"id": other}, token=staff_token))["campaign"] is None
    node = await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": campaign}, token=staff_token)
    assert node["node"] == {"id": campaign}
    assert (await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": campaign}))["node"] is None


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": " "}, "REQUIRED", "name"),
        ({"name": "x" * 121}, "TOO_LONG", "name"),
        ({"templateKey": "missing"}, "NOT_FOUND", "templateKey"),
        ({"templateKey": "receipt"}, "CAMPAIGN_NOT_MARKETING", "templateKey"),
        ({"templateKey": "reminder"}, "INVALID", "templateKey"),
        ({"segmentId": "seg_" + "0" * 32}, "NOT_FOUND", "segmentId"),
        ({"segmentId": "nonsense"}, "INVALID_ID", "segmentId"),
        ({"perMinute": 0}, "OUT_OF_RANGE", "perMinute"),
        ({"perMinute": 100_001}, "OUT_OF_RANGE", "perMinute"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_made(
    by: Staff, api: Api, staff_token: str, given: dict[str, Any], code: str, field: str
) -> None:
    await marketing.template("receipt", purpose=MessagePurpose.TRANSACTIONAL)
    await marketing.template("reminder", trigger="checkout.started")
    made = {"name": "Spring", "templateKey": "news", **given}
    (error,) = await api.refused(CREATE, {"input": made}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert await db.fetchval("SELECT count(*) FROM campaigns") == 0


async def test_what_cannot_be_sent_is_refused_and_nothing_starts(
    by: Staff, api: Api, staff_token: str, drain: Drain
) -> None:
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    await drain()
    await marketing.template("draft", publish=False)
    await marketing.template("call", channel=VOICE, text="Hello from {{ shop.name }}.")
    assert await by.refused("Send", await by.create(templateKey="draft")) == ["TEMPLATE_NOT_PUBLISHED"]
    assert await by.refused("Send", await by.create(templateKey="call")) == ["CHANNEL_DISABLED"]
    campaign = await by.create()
    now = await clock.now()
    for moment in (now - timedelta(minutes=1), now + timedelta(days=800)):
        given = {"id": campaign, "input": {"sendAt": moment.isoformat()}}
        (error,) = await api.refused(SCHEDULE, given, token=staff_token)
        assert (error["code"], error["field"]) == ("OUT_OF_RANGE", ["input", "sendAt"])
    assert await by.refused("Resume", campaign) == ["CAMPAIGN_STATE"]
    assert await by.refused("Cancel", campaign) == ["CAMPAIGN_STATE"]
    assert await by.refused("Send", "camp_" + "0" * 32) == ["NOT_FOUND"]
    await drain()
    assert await receivers() == []
    assert await db.fetchval("SELECT count(*) FROM timers WHERE kind LIKE 'campaign.%'") == 0


async def test_a_started_campaign_cannot_be_changed_or_deleted(
    by: Staff, api: Api, staff_token: str, drain: Drain
) -> None:
    campaign = await by.create()
    await by.do("Send", campaign)
    await drain()
    changed = {"id": campaign, "input": {"name": "Other"}}
    assert (await api.refused(UPDATE, changed, token=staff_token))[0]["code"] == "CAMPAIGN_STARTED"
    assert (await api.refused(DELETE, {"id": campaign}, token=staff_token))[0]["code"] == "CAMPAIGN_STARTED"
    assert (await by.show(campaign))["name"] == "Spring"


async def test_a_test_goes_to_staff_alone_and_counts_nowhere(
    by: Staff, api: Api, staff_token: str, drain: Drain
) -> None:
    await customers.profile(email="ada@customer.example", consents=[EMAIL])
    await drain()
    campaign = await by.create()
    data = await api.ok(TEST, {"id": campaign, "to": "staff@shop.example"}, token=staff_token)
    assert data["campaignTestSend"]["messageId"].startswith("msg_")
    await drain()
    (mail,) = await list_messages()
    assert mail.to == "staff@shop.example"
    assert (mail.subject or "").startswith("[Test] ")
    shown = await by.show(campaign)
    assert (shown["status"], shown["stats"]["recipients"], shown["stats"]["sent"]) == ("DRAFT", 0, 0)
    (error,) = await api.refused(TEST, {"id": campaign, "to": "nobody"}, token=staff_token)
    assert error["code"] == "INVALID_EMAIL"


async def test_what_came_of_it_is_counted(by: Staff, drain: Drain) -> None:
    people = await campaigns.subscribers(4)
    campaign = await by.create()
    await by.do("Send", campaign)
    await drain()
    campaign_id = ids.decode("camp", campaign)
    rows = await db.fetch("SELECT id FROM messages WHERE campaign_id = $1 ORDER BY id", campaign_id)
    await db.execute("UPDATE messages SET delivered_at = now(), clicked_at = now() WHERE id = $1", rows[0]["id"])
    await db.execute("UPDATE messages SET bounced_at = now() WHERE id = $1", rows[1]["id"])
    await db.execute(
        """
        INSERT INTO attributions (order_id, message_id, campaign_id, revenue_minor, attributed_at)
        VALUES ($1, $2, $3, 12345, now())
        """,
        people[0],
        rows[0]["id"],
        campaign_id,
    )
    stats = await by.stats(campaign)
    assert (stats["sent"], stats["delivered"], stats["clicked"], stats["bounced"], stats["orders"]) == (4, 1, 1, 1, 1)
    assert stats["revenue"] == {"amount": "123.45", "currencyCode": "USD"}
