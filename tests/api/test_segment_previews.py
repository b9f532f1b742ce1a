"""Looking at whom a condition would select, before there is a segment."""

import uuid

import pytest

from app import db
from app.kit import ids
from tests.client import Api
from tests.factories import customers
from tests.factories.shop import shop

PREVIEW = """query ($condition: String!) { segmentPreview(condition: $condition) {
    problems { message position } estimatedCount isComplete lookedAt matching total profileIds failures failure } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


def gid(profile_id: uuid.UUID) -> str:
    return ids.encode("prof", profile_id)


async def test_a_preview_says_whom_it_would_select_and_saves_nothing(api: Api, staff_token: str) -> None:
    people = [await customers.profile(country_code="DE", announced=False) for _ in range(12)]
    await customers.profile(country_code="FR", announced=False)
    condition = {"condition": "customer.countryCode == 'DE'"}
    preview = (await api.ok(PREVIEW, condition, token=staff_token))["segmentPreview"]
    assert preview == {
        "problems": [],
        "estimatedCount": 12,
        "isComplete": True,
        "lookedAt": 13,
        "matching": 12,
        "total": 13,
        "profileIds": [gid(person) for person in people[:1:-1]],
        "failures": 0,
        "failure": None,
    }
    assert await db.fetchval("SELECT count(*) FROM segments") == 0


async def test_a_preview_of_many_says_that_it_is_an_estimate(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.segments.preview.BATCH", 2)
    monkeypatch.setattr("app.segments.preview.MAX_PROFILES", 4)
    for country in ("FR", "FR", "FR", "FR", "DE", "FR", "DE", "FR"):
        await customers.profile(country_code=country, announced=False)
    condition = {"condition": "customer.countryCode == 'DE'"}
    preview = (await api.ok(PREVIEW, condition, token=staff_token))["segmentPreview"]
    assert (preview["isComplete"], preview["lookedAt"], preview["total"]) == (False, 4, 8)
    assert (preview["matching"], preview["estimatedCount"]) == (2, 4)


async def test_a_preview_names_what_is_wrong_and_where(api: Api, staff_token: str) -> None:
    condition = {"condition": "customer.emial == 'a' && customer.stage == 'LAPSD'"}
    preview = (await api.ok(PREVIEW, condition, token=staff_token))["segmentPreview"]
    assert [problem["position"] for problem in preview["problems"]] == [
        condition["condition"].index(text) for text in ("emial", "'LAPSD'")
    ]
    assert "Did you mean customer.email?" in preview["problems"][0]["message"]
    assert (preview["matching"], preview["isComplete"]) == (0, False)


async def test_the_names_of_conditions_are_told(api: Api, staff_token: str) -> None:
    document = """query ($types: [String!]) { conditionContext(eventTypes: $types, inRun: true) {
        name type description } }"""
    names = (await api.ok(document, {"types": ["checkout.started"]}, token=staff_token))["conditionContext"]
    by_name = {name["name"]: name["type"] for name in names}
    assert by_name["customer.lastOrderAt"] == "timestamp?"
    assert by_name["checkout.total"] == "double"
    assert by_name["cart.productTypes"] == "list<string>"
    assert by_name["run.checkoutId"] == "string?"
    assert by_name["customer.viewCount(product: string, within: duration?)"] == "int"
    assert "order.total" not in by_name
    refused = await api.query(document, {"types": ["order.palced"]}, token=staff_token)
    assert refused.codes == ["NOT_FOUND"]
