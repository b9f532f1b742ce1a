"""Contacts in other systems: the real adapters against servers that answer as their documentation says."""

import hashlib
import tomllib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app import db
from app.crm import credentials, service, syncing
from app.crm.registry import adapters
from app.customers.models import ConsentAction
from app.jobs import service as jobs
from app.messaging.models import MessageChannel
from app.settings import get_settings
from tests.client import Api
from tests.factories import checkout, customers
from tests.factories.shop import shop
from tests.http_receiver import Received, Receiver, Reply, http_receiver

Drain = Callable[[], Awaitable[None]]

KEYS = {"hubspot": "pat-na1-x", "klaviyo": "pk_x", "mailchimp": "abc-us21", "activecampaign": "key"}
SETTINGS = {
    "hubspot": {"subscriptionId": "77"},
    "klaviyo": {"listId": "LIST"},
    "mailchimp": {"listId": "LIST"},
    "activecampaign": {"listId": "3"},
}
EMAIL = "ada@example.com"
CREATE = """mutation ($input: CrmConnectionInput!) { crmConnectionCreate(input: $input) {
    connection { id adapter enabled configuration } userErrors { code field message } } }"""
SHOWN = "{ crmConnections { id contacts behind failed failures { profileId failure } } }"
CHECK = "query ($id: ID!) { crmConnectionCheck(id: $id) { ok detail } }"
SYNC = "mutation ($id: ID!) { crmConnectionSync(id: $id) { job { id kind status } userErrors { code } } }"
UPDATE = """mutation ($id: ID!, $input: CrmConnectionUpdateInput!) { crmConnectionUpdate(id: $id, input: $input) {
    connection { name configuration } userErrors { code field message } } }"""
JOB = "query ($id: ID!) { job(id: $id) { status done total result problems { message } } }"
SWITCH = """mutation ($id: ID!, $on: Boolean!) { crmConnectionSwitch(id: $id, enabled: $on) {
    connection { enabled } userErrors { code } } }"""
DELETE = "mutation ($id: ID!) { crmConnectionDelete(id: $id) { deletedId userErrors { code } } }"


def documented(request: Received) -> Reply:
    """Each vendor's answer to a right request."""
    match request.method, request.path:
        case "POST", "/crm/v3/objects/contacts/batch/upsert":
            results = [
                {"id": str(place + 501), "properties": {"email": one["id"]}, "new": True}
                for place, one in enumerate(request.json["inputs"])
            ]
            return Reply.of({"status": "COMPLETE", "results": results})
        case "POST", "/api/profile-import":
            return Reply.of({"data": {"type": "profile", "id": "01GDDKASAP8TKDDA2GRZDSVP4H"}}, 201)
        case "POST", "/api/profile-subscription-bulk-create-jobs" | "/api/profile-subscription-bulk-delete-jobs":
            return Reply(202)
        case "PUT", path if path.startswith("/lists/LIST/members/"):
            return Reply.of({"id": path.rpartition("/")[2], "status": request.json.get("status", "transactional")})
        case "POST", "/api/3/contact/sync":
            return Reply.of({"contact": {"id": "113"}}, 201)
        case _:
            return Reply.of({"contacts": []})


@pytest.fixture
async def other(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    await shop()
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    async with http_receiver(documented) as receiver:
        yield receiver


async def connect(adapter: str, other: Receiver) -> uuid.UUID:
    configuration = {**SETTINGS[adapter], "apiUrl": other.url("")}
    return await service.create_connection(adapter, adapter, KEYS[adapter], configuration)


async def contact() -> Any:
    row = await db.fetchrow("SELECT remote_id, wanted_revision - synced_revision AS behind, failure FROM crm_contacts")
    assert row is not None
    return tuple(row.values())


def by_path(other: Receiver, ending: str) -> list[Received]:
    return [got for got in other.received if got.path.endswith(ending)]


@pytest.mark.parametrize("adapter", sorted(KEYS))
async def test_a_new_profile_arrives_with_its_name_and_consent(adapter: str, other: Receiver, drain: Drain) -> None:
    await connect(adapter, other)
    await customers.profile(email=EMAIL, first_name="Ada", last_name="Lovelace", consents=[MessageChannel.EMAIL])
    await drain()
    sent = b" ".join(got.body for got in other.received).decode()
    assert EMAIL in sent
    assert "Lovelace" in sent
    remote_id, behind, failure = await contact()
    assert (behind, failure) == (0, None)
    match adapter:
        case "hubspot":
            (upsert,) = by_path(other, "/batch/upsert")
            assert upsert.headers["authorization"] == "Bearer pat-na1-x"
            assert upsert.json["inputs"][0]["idProperty"] == "email"
            (consent,) = by_path(other, "/statuses/ada%40example.com")
            assert consent.json == {"channel": "EMAIL", "statusState": "SUBSCRIBED", "subscriptionId": 77}
            assert remote_id == "501"
        case "klaviyo":
            (profile,) = by_path(other, "/api/profile-import")
            assert profile.headers["authorization"] == "Klaviyo-API-Key pk_x"
            assert profile.headers["revision"] == "2024-10-15"
            (job,) = by_path(other, "-create-jobs")
            assert job.json["data"]["relationships"]["list"]["data"]["id"] == "LIST"
        case "mailchimp":
            (member,) = by_path(other, hashlib.md5(EMAIL.encode()).hexdigest())
            assert (member.json["status"], member.json["status_if_new"]) == ("subscribed", "subscribed")
            assert member.json["merge_fields"] == {"FNAME": "Ada", "LNAME": "Lovelace"}
            assert member.headers["authorization"].startswith("Basic ")
        case "activecampaign":
            (listed,) = by_path(other, "/contactLists")
            assert listed.json == {"contactList": {"list": "3", "contact": "113", "status": 1}}
            assert listed.headers["api-token"] == "key"


@pytest.mark.parametrize("adapter", sorted(KEYS))
async def test_who_never_agreed_is_subscribed_nowhere(adapter: str, other: Receiver, drain: Drain) -> None:
    await connect(adapter, other)
    await customers.profile(email=EMAIL)
    await drain()
    assert (await contact())[1:] == (0, None)
    sent = b" ".join(got.body for got in other.received).decode().lower()
    assert '"subscribed"' not in sent
    assert "contactlist" not in sent
    if adapter == "mailchimp":
        assert other.received[-1].json["status_if_new"] == "transactional"
        assert "status" not in other.received[-1].json


@pytest.mark.parametrize("adapter", sorted(KEYS))
async def test_a_withdrawn_consent_is_withdrawn_there(adapter: str, other: Receiver, drain: Drain) -> None:
    profile_id = await customers.profile(email=EMAIL)
    await customers.consent(profile_id, MessageChannel.EMAIL, EMAIL, ConsentAction.REVOKED)
    await connect(adapter, other)
    async with db.unit_of_work():
        await service.mark(profile_id)
    await drain()
    last = other.received[-1]
    wanted: dict[str, Callable[[], bool]] = {
        "hubspot": lambda: last.json["statusState"] == "UNSUBSCRIBED",
        "klaviyo": lambda: last.path.endswith("-delete-jobs"),
        "mailchimp": lambda: last.json["status"] == "unsubscribed",
        "activecampaign": lambda: last.json["contactList"]["status"] == 2,
    }
    assert wanted[adapter]()


@pytest.mark.parametrize("adapter", sorted(KEYS))
@pytest.mark.parametrize(
    "refusal", [Reply(409), Reply(429, headers={"Retry-After": "120"}), Reply(502), Reply(200, b"<html>")]
)
async def test_what_is_of_the_moment_is_tried_again(
    adapter: str, refusal: Reply, other: Receiver, drain: Drain
) -> None:
    await connect(adapter, other)
    other.replies = [refusal]
    await customers.profile(email=EMAIL)
    await drain()
    assert (await contact())[1:] == (1, None)
    pause = await db.fetchval(
        "SELECT extract(epoch FROM visible_at - clock_timestamp()) FROM events WHERE acknowledged_at IS NULL"
    )
    assert (110 < pause <= 120) if refusal.status == 429 else (10 < pause <= 15)
    await checkout.watches_due()
    await drain()
    assert (await contact())[1:] == (0, None)


@pytest.mark.parametrize("adapter", sorted(KEYS))
async def test_a_wrong_key_is_shown_and_not_tried_for_ever(
    adapter: str, other: Receiver, drain: Drain, api: Api, staff_token: str
) -> None:
    connection_id = await connect(adapter, other)
    other.answer = lambda _: Reply.of({"message": "no"}, 401)
    profile_id = await customers.profile(email=EMAIL)
    await drain()
    (shown,) = (await api.ok(SHOWN, token=staff_token))["crmConnections"]
    assert (shown["behind"], shown["failed"]) == (0, 1)
    assert shown["failures"] == [{"profileId": f"prof_{profile_id.hex}", "failure": "HTTP 401"}]
    check = {"id": f"crm_{connection_id.hex}"}
    wrong = (await api.ok(CHECK, check, token=staff_token))["crmConnectionCheck"]
    assert wrong == {"ok": False, "detail": "HTTP 401"}
    other.answer = documented
    assert (await api.ok(CHECK, check, token=staff_token))["crmConnectionCheck"]["ok"]
    async with db.unit_of_work():
        await service.mark(profile_id)
    await drain()
    assert (await contact())[1:] == (0, None)


@pytest.mark.parametrize("adapter", sorted(KEYS))
async def test_a_contact_that_is_refused_keeps_its_reason(adapter: str, other: Receiver, drain: Drain) -> None:
    await connect(adapter, other)
    other.answer = lambda _: Reply.of({"title": "Invalid Resource", "category": "VALIDATION_ERROR"}, 400)
    await customers.profile(email=EMAIL)
    await drain()
    _, behind, failure = await contact()
    assert behind == 0
    assert failure.startswith("HTTP 400")
    assert EMAIL not in failure


async def test_changes_that_come_while_one_is_under_way_are_taken_along(other: Receiver, drain: Drain) -> None:
    await connect("hubspot", other)
    profile_id = await customers.profile(email=EMAIL, announced=False)
    for _ in range(5):
        async with db.unit_of_work():
            await service.mark(profile_id)
    await drain()
    assert len(by_path(other, "/batch/upsert")) == 1
    assert (await contact())[1:] == (0, None)


async def test_everybody_is_sent_in_batches_and_one_bad_contact_spoils_no_batch(
    other: Receiver, drain: Drain, api: Api, staff_token: str
) -> None:
    for number in range(5):
        await customers.profile(email=f"guest{number}@example.com", announced=False)
    await customers.profile(phone="+12025550123", announced=False)
    connection_id = await connect("hubspot", other)

    def picky(request: Received) -> Reply:
        if request.path.endswith("upsert") and b"guest3@" in request.body:
            return Reply.of({"category": "VALIDATION_ERROR"}, 400)
        return documented(request)

    other.answer = picky
    answer = await api.ok(SYNC, {"id": f"crm_{connection_id.hex}"}, token=staff_token)
    job = answer["crmConnectionSync"]["job"]
    assert (job["kind"], job["status"]) == ("CRM_SYNC", "QUEUED")
    await drain()
    done = (await api.ok(JOB, {"id": job["id"]}, token=staff_token))["job"]
    assert (done["status"], done["done"], done["total"], done["result"]) == ("SUCCEEDED", 5, 5, {"contacts": 5})
    assert len(by_path(other, "/batch/upsert")[0].json["inputs"]) == 5
    (shown,) = (await api.ok(SHOWN, token=staff_token))["crmConnections"]
    assert (shown["contacts"], shown["behind"], shown["failed"]) == (5, 0, 1)


async def test_a_killed_sync_goes_on_behind_its_last_batch(
    other: Receiver, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "BATCH", 2)
    for number in range(5):
        await customers.profile(email=f"guest{number}@example.com", announced=False)
    job_id = await syncing.request(await connect("hubspot", other), staff_id=None)
    save, batches = jobs.save_progress, 0

    async def dies_at_the_second(*given: Any, **named: Any) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise RuntimeError("killed")
        await save(*given, **named)

    monkeypatch.setattr(jobs, "save_progress", dies_at_the_second)
    with pytest.raises(RuntimeError, match="killed"):
        await syncing.run(job_id)
    assert await db.fetchval("SELECT count(*) FROM crm_contacts") == 2, "what was not noted was not done"
    await syncing.run(job_id)
    await syncing.run(job_id)
    rows = await db.fetch("SELECT wanted_revision FROM crm_contacts")
    assert [row["wanted_revision"] for row in rows] == [1] * 5, "nobody is asked for twice"
    assert await db.fetchval("SELECT status FROM jobs WHERE id = $1", job_id) == "SUCCEEDED"
    await drain()
    assert sum(len(got.json["inputs"]) for got in by_path(other, "/batch/upsert")) == 5


async def test_a_sync_of_a_connection_that_is_gone_says_so(
    other: Receiver, drain: Drain, api: Api, staff_token: str
) -> None:
    await customers.profile(email=EMAIL, announced=False)
    gid = f"crm_{(await connect('hubspot', other)).hex}"
    job = (await api.ok(SYNC, {"id": gid}, token=staff_token))["crmConnectionSync"]["job"]
    await api.ok(DELETE, {"id": gid}, token=staff_token)
    await drain()
    done = (await api.ok(JOB, {"id": job["id"]}, token=staff_token))["job"]
    assert done["status"] == "FAILED"
    assert "switched off or deleted" in done["problems"][0]["message"]
    assert await db.fetchval("SELECT count(*) FROM crm_contacts") == 0
    (error,) = await api.refused(SYNC, {"id": gid}, token=staff_token)
    assert error["code"] == "NOT_FOUND"


async def test_a_connection_gets_another_name_key_and_settings(
    other: Receiver, drain: Drain, api: Api, staff_token: str
) -> None:
    connection_id = await connect("hubspot", other)
    gid, address = f"crm_{connection_id.hex}", {"apiUrl": other.url("")}

    async def update(**change: Any) -> Any:
        done = await api.ok(UPDATE, {"id": gid, "input": change}, token=staff_token)
        return done["crmConnectionUpdate"]["connection"]

    kept = {**SETTINGS["hubspot"], **address}
    assert await update(name=" Sales ") == {"name": "Sales", "configuration": kept}
    assert await update(configuration={"subscriptionId": "78", **address}) == {
        "name": "Sales",
        "configuration": {"subscriptionId": "78", **address},
    }
    await customers.profile(email=EMAIL)
    await drain()
    assert by_path(other, "/batch/upsert")[-1].headers["authorization"] == f"Bearer {KEYS['hubspot']}"
    await update(apiKey="pat-new")
    await api.ok(SYNC, {"id": gid}, token=staff_token)
    await drain()
    assert by_path(other, "/batch/upsert")[-1].headers["authorization"] == "Bearer pat-new"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"name": None}, "REQUIRED", ["name"]),
        ({"apiKey": " "}, "REQUIRED", ["apiKey"]),
        ({"configuration": {"listID": "x"}}, "REQUIRED", ["apiKey"]),
        ({"configuration": {"apiUrl": "https://elsewhere.example"}}, "REQUIRED", ["apiKey"]),
        ({"configuration": {"listID": "x"}, "apiKey": "k"}, "INVALID", ["configuration", "listID"]),
    ],
)
async def test_a_stored_key_goes_nowhere_else_and_wrong_changes_change_nothing(
    other: Receiver, api: Api, staff_token: str, change: dict[str, Any], code: str, field: list[str]
) -> None:
    gid = f"crm_{(await connect('hubspot', other)).hex}"
    before = dict(await db.fetchrow("SELECT * FROM crm_connections") or {})
    (error,) = await api.refused(UPDATE, {"id": gid, "input": change}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", *field])
    assert dict(await db.fetchrow("SELECT * FROM crm_connections") or {}) == before


async def test_a_connection_that_is_off_gets_nothing(other: Receiver, drain: Drain, api: Api, staff_token: str) -> None:
    gid = f"crm_{(await connect('hubspot', other)).hex}"
    await api.ok(SWITCH, {"id": gid, "on": False}, token=staff_token)
    await customers.profile(email=EMAIL)
    await drain()
    assert other.received == []
    await api.ok(SWITCH, {"id": gid, "on": True}, token=staff_token)
    await api.ok(SYNC, {"id": gid}, token=staff_token)
    await drain()
    assert len(by_path(other, "/batch/upsert")) == 1
    await api.ok(DELETE, {"id": gid}, token=staff_token)
    assert await db.fetchval("SELECT count(*) FROM crm_contacts") == 0


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"adapter": "pipedrive"}, "CRM_UNKNOWN", ["adapter"]),
        ({"name": " "}, "REQUIRED", ["name"]),
        ({"apiKey": ""}, "REQUIRED", ["apiKey"]),
        ({"configuration": {"listID": "x"}}, "INVALID", ["configuration", "listID"]),
        ({"configuration": ["x"]}, "INVALID", ["configuration"]),
        ({"configuration": {"apiUrl": "http://169.254.169.254/"}}, "URL_REFUSED", ["configuration", "apiUrl"]),
        ({"configuration": {"apiUrl": "http://api.crm.example/"}}, "URL_REFUSED", ["configuration", "apiUrl"]),
        ({"adapter": "mailchimp"}, "REQUIRED", ["configuration", "listId"]),
    ],
)
async def test_wrong_connections_are_refused(
    api: Api, staff_token: str, change: dict[str, Any], code: str, field: list[str]
) -> None:
    given = {"adapter": "hubspot", "name": "CRM", "apiKey": "k", **change}
    (error,) = await api.refused(CREATE, {"input": given}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", *field])
    assert await db.fetchval("SELECT count(*) FROM crm_connections") == 0


async def test_keys_are_kept_encrypted_and_outlive_a_new_key_of_the_shop(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.ok(CREATE, {"input": {"adapter": "hubspot", "name": "CRM", "apiKey": "pat-secret"}}, token=staff_token)
    stored = await db.fetchval("SELECT credentials FROM crm_connections")
    assert b"pat-secret" not in stored
    settings = get_settings()
    monkeypatch.setattr(settings, "secret_keys", ["a key in front of all the others", *settings.secret_keys])
    assert credentials.decrypt(stored) == "pat-secret"
    monkeypatch.setattr(settings, "secret_keys", ["a key in front of all the others"])
    assert credentials.decrypt(stored) is None


def test_our_adapters_are_declared_as_entry_points() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["entry-points"]
    assert declared["tradewind.crm"] == {
        name: f"{adapter.__module__}:{adapter.__name__}" for name, adapter in adapters().items()
    }
