"""Segments as staff use them: made, built, kept as things happen and as time passes, previewed and deleted."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.customers import identification, timeline
from app.events.delivery import deliver
from app.kit import ids
from app.messaging.models import MessageChannel
from app.segments import building, membership
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import catalogue, customers, segments, staff
from tests.factories.shop import shop

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

CREATE = """mutation ($input: SegmentCreateInput!) { segmentCreate(input: $input) {
    segment { id key name condition status memberCount timeDependent } job { id kind status }
    userErrors { code message field } } }"""
UPDATE = """mutation ($id: ID!, $input: SegmentUpdateInput!) { segmentUpdate(id: $id, input: $input) {
    segment { id name condition status memberCount } job { id kind } userErrors { code message field } } }"""
DELETE = "mutation ($id: ID!) { segmentDelete(id: $id) { deletedId userErrors { code message field } } }"
SEGMENT = """query ($key: String!) { segment(key: $key) { id status memberCount failure
    job { status result done total } members(first: 50) { totalCount nodes { profileId enteredAt } } } }"""
PREVIEW = """query ($condition: String!) { segmentPreview(condition: $condition) {
    problems { message position } estimatedCount isComplete lookedAt matching total profileIds failures failure } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


def gid(profile_id: uuid.UUID) -> str:
    return ids.encode("prof", profile_id)


async def change(profile_id: uuid.UUID, **columns: Any) -> None:
    """As if the person's own data had been changed by staff."""
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 2))
    async with db.unit_of_work():
        await identification.lock(profile_id)
        await db.execute(f"UPDATE profiles SET {sets} WHERE id = $1", profile_id, *columns.values())
        await identification.updated(profile_id, list(columns))


async def shown(api: Api, token: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(SEGMENT, {"key": key}, token=token))["segment"]
    return found


async def test_a_segment_is_built_over_everybody_who_is_there(api: Api, staff_token: str, drain: Drain) -> None:
    germans = [await customers.profile(country_code="DE", announced=False) for _ in range(3)]
    await customers.profile(country_code="FR", announced=False)
    given = {"key": "germans", "name": " Germans ", "condition": "customer.countryCode == 'DE'"}
    made = (await api.ok(CREATE, {"input": given}, token=staff_token))["segmentCreate"]
    assert made["segment"] | {"id": ""} == {
        "id": "",
        "key": "germans",
        "name": "Germans",
        "condition": "customer.countryCode == 'DE'",
        "status": "BUILDING",
        "memberCount": 0,
        "timeDependent": False,
    }
    assert (made["job"]["kind"], made["job"]["status"]) == ("SEGMENT_BUILD", "QUEUED")
    await drain()
    found = await shown(api, staff_token, "germans")
    assert (found["status"], found["memberCount"]) == ("READY", 3)
    assert found["job"] == {"status": "SUCCEEDED", "result": {"members": 3}, "done": 4, "total": 4}
    assert [node["profileId"] for node in found["members"]["nodes"]] == [gid(person) for person in germans]
    # Whom the building finds was in it before.
    assert await segments.told("germans") == []
    await segments.check_books()


async def test_building_announces_when_it_is_asked_to(api: Api, staff_token: str, drain: Drain) -> None:
    ada = await customers.profile(country_code="DE", announced=False)
    given = {"key": "germans", "name": "Germans", "condition": "customer.countryCode == 'DE'", "announce": True}
    await api.ok(CREATE, {"input": given}, token=staff_token)
    await drain()
    assert await segments.told("germans") == [("segment.entered", ada)]


async def test_people_come_and_go_by_what_happens_to_them(drain: Drain) -> None:
    ada = await customers.profile(country_code="FR")
    await segments.built(drain, "germans", "customer.countryCode == 'DE'")
    await change(ada, country_code="DE")
    await drain()
    assert await segments.members("germans") == {ada}
    await change(ada, last_name="Lovelace")
    await drain()
    await change(ada, country_code="FR")
    await drain()
    assert await segments.members("germans") == set()
    assert await segments.told("germans") == [("segment.entered", ada), ("segment.left", ada)]
    newcomer = await customers.profile(country_code="DE")
    await drain()
    assert await segments.members("germans") == {newcomer}
    await segments.check_books()


async def test_a_visitor_is_in_a_segment_from_the_first_thing_they_do(drain: Drain) -> None:
    await segments.built(drain, "visitors", "customer.stage == 'VISITOR'")
    tea = await catalogue.product()
    _, nobody = await customers.visitor()
    await customers.viewed(nobody, tea.id)
    await drain()
    assert await segments.members("visitors") == {nobody}


async def test_consent_and_events_move_people(drain: Drain) -> None:
    tea = await catalogue.product(slug="tea")
    ada = await customers.profile(email="ada@example.com")
    await segments.built(drain, "readers", "customer.consented('EMAIL')")
    await segments.built(drain, "fans", "customer.viewCount('tea') >= 2")
    await customers.consent(ada, MessageChannel.EMAIL, "ada@example.com")
    async with db.unit_of_work():
        await timeline.record("consent.granted", profile_id=ada, data={"channel": "EMAIL", "source": "NEWSLETTER"})
    await customers.viewed(ada, tea.id)
    await drain()
    assert await segments.members("readers") == {ada}
    assert await segments.members("fans") == set()
    await customers.viewed(ada, tea.id)
    await drain()
    assert await segments.members("fans") == {ada}
    await segments.check_books()


async def test_only_segments_that_an_event_touches_are_looked_at(drain: Drain) -> None:
    ada = await customers.profile(country_code="FR", announced=False)
    await segments.built(drain, "germans", "customer.countryCode == 'DE'")
    await db.execute("UPDATE profiles SET country_code = 'DE', created_at = created_at - interval '1 day'")  # untold
    await customers.viewed(ada, (await catalogue.product()).id)
    await drain()
    assert await segments.members("germans") == set()
    await change(ada, last_name="Lovelace")
    await drain()
    assert await segments.members("germans") == {ada}


async def test_people_come_and_go_as_time_passes(api: Api, staff_token: str, drain: Drain, advance: Advance) -> None:
    tea = await catalogue.product()
    ada = await customers.profile()
    await customers.viewed(ada, tea.id)
    await drain()
    await segments.built(drain, "quiet", "customer.lastSeenAt < now - duration('P30D')")
    await segments.built(drain, "curious", "customer.eventCount('product.viewed', duration('P7D')) >= 1")
    assert (await segments.members("quiet"), await segments.members("curious")) == (set(), {ada})
    assert (await shown(api, staff_token, "quiet"))["memberCount"] == 0
    await advance("P6D")
    assert (await segments.members("quiet"), await segments.members("curious")) == (set(), {ada})
    await advance("P2D")
    assert (await segments.members("quiet"), await segments.members("curious")) == (set(), set())
    await advance("P23D")
    assert (await segments.members("quiet"), await segments.members("curious")) == ({ada}, set())
    assert await segments.told("quiet") == [("segment.entered", ada)]
    assert await segments.told("curious") == [("segment.left", ada)]
    # Nothing can change any more by itself: no timer is left.
    assert await db.fetchval("SELECT count(*) FROM timers WHERE kind = $1", membership.LOOK_DUE) == 0
    await segments.check_books()


async def test_a_birthday_month_begins_and_ends(drain: Drain, advance: Advance) -> None:
    await db.execute("INSERT INTO business_clock (id, skew_microseconds) VALUES (1, 0)")
    month = await db.fetchval("SELECT extract(month FROM business_now() + interval '1 month')::int")
    ada = await customers.profile()
    await change(ada, properties=f'{{"birthday": "1990-{month:02d}-10"}}')
    await drain()
    condition = "customer.properties.birthday.getMonth() == now.getMonth()"
    await segments.built(drain, "birthdays", condition)
    assert await segments.members("birthdays") == set()
    await advance("P31D")
    assert await segments.members("birthdays") == {ada}
    await advance("P31D")
    assert await segments.members("birthdays") == set()
    assert [kind for kind, _ in await segments.told("birthdays")] == ["segment.entered", "segment.left"]


async def test_another_condition_is_built_anew(api: Api, staff_token: str, drain: Drain) -> None:
    ada = await customers.profile(country_code="DE", announced=False)
    bob = await customers.profile(country_code="FR", announced=False)
    segment_id = ids.encode("seg", await segments.built(drain, "people", "customer.countryCode == 'DE'"))
    renamed = await api.ok(UPDATE, {"id": segment_id, "input": {"name": "Folk"}}, token=staff_token)
    assert renamed["segmentUpdate"]["job"] is None
    assert renamed["segmentUpdate"]["segment"]["name"] == "Folk"
    assert renamed["segmentUpdate"]["segment"]["status"] == "READY"
    given = {"condition": "customer.countryCode == 'FR'"}
    changed = (await api.ok(UPDATE, {"id": segment_id, "input": given}, token=staff_token))["segmentUpdate"]
    assert (changed["segment"]["status"], changed["job"]["kind"]) == ("BUILDING", "SEGMENT_BUILD")
    await drain()
    assert await segments.members("people") == {bob}
    assert await segments.told("people") == []
    assert (await shown(api, staff_token, "people"))["memberCount"] == 1
    await change(ada, country_code="FR")
    await drain()
    assert await segments.told("people") == [("segment.entered", ada)]
    await segments.check_books()


async def test_an_older_building_gives_way_to_a_newer_one(drain: Drain) -> None:
    ada = await customers.profile(country_code="DE", announced=False)
    from app.segments import service

    first = await service.create(key="people", name="People", condition="customer.countryCode == 'FR'")
    second = await service.update(first.segment_id, condition="customer.countryCode == 'DE'")
    assert first.job_id is not None
    assert second.job_id is not None
    await building.run(second.job_id)
    await building.run(first.job_id)
    assert await segments.members("people") == {ada}
    rows = await db.fetch("SELECT status, result FROM jobs ORDER BY id")
    assert [(row["status"], row["result"]) for row in rows] == [
        ("SUCCEEDED", '{"supersededByChange": true}'),
        ("SUCCEEDED", '{"members": 1}'),
    ]
    await segments.check_books()


async def test_segments_can_ask_for_each_other_but_not_in_a_circle(api: Api, staff_token: str, drain: Drain) -> None:
    ada = await customers.profile(country_code="DE", first_name="Ada", announced=False)
    germans = ids.encode("seg", await segments.built(drain, "germans", "customer.countryCode == 'DE'"))
    await segments.built(drain, "adas", "customer.inSegment('germans') && customer.firstName == 'Ada'")
    assert await segments.members("adas") == {ada}
    # What follows from a new condition follows quietly, as the condition itself does.
    await api.ok(UPDATE, {"id": germans, "input": {"condition": "customer.countryCode == 'AT'"}}, token=staff_token)
    await drain()
    assert await segments.members("adas") == set()
    assert await segments.told("adas") == []
    await change(ada, country_code="AT")
    await drain()
    assert await segments.members("adas") == {ada}
    assert await segments.told("adas") == [("segment.entered", ada)]
    await segments.check_books()

    before = await db.fetch("SELECT * FROM segments ORDER BY id")
    (refusal,) = await api.refused(
        UPDATE, {"id": germans, "input": {"condition": "customer.inSegment('adas')"}}, token=staff_token
    )
    assert (refusal["code"], refusal["field"]) == ("SEGMENTS_IN_A_CIRCLE", ["input", "condition"])
    (refusal,) = await api.refused(DELETE, {"id": germans}, token=staff_token)
    assert refusal["code"] == "SEGMENT_IN_USE"
    given = {"key": "more", "name": "More", "condition": "customer.inSegment('french')"}
    (refusal,) = await api.refused(CREATE, {"input": given}, token=staff_token)
    assert (refusal["code"], refusal["message"]) == ("NOT_FOUND", "There is no segment french.")
    assert await db.fetch("SELECT * FROM segments ORDER BY id") == before


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"key": "VIP"}, "INVALID", ["input", "key"]),
        ({"key": ""}, "INVALID", ["input", "key"]),
        ({"key": "there"}, "SEGMENT_KEY_TAKEN", ["input", "key"]),
        ({"name": "  "}, "REQUIRED", ["input", "name"]),
        ({"name": "x" * 121}, "TOO_LONG", ["input", "name"]),
        ({"condition": "customer.emial == 'a'"}, "CONDITION_INVALID", ["input", "condition"]),
        ({"condition": "event.cartId == 'a'"}, "CONDITION_INVALID", ["input", "condition"]),
    ],
)
async def test_what_is_refused_changes_nothing(
    api: Api, staff_token: str, drain: Drain, changed: dict[str, str], code: str, field: list[str]
) -> None:
    await segments.built(drain, "there", "true")
    given = {"key": "vip", "name": "VIP", "condition": "true"} | changed
    (refusal,) = await api.refused(CREATE, {"input": given}, token=staff_token)
    assert (refusal["code"], refusal["field"]) == (code, field)
    assert await db.fetchval("SELECT count(*) FROM segments") == 1
    assert await db.fetchval("SELECT count(*) FROM jobs") == 1
    assert await db.fetchval("SELECT count(*) FROM events WHERE acknowledged_at IS NULL") == 0


async def test_a_deleted_segment_leaves_nothing_behind(api: Api, staff_token: str, drain: Drain) -> None:
    ada = await customers.profile(announced=False)
    segment_id = ids.encode("seg", await segments.built(drain, "everybody", "true"))
    deleted = await api.ok(DELETE, {"id": segment_id}, token=staff_token)
    assert deleted["segmentDelete"]["deletedId"] == segment_id
    await drain()
    for table in ("segments", "segment_memberships", "segment_counts"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert await segments.told("everybody") == []
    await change(ada, last_name="Lovelace")
    await drain()
    (refusal,) = await api.refused(DELETE, {"id": segment_id}, token=staff_token)
    assert refusal["code"] == "NOT_FOUND"


async def test_a_condition_without_an_answer_counts_as_no_and_is_shown(
    api: Api, staff_token: str, drain: Drain
) -> None:
    await customers.profile(announced=False)
    bob = await customers.profile(announced=False)
    await change(bob, order_count=5)
    await drain()
    await segments.built(drain, "odd", "10 / customer.orderCount == 2")
    assert await segments.members("odd") == {bob}
    assert (await shown(api, staff_token, "odd"))["failure"] == "It divides by zero."
    preview = (await api.ok(PREVIEW, {"condition": "10 / customer.orderCount == 2"}, token=staff_token))[
        "segmentPreview"
    ]
    assert (preview["failures"], preview["failure"], preview["matching"]) == (1, "It divides by zero.", 1)


async def test_segments_are_listed_page_by_page(api: Api, staff_token: str, drain: Drain) -> None:
    for number in range(5):
        await segments.segment(f"s{number}", f"customer.orderCount >= {number}")
    await customers.profile(announced=False)
    await drain()
    document = """query ($after: String) { segments(first: 2, after: $after) { totalCount
        pageInfo { hasNextPage endCursor } nodes { key job { status } members(first: 1) { nodes { profileId } } } } }"""
    found: list[str] = []
    after = None
    while True:
        with db.counted_statements() as statements:
            page = (await api.ok(document, {"after": after}, token=staff_token))["segments"]
        assert len(statements) <= 5  # the session, the page, the total, the jobs, the members
        found += [node["key"] for node in page["nodes"]]
        assert all(node["job"]["status"] == "SUCCEEDED" for node in page["nodes"])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (found, page["totalCount"]) == (["s4", "s3", "s2", "s1", "s0"], 5)


async def test_members_are_seen_by_marketing_alone(api: Api, drain: Drain) -> None:
    segment_id = ids.encode("seg", await segments.built(drain, "everybody", "true"))
    document = "query ($id: ID!) { node(id: $id) { id ... on Segment { key } } }"
    readers = await staff.signed_in({Permission.MARKETING_READ})
    others = await staff.signed_in(set(Permission) - {Permission.MARKETING_READ})
    assert (await api.ok(document, {"id": segment_id}, token=readers))["node"]["key"] == "everybody"
    assert (await api.ok(document, {"id": segment_id}, token=others))["node"] is None


async def test_building_goes_on_where_a_worker_died(drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BATCH", 2)
    people = [await customers.profile(country_code="DE", announced=False) for _ in range(5)]
    await segments.segment("germans", "customer.countryCode == 'DE'")
    looked, real_look = 0, membership.look

    async def dies_in_the_second_batch(*given: Any, **more: Any) -> None:
        nonlocal looked
        looked += 1
        await real_look(*given, **more)
        if looked == 2:
            raise ConnectionError("killed")

    monkeypatch.setattr(membership, "look", dies_in_the_second_batch)
    event_id = await db.fetchval("SELECT id FROM events WHERE type = $1", building.REQUESTED)
    await deliver(event_id)
    assert await segments.members("germans") == set(people[:2])
    # Somebody whom the building has passed leaves, somebody whom it has not reached does not: only one has come at all.
    await change(people[0], country_code="FR")
    await change(people[4], country_code="FR")
    await drain()
    assert await segments.told("germans") == [("segment.left", people[0])]
    await db.execute("UPDATE events SET visible_at = clock_timestamp() WHERE id = $1", event_id)
    await deliver(event_id)
    assert await segments.members("germans") == set(people[1:4])
    assert await db.fetchval("SELECT done FROM jobs") == 5
    assert await db.fetchval("SELECT status FROM segments") == "READY"
    await segments.check_books()


async def test_a_merged_profile_counts_once(drain: Drain) -> None:
    await segments.built(drain, "viewers", "customer.eventCount('product.viewed') >= 2")
    tea = await catalogue.product()
    visitor_id, nobody = await customers.visitor()
    ada = await customers.profile(email="ada@example.com")
    await customers.viewed(nobody, tea.id)
    await customers.viewed(ada, tea.id)
    await drain()
    assert await segments.members("viewers") == set()
    async with db.unit_of_work():
        await identification.identify(email="ada@example.com", visitor_id=visitor_id, source="NEWSLETTER")
    await drain()
    assert await segments.members("viewers") == {ada}
    await segments.check_books()


async def test_an_order_moves_its_buyer_once_the_figures_are_in(drain: Drain) -> None:
    await segments.built(drain, "buyers", "customer.orderCount >= 1 && customer.totalSpent > 19.5")
    await segments.built(drain, "spenders", "customer.spentIn(duration('P30D')) >= 19.99")
    tea = await catalogue.product()
    ada = await customers.profile()
    await customers.past_order(ada, (tea.variant_id, 1), ago=timedelta(minutes=1), announced=True)
    await drain()
    assert await segments.members("spenders") == {ada}
    assert await segments.members("buyers") == {ada}
    await segments.check_books()
