"""Somebody who did everything that the shop knows asks for all of it, and then to be forgotten."""

import json
from typing import Any

import pytest

from app import db, invariants
from app.cache import cache
from app.flows import recipes
from app.kit import ids
from app.settings import get_settings
from app.webhooks import service as webhooks
from tests.client import Api
from tests.factories import accounts, catalogue, orders
from tests.factories import checkout as buying
from tests.http_receiver import Reply, http_receiver
from tests.security.test_privacy_of_flows import COMMENT, EMAIL, NAME, NOTE, PHONE, REPLY, STREET, tour
from tests.stories.shopper import Advance, Drain, Story

pytestmark = pytest.mark.long

SEARCHED, PROPERTY, ENGRAVING = "canary-search-8842", "canary-property-8842", "canary-engraving-8842"
CANARIES = [
    EMAIL,
    PHONE,
    PHONE.lstrip("+"),
    NAME,
    STREET,
    COMMENT,
    NOTE,
    REPLY,
    SEARCHED,
    PROPERTY,
    ENGRAVING,
    "canary",
]

ERASE = "mutation ($id: ID!) { privacyErase(profileId: $id) { privacyRequest { id status } userErrors { code } } }"
EXPORT = "mutation ($id: ID!) { privacyExport(profileId: $id) { privacyRequest { id status } userErrors { code } } }"
REQUEST = "query ($id: ID!) { privacyRequest(id: $id) { status document waitingFor erasedRows finishedAt } }"
ADDRESS_CREATE = """mutation ($input: AddressInput!) {
    customerAddressCreate(address: $input) { userErrors { code message } }
}"""
PROFILE_UPDATE = """mutation ($id: ID!, $properties: JSON!) {
    profileUpdate(id: $id, input: { properties: $properties }) { userErrors { code message } }
}"""
TRACK = "mutation ($input: EventsTrackInput!) { eventsTrack(input: $input) { userErrors { code } } }"


async def everything() -> dict[str, str]:
    """Every row of every table, as text; what the database itself has to say of them."""
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    texts = {}
    for row in tables:
        name = row["tablename"]
        rows = await db.fetch(f'SELECT t::text AS text FROM "{name}" t')
        texts[name] = "\n".join(row["text"] for row in rows).lower()
    return texts


def found(texts: dict[str, str], canaries: list[str]) -> list[tuple[str, str]]:
    """Also in columns of bytes, which are shown as hexadecimal digits."""
    looked_for = {canary: (canary.lower(), canary.encode().hex()) for canary in canaries}
    return [
        (name, canary)
        for name, text in texts.items()
        for canary, forms in looked_for.items()
        if any(form in text for form in forms)
    ]


async def in_redis() -> str:
    pieces: list[str] = []
    async for key in cache().scan_iter("*"):
        kind = await cache().type(key)
        match kind.decode() if isinstance(kind, bytes) else kind:
            case "string":
                value: Any = await cache().get(key)
            case "hash":
                value = await cache().hgetall(key)
            case "list":
                value = await cache().lrange(key, 0, -1)
            case "set":
                value = await cache().smembers(key)
            case "zset":
                value = await cache().zrange(key, 0, -1)
            case _:
                value = await cache().dump(key)
        pieces.append(f"{key!r} {value!r}")
    return "\n".join(pieces).lower()


@pytest.fixture
async def story(api: Api, staff_token: str, drain: Drain, advance: Advance, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(get_settings(), "allow_private_addresses", True)
    await buying.shop_that_ships()
    await recipes.install(publish=True)
    return Story(api, staff_token, drain, advance, email=EMAIL, phone=PHONE)


async def lived(story: Story) -> tuple[accounts.Account, str]:
    """All that one person can do; the account, and the profile's id."""
    await tour(story)
    api = story.api
    searched = [{"type": "SEARCHED", "searchQuery": SEARCHED}]
    await story.visit()
    cart_id = await story.cart(await catalogue.product(name="Hojicha"))
    await api.ok(TRACK, {"input": {"visitorId": story.visitor_id, "cartId": cart_id, "events": searched}})
    account = await accounts.signed_in(EMAIL)
    assert account.profile_id is not None
    address = {**buying.ADDRESS, "firstName": NAME, "lastName": NAME, "address1": STREET}
    await api.ok(ADDRESS_CREATE, {"input": address}, token=account.token)
    profile = ids.encode("prof", account.profile_id)
    await api.ok(PROFILE_UPDATE, {"id": profile, "properties": {"likes": PROPERTY}}, token=story.staff)
    await orders.rewrite(
        "UPDATE order_lines SET attributes = $1::jsonb", json.dumps([{"key": "engraving", "value": ENGRAVING}])
    )
    await story.drain()
    return account, profile


async def ask(story: Story, mutation: str, profile: str) -> str:
    answer = await story.api.ok(mutation, {"id": profile}, token=story.staff)
    request: str = next(iter(answer.values()))["privacyRequest"]["id"]
    return request


async def status(story: Story, request: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await story.api.ok(REQUEST, {"id": request}, token=story.staff))["privacyRequest"]
    return shown


async def test_everything_is_exported_and_then_gone(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    async with http_receiver(lambda _: Reply(200, body=b'{"results": [{"id": "901"}]}')) as other:
        await webhooks.create_endpoint({"name": "Other", "url": other.url()})
        await story.api.ok(
            "mutation ($i: CrmConnectionInput!) { crmConnectionCreate(input: $i) { userErrors { code message } } }",
            {"i": {"adapter": "hubspot", "name": "CRM", "apiKey": "k", "configuration": {"apiUrl": other.url("")}}},
            token=story.staff,
        )
        _, profile = await lived(story)
        before = await everything()
        assert {canary for canary in CANARIES if not found(before, [canary])} == set(), "all of it is there"

        exported = await ask(story, EXPORT, profile)
        await story.drain()
        document = (await status(story, exported))["document"]
        text = json.dumps(document, ensure_ascii=False).lower()
        assert [canary for canary in CANARIES if canary.lower() not in text] == []
        assert document["data"]["messages"][0]["said"]["subject"]
        assert document["data"]["consentTexts"]

        await story.api.ok(ERASE, {"id": profile}, token=story.staff)
        erasing = await ask(story, ERASE, profile)
        await story.drain()
        await story.pass_time("P31D")
        await story.drain()
        after = await status(story, erasing)
        assert (after["status"], after["waitingFor"]) == ("SUCCEEDED", [])
        assert after["erasedRows"] > 30
        assert found(await everything(), CANARIES) == []
        forgotten = [request for request in other.received if request.path.endswith("gdpr-delete")]
        assert len(forgotten) == 1
    assert [str(violation) for violation in await invariants.check()] == []
    assert [canary for canary in CANARIES if canary.lower() in await in_redis()] == []
    logged = "".join(capfd.readouterr()).lower()
    assert [canary for canary in CANARIES if canary.lower() in logged] == []
    assert await db.fetchval("SELECT count(*) FROM orders") == 1, "the books stay"
    assert await db.fetchval("SELECT sum(total_minor) FROM orders") > 0
