"""Outgoing webhooks, as staff set them up and as another system receives them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app import db
from app.keys import keyring
from app.settings import get_settings
from app.webhooks import delivery, service
from app.webhooks.delivery import PAUSES_SECONDS
from app.webhooks.event_types import PUBLIC_EVENTS
from tests.client import Api
from tests.factories import checkout, customers
from tests.http_receiver import Receiver, Reply, http_receiver

Drain = Callable[[], Awaitable[None]]

ENDPOINT = "{ id name url eventTypes enabled failingSince disabledReason }"
ANSWER = f"{{ endpoint {ENDPOINT} secret userErrors {{ code field message }} }}"
CREATE = f"mutation ($input: WebhookEndpointInput!) {{ webhookEndpointCreate(input: $input) {ANSWER} }}"
UPDATE = f"""mutation ($id: ID!, $input: WebhookEndpointUpdateInput!) {{
    webhookEndpointUpdate(id: $id, input: $input) {ANSWER} }}"""
ROTATE = f"mutation ($id: ID!) {{ webhookEndpointSecretRotate(id: $id) {ANSWER} }}"
DELETE = "mutation ($id: ID!) { webhookEndpointDelete(id: $id) { deletedId userErrors { code field } } }"
DELIVERY = "{ id eventType state attempts statusCode detail body replayOf endpointId }"
TEST = f"mutation ($id: ID!) {{ webhookTest(endpointId: $id) {{ delivery {DELIVERY} userErrors {{ code field }} }} }}"
REPLAY = f"""mutation ($id: ID!) {{ webhookReplay(deliveryId: $id) {{
    delivery {DELIVERY} userErrors {{ code field }} }} }}"""
REPLAY_FAILED = """mutation ($id: ID!, $since: DateTime!) {
    webhookReplayFailed(endpointId: $id, since: $since) { replayed userErrors { code } } }"""
LIST = f"""query ($id: ID, $state: DeliveryState) {{
    webhookDeliveries(endpointId: $id, state: $state) {{ totalCount nodes {DELIVERY} }} }}"""
ENDPOINTS = f"{{ webhookEndpoints {{ nodes {ENDPOINT} }} }}"
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
async def receiver(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    async with http_receiver() as made:
        yield made


async def endpoint(api: Api, token: str, url: str, *event_types: str) -> tuple[str, str]:
    """Id and secret of a new one."""
    given = {"name": "Warehouse", "url": url, "eventTypes": list(event_types)}
    made = (await api.ok(CREATE, {"input": given}, token=token))["webhookEndpointCreate"]
    return made["endpoint"]["id"], made["secret"]


async def deliveries(api: Api, token: str, **only: Any) -> list[dict[str, Any]]:
    return (await api.ok(LIST, only, token=token))["webhookDeliveries"]["nodes"]  # type: ignore[no-any-return]


async def next_attempt(drain: Drain) -> None:
    await checkout.watches_due()
    await drain()


async def test_an_order_is_told_to_who_wants_to_know_signed_and_without_a_person(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    await checkout.shop_that_ships()
    wants, secret = await endpoint(api, staff_token, receiver.url("/orders"), "order.placed")
    await endpoint(api, staff_token, receiver.url("/cancelled"), "order.cancelled")
    payload = await checkout.placed(api)
    await drain()
    (got,) = receiver.received
    body = Webhook(secret).verify(got.body, got.headers)
    assert (got.path, got.headers["content-type"], body["type"]) == ("/orders", "application/json", "order.placed")
    assert body["data"]["orderId"] == payload["order"]["id"]
    assert set(body["data"]) <= {datum.name for datum in PUBLIC_EVENTS["order.placed"].data}
    for secret_of_theirs in (checkout.EMAIL, "Lovelace", payload["orderToken"]):
        assert secret_of_theirs.encode() not in got.body
    (delivered,) = await deliveries(api, staff_token, id=wants)
    assert (delivered["state"], delivered["attempts"], delivered["statusCode"]) == ("DELIVERED", 1, 200)
    assert (delivered["id"], delivered["body"]) == (got.headers["webhook-id"], got.body.decode())
    await drain()
    assert len(receiver.received) == 1


async def test_an_endpoint_without_event_types_hears_everything_public(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    await endpoint(api, staff_token, receiver.url())
    await customers.profile(email="ada@example.com", phone="+12025550123")
    await drain()
    told = [json.loads(got.body) for got in receiver.received]
    assert [event["type"] for event in told] == ["profile.created"]
    assert told[0]["data"]["profileId"].startswith("prof_")
    assert b"ada@" not in receiver.received[0].body
    types = (await api.ok("{ webhookEventTypes { name data { name } } }", token=staff_token))["webhookEventTypes"]
    assert {one["name"] for one in types} == set(PUBLIC_EVENTS)


async def test_a_test_delivery_arrives_and_altered_bodies_do_not_verify(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    gid, secret = await endpoint(api, staff_token, receiver.url(), "order.placed")
    queued = (await api.ok(TEST, {"id": gid}, token=staff_token))["webhookTest"]["delivery"]
    assert (queued["state"], receiver.received) == ("PENDING", [])
    await drain()
    (got,) = receiver.received
    assert Webhook(secret).verify(got.body, got.headers)["data"] == {"endpointId": gid}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body.replace(b"webhook", b"webhoox"), got.headers)


async def test_for_a_day_after_rotation_the_old_secret_verifies_too(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    gid, old = await endpoint(api, staff_token, receiver.url(), "order.placed")
    new = (await api.ok(ROTATE, {"id": gid}, token=staff_token))["webhookEndpointSecretRotate"]["secret"]
    assert new != old
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    for secret in (old, new):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    await db.execute("UPDATE webhook_endpoints SET secret_rotated_at = clock_timestamp() - interval '25 hours'")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    Webhook(new).verify(receiver.received[1].body, receiver.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(receiver.received[1].body, receiver.received[1].headers)


async def test_secrets_outlive_a_new_key_of_the_shop(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid, secret = await endpoint(api, staff_token, receiver.url(), "order.placed")
    monkeypatch.setattr(keyring(), "_keys", ["a key that was put in front of the ring", *keyring()._keys])
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)


async def test_what_fails_is_tried_again_for_three_days_and_then_given_up(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    assert 2.9 < sum(PAUSES_SECONDS) / 86_400 < 3.5
    receiver.answer = lambda _: Reply(500)
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    (waiting,) = await deliveries(api, staff_token)
    assert (waiting["state"], waiting["attempts"], waiting["statusCode"]) == ("PENDING", 1, 500)
    pause = await db.fetchval(
        "SELECT extract(epoch FROM visible_at - clock_timestamp()) FROM events WHERE acknowledged_at IS NULL"
    )
    assert 3 < pause < 7
    for _ in range(20):
        await next_attempt(drain)
    (given_up,) = await deliveries(api, staff_token, state="FAILED")
    assert given_up["attempts"] == len(receiver.received) == 11
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    receiver.answer = lambda _: Reply()
    again = (await api.ok(REPLAY, {"id": given_up["id"]}, token=staff_token))["webhookReplay"]["delivery"]
    assert (again["replayOf"], again["body"]) == (given_up["id"], given_up["body"])
    await drain()
    assert [one["id"] for one in await deliveries(api, staff_token, state="DELIVERED")] == [again["id"]]


async def test_retry_after_is_respected(api: Api, staff_token: str, receiver: Receiver, drain: Drain) -> None:
    receiver.replies = [Reply(429, headers={"Retry-After": "600"})]
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    pause = await db.fetchval(
        "SELECT extract(epoch FROM visible_at - clock_timestamp()) FROM events WHERE acknowledged_at IS NULL"
    )
    assert 590 < pause <= 600


async def test_an_endpoint_that_is_gone_or_fails_for_days_is_switched_off(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    for status, since, reason in ((500, "5 days 1 hour", "FAILING"), (410, "0", "GONE")):
        await api.ok(UPDATE, {"id": gid, "input": {"enabled": True}}, token=staff_token)
        receiver.replies = [Reply(status)]
        await db.execute(f"UPDATE webhook_endpoints SET failing_since = clock_timestamp() - interval '{since}'")
        await api.ok(TEST, {"id": gid}, token=staff_token)
        await drain()
        (shown,) = (await api.ok(ENDPOINTS, token=staff_token))["webhookEndpoints"]["nodes"]
        assert (shown["enabled"], shown["disabledReason"]) == (False, reason)
    asked = len(receiver.received)
    await next_attempt(drain)
    assert len(receiver.received) == asked
    assert {one["detail"] for one in await deliveries(api, staff_token, state="FAILED")} == {None, "ENDPOINT_DISABLED"}
    on = (await api.ok(UPDATE, {"id": gid, "input": {"enabled": True}}, token=staff_token))["webhookEndpointUpdate"]
    assert (on["endpoint"]["failingSince"], on["endpoint"]["disabledReason"]) == (None, None)
    receiver.answer = lambda _: Reply()
    for replayed in (2, 0):
        answer = await api.ok(REPLAY_FAILED, {"id": gid, "since": LONG_AGO}, token=staff_token)
        assert answer["webhookReplayFailed"]["replayed"] == replayed
    await drain()
    assert len(await deliveries(api, staff_token, state="DELIVERED")) == 2


async def test_a_success_ends_the_count_of_days(api: Api, staff_token: str, receiver: Receiver, drain: Drain) -> None:
    receiver.replies = [Reply(503)]
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    assert await db.fetchval("SELECT failing_since IS NOT NULL FROM webhook_endpoints")
    await next_attempt(drain)
    assert await db.fetchval("SELECT failing_since IS NULL AND enabled FROM webhook_endpoints")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/hook",
        "http://[::1]/hook",
        "http://10.0.0.8/hook",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://localhost/hook",
        "https://db.internal/hook",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com:6379/",
        "ftp://hooks.example.com/",
        "nonsense",
    ],
)
async def test_an_url_inside_is_refused_when_it_is_saved(api: Api, staff_token: str, url: str) -> None:
    (error,) = await api.refused(CREATE, {"input": {"name": "x", "url": url}}, token=staff_token)
    assert (error["code"], error["field"]) == ("URL_REFUSED", ["input", "url"])
    made = await api.ok(CREATE, {"input": {"name": "x", "url": "https://a.example.com/"}}, token=staff_token)
    gid = made["webhookEndpointCreate"]["endpoint"]["id"]
    await api.refused(UPDATE, {"id": gid, "input": {"url": url}}, token=staff_token)
    assert await db.fetchval("SELECT url FROM webhook_endpoints") == "https://a.example.com/"


async def test_a_name_that_leads_inside_is_refused_at_the_delivery(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid, _ = await endpoint(api, staff_token, f"http://localhost:{receiver.port}/", "order.placed")
    monkeypatch.setattr(get_settings(), "allow_private_addresses", False)
    # As a name whose owner has pointed it elsewhere since it was saved.
    await db.execute("UPDATE webhook_endpoints SET url = 'http://localhost/hook'")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    (waiting,) = await deliveries(api, staff_token)
    assert (waiting["state"], waiting["statusCode"]) == ("PENDING", None)
    assert "public internet" in waiting["detail"]
    assert receiver.received == []


async def test_a_redirect_is_not_followed(api: Api, staff_token: str, receiver: Receiver, drain: Drain) -> None:
    async with http_receiver() as inside:
        receiver.replies = [Reply(307, headers={"Location": inside.url()})]
        gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
        await api.ok(TEST, {"id": gid}, token=staff_token)
        await drain()
        assert inside.received == []
    (waiting,) = await deliveries(api, staff_token)
    assert (waiting["state"], waiting["statusCode"]) == ("PENDING", 307)


async def test_one_attempt_that_runs_twice_goes_on_once(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    receiver.answer = lambda _: Reply(500)
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    delivery_id = await db.fetchval("SELECT id FROM webhook_deliveries")
    await asyncio.gather(*(delivery.attempt(delivery_id, 0) for _ in range(5)))
    assert await db.fetchval("SELECT attempts FROM webhook_deliveries") == 1
    assert (
        await db.fetchval("SELECT count(*) FROM events WHERE type = $1 AND payload->>'attempt' = '1'", service.DELIVER)
        == 1
    )


async def test_an_event_is_told_once_however_often_it_is_handled(
    api: Api, staff_token: str, receiver: Receiver
) -> None:
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    endpoint_id = await db.fetchval("SELECT id FROM webhook_endpoints")

    async def enqueue() -> object:
        async with db.unit_of_work():
            return await service.enqueue(
                endpoint_id=endpoint_id, event_type="flow.step", payload={"a": 1}, dedupe_key="run:1:step"
            )

    assert len(set(await asyncio.gather(*(enqueue() for _ in range(5))))) == 1
    (made,) = await deliveries(api, staff_token, id=gid)
    assert json.loads(made["body"])["data"] == {"a": 1}


async def test_bodies_are_kept_for_a_time_and_then_cannot_be_replayed(
    api: Api, staff_token: str, receiver: Receiver, drain: Drain
) -> None:
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    await drain()
    await delivery.forget_old()
    (young,) = await deliveries(api, staff_token)
    assert young["body"]
    await delivery.forget_old(body_days=-1)
    (shown,) = await deliveries(api, staff_token)
    assert shown["body"] is None
    (error,) = await api.refused(REPLAY, {"id": shown["id"]}, token=staff_token)
    assert error["code"] == "WEBHOOK_BODY_GONE"
    await delivery.forget_old(row_days=-1)
    assert await deliveries(api, staff_token) == []


async def test_a_deleted_endpoint_is_forgotten(api: Api, staff_token: str, receiver: Receiver, drain: Drain) -> None:
    gid, _ = await endpoint(api, staff_token, receiver.url(), "order.placed")
    await api.ok(TEST, {"id": gid}, token=staff_token)
    deleted = await api.ok(DELETE, {"id": gid}, token=staff_token)
    assert deleted["webhookEndpointDelete"]["deletedId"] == gid
    await drain()
    assert receiver.received == []
    (error,) = await api.refused(DELETE, {"id": gid}, token=staff_token)
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])


async def test_wrong_event_types_and_names_are_refused_together(api: Api, staff_token: str) -> None:
    given = {"name": "", "url": "https://a.example.com/", "eventTypes": ["order.placed", "order.palced"]}
    errors = await api.refused(CREATE, {"input": given}, token=staff_token)
    assert [(error["code"], error["field"]) for error in errors] == [
        ("REQUIRED", ["input", "name"]),
        ("INVALID", ["input", "eventTypes", "1"]),
    ]
    assert await db.fetchval("SELECT count(*) FROM webhook_endpoints") == 0
