"""Visitors: what they do is kept, stays theirs, and becomes the history of whoever they are."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.customers import activity, visitors
from app.kit import ids
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue
from tests.factories.catalogue import MadeProduct
from tests.factories.shop import shop

Drain = Callable[[], Awaitable[None]]

CREATE = "mutation { visitorCreate { visitorId expiresAt userErrors { code } } }"
TRACK = """mutation ($input: EventsTrackInput!) {
    eventsTrack(input: $input) { recordedCount userErrors { code field message } } }"""
IDENTIFY = """mutation ($id: ID!, $identity: BuyerIdentityInput!) {
    cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: $identity) { cart { id } userErrors { code } } }"""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
async def product(api: Api) -> MadeProduct:
    await shop()
    return await catalogue.product()


async def visitor(api: Api) -> str:
    visitor_id: str = (await api.ok(CREATE))["visitorCreate"]["visitorId"]
    return visitor_id


def viewed(product: MadeProduct, **more: Any) -> dict[str, Any]:
    return {"type": "PRODUCT_VIEWED", "productId": product.gid, **more}


async def track(api: Api, visitor_id: str, *events: dict[str, Any], **more: Any) -> int:
    data = await api.ok(TRACK, {"input": {"visitorId": visitor_id, "events": list(events), **more}})
    count: int = data["eventsTrack"]["recordedCount"]
    return count


async def refusals(api: Api, visitor_id: str, *events: dict[str, Any], **more: Any) -> list[tuple[str, list[str]]]:
    errors = await api.refused(TRACK, {"input": {"visitorId": visitor_id, "events": list(events), **more}})
    return [(error["code"], error["field"][1:]) for error in errors]


async def kept() -> dict[str, int]:
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM profiles) AS profiles, (SELECT count(*) FROM visitors) AS visitors,
               (SELECT count(*) FROM profile_events) AS timeline, (SELECT count(*) FROM events) AS events
        """
    )
    return dict(row or {})


NOTHING = {"profiles": 0, "visitors": 0, "timeline": 0, "events": 0}


async def profile_of_events() -> uuid.UUID:
    (row,) = await db.fetch("SELECT DISTINCT profile_id FROM profile_events WHERE type = 'product.viewed'")
    profile_id: uuid.UUID = row["profile_id"]
    return profile_id


async def test_a_visitor_is_nobody_until_it_does_something(api: Api, product: MadeProduct) -> None:
    visitor_id = await visitor(api)
    assert await kept() == NOTHING
    assert await track(api, visitor_id, viewed(product)) == 1
    assert await kept() == {"profiles": 1, "visitors": 1, "timeline": 1, "events": 1}
    row = await db.fetchrow("SELECT p.email, p.stage, e.type, e.product_id FROM profiles p, profile_events e")
    assert dict(row or {}) == {"email": None, "stage": "VISITOR", "type": "product.viewed", "product_id": product.id}


async def test_everything_that_can_be_told(api: Api, product: MadeProduct) -> None:
    collection = await catalogue.collection(products=[product])
    events = [
        viewed(product),
        {"type": "COLLECTION_VIEWED", "collectionId": ids.encode("coll", collection)},
        {"type": "SEARCHED", "searchQuery": "linen shirt"},
    ]
    visitor_id = await visitor(api)
    assert await track(api, visitor_id, *events) == 3
    rows = await db.fetch("SELECT type, data->>'query' AS query FROM profile_events ORDER BY type")
    assert [(row["type"], row["query"]) for row in rows] == [
        ("collection.viewed", None),
        ("product.viewed", None),
        ("search.performed", "linen shirt"),
    ]
    assert await db.fetchval("SELECT count(*) FROM profiles") == 1


async def test_an_event_under_its_key_counts_once(api: Api, product: MadeProduct) -> None:
    visitor_id, other = await visitor(api), await visitor(api)
    assert await track(api, visitor_id, viewed(product, key="a"), viewed(product, key="a")) == 1
    assert await track(api, visitor_id, viewed(product, key="a"), viewed(product, key="b"), viewed(product)) == 2
    assert await track(api, other, viewed(product, key="a")) == 1, "keys are a visitor's own"
    assert await db.fetchval("SELECT count(*) FROM profile_events") == 4


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/140.0.0.0"},
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0 Safari/537.36"},
        {"User-Agent": BROWSER, "Sec-Purpose": "prefetch;prerender"},
    ],
    ids=["crawler", "headless", "prerendered"],
)
async def test_what_no_person_looks_at_is_answered_and_not_noted(
    api: Api, product: MadeProduct, headers: dict[str, str]
) -> None:
    visitor_id = await visitor(api)
    data = await api.ok(TRACK, {"input": {"visitorId": visitor_id, "events": [viewed(product)]}}, headers=headers)
    assert data["eventsTrack"]["recordedCount"] == 0
    assert await kept() == NOTHING


@pytest.mark.parametrize("agent", [BROWSER, "okhttp/4.12.0", "axios/1.7.2", "MyShop/1.0 CFNetwork/1485 Darwin/23.1.0"])
async def test_browsers_apps_and_storefronts_servers_are_no_crawlers(
    api: Api, product: MadeProduct, agent: str
) -> None:
    given = {"visitorId": await visitor(api), "events": [viewed(product)]}
    data = await api.ok(TRACK, {"input": given}, headers={"User-Agent": agent})
    assert data["eventsTrack"]["recordedCount"] == 1


async def test_a_forged_or_expired_visitor_is_refused(
    api: Api, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = await visitor(api)
    _, digits, secret = theirs.split("_", 2)
    forged = [f"vis_{new_id().hex}_{secret}", f"vis_{digits}_{'x' * 22}", "vis_1", ids.encode("prof", new_id())]
    for visitor_id in forged:
        assert await refusals(api, visitor_id, viewed(product)) == [("INVALID_ID", ["visitorId"])]
    monkeypatch.setattr(visitors, "LIVES_DAYS", -1)
    assert await refusals(api, theirs, viewed(product)) == [("INVALID_ID", ["visitorId"])]
    assert await kept() == NOTHING


async def test_what_is_wrong_is_told_at_once_and_nothing_is_kept(api: Api, product: MadeProduct) -> None:
    hidden = await catalogue.product(status="DRAFT")
    unpublished = await catalogue.collection(is_published=False)
    now = await clock.now()
    wrong = [
        {"type": "PRODUCT_VIEWED"},
        viewed(product, searchQuery="x"),
        viewed(hidden),
        {"type": "COLLECTION_VIEWED", "collectionId": ids.encode("coll", unpublished)},
        {"type": "SEARCHED", "searchQuery": "x" * 201},
        viewed(product, key=""),
        viewed(product, occurredAt=(now + timedelta(hours=1)).isoformat()),
        viewed(product, occurredAt=(now - timedelta(hours=25)).isoformat()),
    ]
    told = await refusals(api, await visitor(api), viewed(product), *wrong)
    assert sorted(told, key=lambda error: error[1]) == [
        ("REQUIRED", ["events", "1", "productId"]),
        ("INVALID", ["events", "2", "searchQuery"]),
        ("NOT_FOUND", ["events", "3", "productId"]),
        ("NOT_FOUND", ["events", "4", "collectionId"]),
        ("TOO_LONG", ["events", "5", "searchQuery"]),
        ("REQUIRED", ["events", "6", "key"]),
        ("OUT_OF_RANGE", ["events", "7", "occurredAt"]),
        ("OUT_OF_RANGE", ["events", "8", "occurredAt"]),
    ]
    assert await kept() == NOTHING


async def test_too_many_events_are_refused(api: Api, product: MadeProduct) -> None:
    visitor_id = await visitor(api)
    assert await refusals(api, visitor_id, *[viewed(product)] * 51) == [("TOO_MANY", ["events"])]
    for _ in range(2):
        assert await track(api, visitor_id, *[viewed(product)] * 50) == 50
    before = await kept()
    (refused,) = await api.refused(TRACK, {"input": {"visitorId": visitor_id, "events": [viewed(product)] * 50}})
    assert refused["code"] == "RATE_LIMITED"
    assert await kept() == before


async def test_late_events_have_their_own_time(api: Api, product: MadeProduct) -> None:
    earlier = await clock.now() - timedelta(hours=3)
    await track(api, await visitor(api), viewed(product, occurredAt=earlier.isoformat()))
    assert await db.fetchval("SELECT occurred_at FROM profile_events") == earlier


async def test_the_visitor_of_a_cart_is_its_person(api: Api, product: MadeProduct) -> None:
    """First they look, then they take it, then they say who they are: one history."""
    visitor_id, cart = await visitor(api), await carts.cart((product.variant_id, 1))
    await track(api, visitor_id, viewed(product))
    await track(api, visitor_id, cartId=cart.gid)
    await api.ok(IDENTIFY, {"id": cart.gid, "identity": {"email": "ada@example.com"}})
    ada = await db.fetchval("SELECT id FROM profiles WHERE email = 'ada@example.com'")
    assert await profile_of_events() == ada
    await track(api, visitor_id, viewed(product))
    assert await profile_of_events() == ada
    assert await db.fetchval("SELECT count(*) FROM profiles WHERE merged_into_id IS NULL") == 1


async def test_a_known_cart_makes_its_visitor_known(api: Api, product: MadeProduct) -> None:
    visitor_id, cart = await visitor(api), await carts.cart((product.variant_id, 1), email="ada@example.com")
    await track(api, visitor_id, viewed(product))
    await track(api, visitor_id, viewed(product), cartId=cart.gid)
    assert await profile_of_events() == await db.fetchval("SELECT id FROM profiles WHERE email = 'ada@example.com'")


async def test_another_persons_cart_on_a_shared_device(api: Api, product: MadeProduct) -> None:
    visitor_id = await visitor(api)
    of_ada = await carts.cart((product.variant_id, 1), email="ada@example.com")
    of_bob = await carts.cart((product.variant_id, 1), email="bob@example.com")
    await track(api, visitor_id, viewed(product), cartId=of_ada.gid)
    await track(api, visitor_id, viewed(product), cartId=of_bob.gid)
    await track(api, visitor_id, viewed(product))
    rows = await db.fetch(
        """
        SELECT p.email, count(*) AS views FROM profile_events e JOIN profiles p ON p.id = e.profile_id
        WHERE e.type = 'product.viewed' GROUP BY p.email ORDER BY p.email
        """
    )
    assert [(row["email"], row["views"]) for row in rows] == [("ada@example.com", 1), ("bob@example.com", 2)]


async def test_a_cart_takes_its_secret(api: Api, product: MadeProduct) -> None:
    cart = await carts.cart((product.variant_id, 1), email="ada@example.com")
    before = await kept()
    guessed = ids.encode_with_secret("cart", cart.id, "x" * 22)
    assert await refusals(api, await visitor(api), viewed(product), cartId=guessed) == [("NOT_FOUND", ["cartId"])]
    assert await kept() == before


async def test_the_limit_of_a_client_covers_all_of_its_visitors(
    api: Api, product: MadeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "EVENTS_PER_CLIENT", 3)
    for _ in range(3):
        await track(api, await visitor(api), viewed(product))
    (refused,) = await api.refused(TRACK, {"input": {"visitorId": await visitor(api), "events": [viewed(product)]}})
    assert refused["code"] == "RATE_LIMITED"
