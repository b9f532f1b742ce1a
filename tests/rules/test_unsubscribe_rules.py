"""Email: leaving takes one click, works at once and for years; bounces and complaints are heard by every flow."""

import base64
import re
import uuid
from urllib.parse import urlsplit

import pytest

from app import db
from app.customers import links, permission, suppressions
from app.customers.models import ConsentAction, SuppressionReason
from app.keys import keyring
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessageReason
from app.settings import get_settings
from tests.client import Api
from tests.factories import customers, shop

EMAIL, SMS = MessageChannel.EMAIL, MessageChannel.SMS
ADA = "ada@customer.example"
PHONE = "+15035550142"
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def ada(clean_database: None) -> uuid.UUID:
    await shop.shop()
    return await customers.profile(email=ADA, phone=PHONE, consents=[EMAIL, SMS])


def path(url: str) -> str:
    return urlsplit(url).path


async def test_one_click_post_needs_no_login_answers_200_without_redirect_and_works_at_once(
    api: Api, ada: uuid.UUID
) -> None:
    url = path(links.unsubscribe_url(ada, EMAIL, ADA))
    for _ in range(2):
        answer = await api.http.post(url, content=ONE_CLICK, headers=FORM)
        assert (answer.status_code, answer.history) == (200, [])
        assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED
    assert await permission.marketing(SMS, PHONE) is None
    rows = await db.fetch("SELECT source, ip FROM consents WHERE action = 'REVOKED'")
    assert [(row["source"], row["ip"]) for row in rows] == [("ONE_CLICK", "127.0.0.1")]


@pytest.mark.parametrize("body", [b"", b"--x\r\nContent-Disposition: form-data\r\n\r\n", b"x" * 100_000, b"\xff\xfe"])
async def test_one_click_does_not_depend_on_the_body(api: Api, ada: uuid.UUID, body: bytes) -> None:
    """RFC 8058 lets it be sent as multipart/form-data, and some send nothing."""
    answer = await api.http.post(path(links.unsubscribe_url(ada, EMAIL, ADA)), content=body)
    assert answer.status_code == 200
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED


async def test_get_and_head_never_unsubscribe_or_change_anything(api: Api, ada: uuid.UUID) -> None:
    before = await db.fetchval("SELECT count(*) FROM consents")
    for url in (links.unsubscribe_url(ada, EMAIL, ADA), links.preferences_url(ada, EMAIL, ADA)):
        for method in ("GET", "HEAD"):
            answer = await api.http.request(method, path(url))
            assert answer.status_code == 200
            if method == "GET":
                assert "<button" in answer.text
        assert (await api.http.request("OPTIONS", path(url))).status_code == 405
    assert await db.fetchval("SELECT count(*) FROM consents") == before
    assert await permission.marketing(EMAIL, ADA) is None


async def test_links_work_for_more_than_a_year_and_after_the_keys_were_rotated(
    api: Api, ada: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = path(links.unsubscribe_url(ada, EMAIL, ADA))
    await db.execute("INSERT INTO business_clock (id, skew_microseconds) VALUES (1, 500 * 86400 * 1000000::bigint)")
    keyring.cache_clear()
    settings = get_settings()
    monkeypatch.setattr(settings, "secret_keys", ["a new key that was put in front of it: 1234", *settings.secret_keys])
    assert path(links.unsubscribe_url(ada, EMAIL, ADA)) != url
    try:
        # The person's profile was joined to another one meanwhile, and they have a new address.
        other = await customers.profile(email="ada@new.example")
        merged = "UPDATE profiles SET email = NULL, phone = NULL, merged_into_id = $2 WHERE id = $1"
        await db.execute(merged, ada, other)
        answer = await api.http.post(url, content=ONE_CLICK, headers=FORM)
        assert answer.status_code == 200
        assert "You are unsubscribed" in answer.text
        assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED
        assert await db.fetchval("SELECT profile_id FROM profile_events WHERE type = 'consent.revoked'") == other
    finally:
        keyring.cache_clear()


async def test_links_carry_no_address_and_pages_mask_it(api: Api, ada: uuid.UUID) -> None:
    for url in (links.unsubscribe_url(ada, EMAIL, ADA), links.preferences_url(ada, EMAIL, ADA)):
        payload = url.rpartition("/")[2].partition(".")[0]
        for text in (url, base64.urlsafe_b64decode(payload + "==").decode(errors="ignore")):
            assert "ada@" not in text.lower()
            assert "customer" not in text
        page = (await api.http.get(path(url))).text
        assert ADA not in page
        assert PHONE not in page
        assert "a•••@c•••.example" in page


async def test_an_altered_link_and_one_for_another_purpose_change_nothing(api: Api, ada: uuid.UUID) -> None:
    url = path(links.unsubscribe_url(ada, EMAIL, ADA))
    altered = url[:-3] + ("AAA" if not url.endswith("AAA") else "BBB")
    preference = links.preference_token(ada, EMAIL, ADA)
    for wrong in (altered, "/unsubscribe/x", f"/unsubscribe/{preference}", "/unsubscribe/" + "a" * 5_000):
        assert (await api.http.post(wrong, content=ONE_CLICK, headers=FORM)).status_code == 404
    assert await permission.marketing(EMAIL, ADA) is None


async def test_pages_load_nothing_run_nothing_and_cannot_be_framed(api: Api, ada: uuid.UUID) -> None:
    answer = await api.http.get(path(links.preferences_url(ada, EMAIL, ADA)))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert not re.findall(r"(?:src|href)=\"(?!mailto:)[^\"]+", answer.text)


async def test_the_preference_page_changes_only_what_is_posted(api: Api, ada: uuid.UUID) -> None:
    url = path(links.preferences_url(ada, EMAIL, ADA))
    page = (await api.http.get(url)).text
    texts = dict(re.findall(r'name="(text_\w+)" value="(\w+)"', page))
    await api.http.post(url, data={"action": "save", "channel": ["SMS"], **texts})
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED
    assert await permission.marketing(SMS, PHONE) is None
    await api.http.post(url, data={"action": "save", "channel": ["SMS", "EMAIL"], **texts})
    assert await permission.marketing(EMAIL, ADA) is None
    row = await db.fetchrow("SELECT action, source, text_id FROM consents ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert (row["action"], row["source"]) == (ConsentAction.GRANTED, "PREFERENCES")
    assert f"ctext_{row['text_id'].hex}" == texts["text_EMAIL"]
    await api.http.post(url, data={"action": "nonsense"})
    assert await permission.marketing(EMAIL, ADA) is None


async def test_an_unsubscribe_is_credited_to_its_message(api: Api, ada: uuid.UUID) -> None:
    message_id = new_id()
    await db.execute(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, context, state, attempts,
                              created_at, sent_at)
        VALUES ($1, 'welcome', 'EMAIL', 'MARKETING', 'welcome', $2, '{}', 'SENT', 1, business_now(), business_now())
        """,
        message_id,
        ADA,
    )
    await api.http.post(path(links.unsubscribe_url(ada, EMAIL, ADA, message_id)), content=ONE_CLICK, headers=FORM)
    assert await db.fetchval("SELECT unsubscribed_at IS NOT NULL FROM messages")


@pytest.mark.parametrize("reason", [SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT])
async def test_a_hard_bounce_or_complaint_suppresses_for_everything_and_repetitions_change_nothing(
    ada: uuid.UUID, reason: SuppressionReason
) -> None:
    for spelling in (ADA, ADA, ADA.upper()):
        async with db.unit_of_work():
            await suppressions.add(EMAIL, spelling, reason, "550 5.1.1")
    assert await db.fetchval("SELECT count(*) FROM suppressions") == 1
    assert await permission.marketing(EMAIL, ADA) is MessageReason.SUPPRESSED
    assert await permission.marketing(SMS, PHONE) is None
    bounced = reason is SuppressionReason.HARD_BOUNCE
    assert await permission.transactional(EMAIL, ADA) is (MessageReason.SUPPRESSED if bounced else None)


async def test_lifting_a_suppression_is_an_act_of_staff(api: Api, ada: uuid.UUID, staff_token: str) -> None:
    add = """
        mutation ($address: String!) {
          suppressionAdd(input: {channel: EMAIL, address: $address, note: "Asked by phone"}) {
            suppression { id address reason detail liftedAt } userErrors { code } } }
    """
    lift = "mutation ($id: ID!) { suppressionLift(id: $id) { suppression { liftedAt } userErrors { code } } }"
    (error,) = await api.refused(add, {"address": ADA})
    assert error["code"] == "UNAUTHENTICATED"
    made = [(await api.ok(add, {"address": ADA}, token=staff_token))["suppressionAdd"]["suppression"] for _ in range(2)]
    assert made[0] == made[1]
    assert (made[0]["reason"], made[0]["detail"], made[0]["liftedAt"]) == ("STAFF", "Asked by phone", None)
    assert await permission.marketing(EMAIL, ADA) is MessageReason.SUPPRESSED
    (error,) = await api.refused(lift, {"id": made[0]["id"]})
    assert error["code"] == "UNAUTHENTICATED"
    assert await permission.marketing(EMAIL, ADA) is MessageReason.SUPPRESSED
    lifted = [await api.ok(lift, {"id": made[0]["id"]}, token=staff_token) for _ in range(2)]
    assert lifted[0] == lifted[1]
    assert await permission.marketing(EMAIL, ADA) is None
    with pytest.raises(ValueError, match="staff"):
        await suppressions.lift_by_receiver(EMAIL, ADA, SuppressionReason.COMPLAINT)
