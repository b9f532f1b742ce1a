"""Consent: append-only, confirmed where the shop wants it, withdrawn at once."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app import db
from app.addresses.contact import normalise_email
from app.customers import consent, erasure, permission
from app.customers.models import ConsentAction, ConsentSource
from app.messaging import dev_inbox
from app.messaging.models import MessageChannel, MessageReason
from tests.client import Api
from tests.factories import customers, shop

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

EMAIL, SMS = MessageChannel.EMAIL, MessageChannel.SMS
ADA = "ada@customer.example"
PHONE = "+15035550142"

SUBSCRIBE = """
    mutation ($input: NewsletterSubscribeInput!) {
      newsletterSubscribe(input: $input) { accepted userErrors { code field message } }
    }
"""
CONSENTS = """
    query ($id: ID!) {
      consents(profileId: $id) {
        totalCount
        nodes {
          id channel address action purpose source text { id text } confirmsId confirmedAt ip userAgent recordedAt
        }
      }
    }
"""


async def subscribe(api: Api, *channels: str, email: str = ADA, **more: Any) -> None:
    consents = [{"channel": channel, "granted": True} for channel in channels or ("EMAIL",)]
    await api.ok(SUBSCRIBE, {"input": {"email": email, "consent": consents, **more}})


async def confirmation_path(to: str = ADA) -> str:
    """Of the newest mail: what its link leads to."""
    mail = (await dev_inbox.list_messages(to))[0]
    found = re.search(r"http://testserver(/confirm/[^\s\"<]+)", mail.text)
    assert found, mail.text
    return found[1]


async def profile_gid(email: str = ADA) -> str:
    profile_id: uuid.UUID = await db.fetchval("SELECT id FROM profiles WHERE email = $1", email)
    return f"prof_{profile_id.hex}"


@pytest.fixture(autouse=True)
async def a_shop(clean_database: None) -> None:
    await shop.shop(name="Harbour & Co.")


async def test_consent_rows_are_append_only(api: Api, drain: Drain) -> None:
    await subscribe(api)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await db.execute("UPDATE consents SET action = 'GRANTED'")
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await db.execute("DELETE FROM consents")
    assert await consent.state(EMAIL, ADA) is ConsentAction.REQUESTED


async def test_nobody_writes_to_strangers_through_the_confirmation(api: Api, drain: Drain) -> None:
    typed = "You won at https://prize.example"
    variables = {"input": {"email": ADA, "firstName": typed, "consent": [{"channel": "EMAIL", "granted": True}]}}
    await api.ok(SUBSCRIBE, variables)
    await drain()
    (mail,) = await dev_inbox.list_messages(ADA)
    assert "prize.example" not in f"{mail.subject} {mail.text} {mail.html}"


async def test_a_row_says_who_channel_purpose_wording_source_time_ip_and_when_it_was_confirmed(
    api: Api, drain: Drain, advance: Advance, staff_token: str
) -> None:
    shown = (await api.ok("{ shop { consentTexts { id channel text } } }"))["shop"]["consentTexts"]
    text = next(one for one in shown if one["channel"] == "EMAIL")
    consents = [{"channel": "EMAIL", "granted": True, "textId": text["id"]}]
    variables = {"input": {"email": ADA, "firstName": "Ada", "consent": consents}}
    await api.ok(SUBSCRIBE, variables, headers={"User-Agent": "Lovelace/1.0"})
    await drain()
    await advance("PT1H")
    await api.http.post(await confirmation_path(), headers={"User-Agent": "Lovelace/2.0"})

    listed = await api.ok(CONSENTS, {"id": await profile_gid()}, token=staff_token)
    granted, requested = listed["consents"]["nodes"]
    assert listed["consents"]["totalCount"] == 2
    for row in (granted, requested):
        assert (row["channel"], row["address"], row["purpose"]) == ("EMAIL", ADA, "MARKETING")
        assert row["text"] == {"id": text["id"], "text": text["text"]}
        assert row["ip"] == "127.0.0.1"
    assert "Harbour & Co." in text["text"]
    assert (requested["action"], requested["source"]) == ("REQUESTED", "NEWSLETTER")
    assert requested["userAgent"] == "Lovelace/1.0"
    assert (granted["action"], granted["source"]) == ("GRANTED", "CONFIRMATION")
    assert granted["userAgent"] == "Lovelace/2.0"
    assert granted["confirmsId"] == requested["id"]
    assert requested["confirmedAt"] == granted["recordedAt"] > requested["recordedAt"]


async def test_double_opt_in_sends_only_the_confirmation_until_confirmed(api: Api, drain: Drain) -> None:
    await subscribe(api)
    await drain()
    assert [mail.template for mail in await dev_inbox.list_messages(ADA)] == ["consent_confirmation"]
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_UNCONFIRMED
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM events WHERE type = 'consent.granted')")

    path = await confirmation_path()
    for method in ("GET", "HEAD"):
        assert (await api.http.request(method, path)).status_code == 200
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_UNCONFIRMED
    assert (await api.http.post(path)).status_code == 200
    assert await permission.marketing(EMAIL, ADA) is None
    await drain()
    assert [mail.template for mail in await dev_inbox.list_messages(ADA)] == ["consent_confirmation"]


async def test_a_confirmation_is_transactional_and_asks_for_nothing_else(api: Api, drain: Drain) -> None:
    await subscribe(api)
    await drain()
    (mail,) = await dev_inbox.list_messages(ADA)
    assert mail.purpose == "TRANSACTIONAL"
    assert "List-Unsubscribe" not in mail.headers
    assert len(set(re.findall(r"https?://[^\s\"<]+", mail.text))) == 1


async def test_somebody_elses_address_gets_one_confirmation_a_day_and_three_in_all(
    api: Api, drain: Drain, advance: Advance
) -> None:
    for day in range(6):
        for _ in range(3):
            await subscribe(api, email=ADA.upper() if day % 2 else ADA)
        await drain()
        sent = len(await dev_inbox.list_messages(ADA))
        assert sent == min(day + 1, 3)
        await advance("P1D")
    assert len(await dev_inbox.list_messages()) == 3


async def test_requests_at_the_same_time_send_one_confirmation(api: Api, drain: Drain) -> None:
    await asyncio.gather(*(subscribe(api) for _ in range(6)))
    await drain()
    assert len(await dev_inbox.list_messages(ADA)) == 1
    assert await db.fetchval("SELECT count(*) FROM consents") == 1


async def test_changes_of_one_number_have_an_order_also_among_several_people(clean_database: None) -> None:
    """Households share numbers: the profiles' locks do not part them."""
    people = [await customers.profile(email=f"{name}@customer.example", phone=PHONE) for name in "abcdef"]

    async def agree(profile_id: uuid.UUID) -> None:
        async with db.unit_of_work():
            await consent.request_or_grant(profile_id=profile_id, channel=SMS, address=PHONE, source=ConsentSource.CART)

    await asyncio.gather(*map(agree, people))
    assert await db.fetchval("SELECT count(*) FROM consents") == 1


async def test_a_confirmation_repeated_and_at_the_same_time_is_one(api: Api, drain: Drain) -> None:
    await subscribe(api)
    await drain()
    path = await confirmation_path()
    answers = await asyncio.gather(*(api.http.post(path) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert await db.fetchval("SELECT count(*) FROM consents WHERE action = 'GRANTED'") == 1
    await drain()
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'consent.granted'") == 1


async def test_an_old_confirmation_does_not_undo_a_withdrawal(api: Api, drain: Drain) -> None:
    await subscribe(api)
    await drain()
    path = await confirmation_path()
    await api.http.post(path)
    profile_id = await db.fetchval("SELECT id FROM profiles")
    async with db.unit_of_work():
        await consent.revoke(profile_id=profile_id, channel=EMAIL, address=ADA, source=ConsentSource.ONE_CLICK)
    answer = await api.http.post(path)
    assert "unsubscribed since" in answer.text
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED


async def test_consent_in_a_cart_needs_no_confirmation_in_the_sample_shop(clean_database: None) -> None:
    ada = await customers.profile(email=ADA)
    async with db.unit_of_work():
        action = await consent.request_or_grant(profile_id=ada, channel=EMAIL, address=ADA, source=ConsentSource.CART)
    assert action is ConsentAction.GRANTED


async def test_a_withdrawn_consent_comes_back_only_by_its_receiver(api: Api, drain: Drain) -> None:
    ada = await customers.profile(email=ADA)
    async with db.unit_of_work():
        await consent.revoke(profile_id=ada, channel=EMAIL, address=ADA, source=ConsentSource.ONE_CLICK)
    async with db.unit_of_work():
        action = await consent.request_or_grant(profile_id=ada, channel=EMAIL, address=ADA, source=ConsentSource.CART)
    assert action is ConsentAction.REQUESTED
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_UNCONFIRMED
    await drain()
    await api.http.post(await confirmation_path())
    assert await permission.marketing(EMAIL, ADA) is None


@pytest.mark.parametrize(
    ("consents", "code", "field"),
    [
        ([], "REQUIRED", ["input", "consent"]),
        ([{"channel": "EMAIL", "granted": False}], "REQUIRED", ["input", "consent"]),
        ([{"channel": "SMS", "granted": True}], "CONSENT_ADDRESS_MISSING", ["input", "consent", "0", "channel"]),
        ([{"channel": "VOICE", "granted": True}], "INVALID", ["input", "consent", "0", "channel"]),
        ([{"channel": "EMAIL", "granted": True}] * 2, "INVALID", ["input", "consent", "1", "channel"]),
        (
            [{"channel": "EMAIL", "granted": True, "textId": f"ctext_{0:032x}"}],
            "CONSENT_TEXT_UNKNOWN",
            ["input", "consent", "0", "textId"],
        ),
        (
            [{"channel": "EMAIL", "granted": True, "textId": "SMS"}],
            "CONSENT_TEXT_OF_ANOTHER_CHANNEL",
            ["input", "consent", "0", "textId"],
        ),
    ],
)
async def test_consent_counts_only_for_an_address_and_with_a_text_of_the_shop(
    api: Api, drain: Drain, consents: list[dict[str, Any]], code: str, field: list[str]
) -> None:
    shown = (await api.ok("{ shop { consentTexts { id channel } } }"))["shop"]["consentTexts"]
    texts = {one["channel"]: one["id"] for one in shown}
    for one in consents:
        if one.get("textId") in texts:
            one["textId"] = texts[one["textId"]]
    (error,) = await api.refused(SUBSCRIBE, {"input": {"email": ADA, "consent": consents}})
    assert (error["code"], error["field"]) == (code, field)
    await drain()
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM consents) OR EXISTS (SELECT FROM profiles)")
    assert await dev_inbox.list_messages() == []


async def test_signing_up_answers_alike_for_known_and_unknown_addresses(api: Api, drain: Drain) -> None:
    known = normalise_email("known@customer.example")
    await customers.profile(email=known, consents=[EMAIL])
    answers = [
        (await api.query(SUBSCRIBE, {"input": {"email": email, "consent": [{"channel": "EMAIL", "granted": True}]}}))
        for email in (known, "unknown@customer.example")
    ]
    assert answers[0].data == answers[1].data
    await drain()
    assert await dev_inbox.list_messages(known) == []
    assert await consent.state(EMAIL, known) is ConsentAction.GRANTED


async def test_erasing_a_person_leaves_a_hashed_suppression(api: Api) -> None:
    ada = await customers.profile(email=ADA, phone=PHONE, consents=[EMAIL, SMS])
    async with db.unit_of_work():
        await erasure.erase_addresses(ada)
    for table in ("consents", "suppressions"):
        rows = await db.fetch(f"SELECT t::text AS row FROM {table} t")
        assert rows
        assert not [row["row"] for row in rows if ADA in row["row"] or PHONE in row["row"]]
    again = await customers.profile(email="other@customer.example")
    await customers.consent(again, EMAIL, ADA)
    assert await permission.marketing(EMAIL, ADA) is MessageReason.SUPPRESSED
    await customers.consent(again, SMS, PHONE)
    assert await permission.marketing(SMS, PHONE) is MessageReason.SUPPRESSED


async def test_a_new_wording_is_a_new_version_and_leaves_the_old_consent_its_own(
    api: Api, drain: Drain, staff_token: str
) -> None:
    await subscribe(api)
    created = await api.ok(
        """
        mutation { consentTextCreate(input: {channel: EMAIL, language: "en", text: "Write to me."}) {
          consentText { id version text } userErrors { code } } }
        """,
        token=staff_token,
    )
    text = created["consentTextCreate"]["consentText"]
    assert (text["version"], text["text"]) == (2, "Write to me.")
    shown = (await api.ok("{ shop { consentTexts { id channel } } }"))["shop"]["consentTexts"]
    assert text["id"] in [one["id"] for one in shown]
    listed = await api.ok(CONSENTS, {"id": await profile_gid()}, token=staff_token)
    assert listed["consents"]["nodes"][0]["text"]["id"] != text["id"]
