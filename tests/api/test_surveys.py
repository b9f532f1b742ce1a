"""The delivery survey: opened from a mail, answered there or through the API, and what follows from a bad score."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from app import db
from app.kit.ids import new_id
from app.surveys.links import survey_token, survey_url
from tests.client import Api
from tests.factories import catalogue, customers
from tests.factories.shop import shop

Drain = Callable[[], Awaitable[None]]

RESPOND = """mutation ($input: SurveyRespondInput!) {
    surveyRespond(input: $input) { score userErrors { code field message } } }"""
RESPONSES = """query ($max: Int) { surveyResponses(maxScore: $max) { totalCount
    nodes { id score comment orderId profileId survey } } }"""
SUMMARY = """query ($since: DateTime) { surveySummary(since: $since) {
    responses promoters passives detractors netPromoterScore averageScore } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop()


@pytest.fixture
async def order(_shop: None) -> tuple[uuid.UUID, uuid.UUID]:
    """Somebody, and an order of theirs."""
    product = await catalogue.product()
    profile_id = await customers.profile(email="ada@example.com")
    return profile_id, await customers.past_order(profile_id, (product.variant_id, 1))


def path(order: tuple[uuid.UUID, uuid.UUID], score: int) -> str:
    parts = urlsplit(survey_url(*order, new_id(), score))
    return f"{parts.path}?{parts.query}"


async def kept() -> list[Any]:
    rows = await db.fetch("SELECT score, comment FROM survey_responses ORDER BY id")
    return [tuple(row.values()) for row in rows]


async def held() -> bool:
    return bool(
        await db.fetchval(
            "SELECT marketing_held_until > business_now() + interval '29 days' FROM profiles WHERE email IS NOT NULL"
        )
    )


async def test_opening_a_link_shows_the_chosen_score_and_records_nothing(
    api: Api, order: tuple[uuid.UUID, uuid.UUID]
) -> None:
    page = await api.http.get(path(order, 9))
    assert page.status_code == 200
    assert 'value="9" required checked' in page.text
    assert page.text.count("required checked") == 1
    assert "script" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    await api.http.head(path(order, 3))
    assert await kept() == []
    assert not await held()


async def test_the_button_records_the_answer_and_answering_again_changes_it(
    api: Api, order: tuple[uuid.UUID, uuid.UUID], staff_token: str
) -> None:
    thanks = await api.http.post(path(order, 9), data={"score": "10", "comment": " Quick & careful "})
    assert "Thank you" in thanks.text
    assert await kept() == [(10, "Quick & careful")]
    await api.http.post(path(order, 9), data={"score": "8", "comment": ""})
    assert await kept() == [(8, "Quick & careful")]
    opened = await api.http.get(path(order, 8).partition("?")[0])
    assert 'value="8" required checked' in opened.text
    assert "Quick" not in opened.text
    (shown,) = (await api.ok(RESPONSES, token=staff_token))["surveyResponses"]["nodes"]
    assert (shown["score"], shown["orderId"], shown["profileId"], shown["survey"]) == (
        8,
        f"ord_{order[1].hex}",
        f"prof_{order[0].hex}",
        "delivery",
    )
    told = await db.fetch(
        "SELECT data->>'score' AS score FROM profile_events WHERE type = 'survey.responded' ORDER BY id"
    )
    assert [row["score"] for row in told] == ["10", "8"]


async def test_a_bad_score_tells_the_shop_once_and_holds_marketing(
    api: Api, order: tuple[uuid.UUID, uuid.UUID], drain: Drain
) -> None:
    await api.http.post(path(order, 9), data={"score": "7", "comment": ""})
    assert not await held()
    for score in ("6", "2", "9", "1"):
        answer = await api.http.post(path(order, 9), data={"score": score, "comment": "It came broken"})
        assert ("sorry" in answer.text) is (int(score) <= 6)
        assert await held()
    mails = await db.fetch("SELECT recipient, template, context FROM messages WHERE dedupe_key LIKE 'survey:%'")
    assert [(mail["recipient"], mail["template"]) for mail in mails] == [("hello@tradewind.example", "staff_notice")]
    assert "broken" not in mails[0]["context"]
    assert "ada@" not in mails[0]["context"]


async def test_a_post_without_a_score_asks_for_one(api: Api, order: tuple[uuid.UUID, uuid.UUID]) -> None:
    for score in ("", "11", "-1", "9.5", "x"):
        answer = await api.http.post(path(order, 9), data={"score": score, "comment": "Hm <b>"})
        assert "Please choose a number" in answer.text
        assert "Hm &lt;b&gt;" in answer.text
    assert "Please choose a number" in (await api.http.post(path(order, 9))).text
    long = await api.http.post(path(order, 9), data={"score": "9", "comment": "x" * 2001})
    assert "2,000 characters" in long.text
    assert await kept() == []


async def test_the_storefront_can_ask_by_itself(api: Api, order: tuple[uuid.UUID, uuid.UUID]) -> None:
    token = survey_token(*order, new_id())
    answer = await api.ok(RESPOND, {"input": {"token": token, "score": 0, "comment": "Late"}})
    assert answer["surveyRespond"]["score"] == 0
    assert await kept() == [(0, "Late")]
    assert await held()


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"score": 11}, "OUT_OF_RANGE", "score"),
        ({"score": -1}, "OUT_OF_RANGE", "score"),
        ({"comment": "x" * 2001}, "TOO_LONG", "comment"),
        ({"comment": "a\x00b"}, "INVALID", "comment"),
        ({"token": "nonsense"}, "INVALID", "token"),
        ({"token": "x" * 5000}, "INVALID", "token"),
    ],
)
async def test_wrong_answers_are_refused(
    api: Api, order: tuple[uuid.UUID, uuid.UUID], change: dict[str, Any], code: str, field: str
) -> None:
    given = {"token": survey_token(*order, new_id()), "score": 5, **change}
    (error,) = await api.refused(RESPOND, {"input": given})
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert await kept() == []
    assert not await held()


async def test_a_preview_and_an_altered_link_record_nothing(api: Api, order: tuple[uuid.UUID, uuid.UUID]) -> None:
    (error,) = await api.refused(RESPOND, {"input": {"token": survey_token(*order, None), "score": 5}})
    assert (error["code"], error["field"]) == ("INVALID", ["input", "token"])
    preview = urlsplit(survey_url(*order, None, 5)).path
    assert "preview" in (await api.http.post(preview, data={"score": "5"})).text
    broken = await api.http.post(f"{preview[:-3]}xyz", data={"score": "5"})
    assert broken.status_code == 404
    assert await kept() == []


async def test_the_net_promoter_score(api: Api, staff_token: str) -> None:
    empty = (await api.ok(SUMMARY, token=staff_token))["surveySummary"]
    assert (empty["responses"], empty["netPromoterScore"], empty["averageScore"]) == (0, None, None)
    product = await catalogue.product()
    for score in (10, 9, 9, 8, 7, 6, 0):
        somebody = await customers.profile()
        asked = (somebody, await customers.past_order(somebody, (product.variant_id, 1)))
        await api.ok(RESPOND, {"input": {"token": survey_token(*asked, new_id()), "score": score}})
    found = (await api.ok(SUMMARY, token=staff_token))["surveySummary"]
    assert found == {
        "responses": 7,
        "promoters": 3,
        "passives": 2,
        "detractors": 2,
        "netPromoterScore": 14,
        "averageScore": 7.0,
    }
    later = (await api.ok(SUMMARY, {"since": "2999-01-01T00:00:00Z"}, token=staff_token))["surveySummary"]
    assert later["responses"] == 0
    unhappy = (await api.ok(RESPONSES, {"max": 6}, token=staff_token))["surveyResponses"]
    assert (unhappy["totalCount"], [one["score"] for one in unhappy["nodes"]]) == (2, [0, 6])
