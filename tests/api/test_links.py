"""Links in messages: where they lead, and whose clicks count."""

import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from app.messaging import clicks, tracked_links
from app.messaging.dev_inbox import InboxMessage, list_messages
from app.messaging.marketing import Reserved
from app.messaging.models import MessageChannel
from app.settings import Settings
from tests.client import Api
from tests.factories import shop
from tests.factories.marketing import BROWSER, EMAIL, MJML, PHONE, TEXT, reserve, subscriber, template

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]


@pytest.fixture(autouse=True)
async def shop_row(clean_database: None) -> None:
    await shop.shop()


async def sent(drain: Drain, **more: Any) -> tuple[uuid.UUID, InboxMessage]:
    await template()
    ada = await subscriber()
    outcome = await reserve(ada, **more)
    assert isinstance(outcome, Reserved)
    await drain()
    (mail,) = await list_messages(EMAIL)
    return outcome.message_id, mail


def links_of(mail: InboxMessage, settings: Settings) -> list[str]:
    """The counted links of the mail, as paths, each once."""
    found = re.findall(re.escape(settings.public_url) + r"(/l/[\w-]+)", mail.html or "")
    return list(dict.fromkeys(found))


async def timeline() -> list[str]:
    rows = await db.fetch("SELECT type FROM profile_events WHERE type LIKE 'message.%' ORDER BY id")
    return [row["type"] for row in rows]


async def test_a_link_leads_where_it_was_to_lead_with_where_it_came_from(
    api: Api, drain: Drain, settings: Settings
) -> None:
    _, mail = await sent(drain)
    first, second = links_of(mail, settings)
    answer = await api.http.get(first, headers=BROWSER)
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://shop.example/new"  # another site's link is left as it is
    assert answer.headers["cache-control"] == "no-store"
    own = (await api.http.get(second, headers=BROWSER)).headers["location"]
    assert own == f"{settings.public_url}/?utm_source=tradewind&utm_medium=email&utm_campaign=news&utm_content=news"
    # The same link in the text part is the same link.
    assert f"{settings.public_url}{second}" in mail.text


async def test_links_to_opt_out_are_not_rewritten(drain: Drain, settings: Settings) -> None:
    _, mail = await sent(drain)
    for path in ("/unsubscribe/", "/preferences/", "/messages/"):
        assert f'href="{settings.public_url}{path}' in (mail.html or ""), path
    assert f"{settings.public_url}/unsubscribe/" in mail.text


async def test_the_first_click_of_a_person_is_on_their_timeline_once(
    api: Api, drain: Drain, advance: Advance, settings: Settings
) -> None:
    message_id, mail = await sent(drain)
    await advance("PT1H")
    first, second = links_of(mail, settings)
    for link in (first, first, second):
        await api.http.get(link, headers=BROWSER)
    assert await timeline() == ["message.clicked"]
    data = await db.fetchval("SELECT data->>'url' FROM profile_events WHERE type = 'message.clicked'")
    assert data == "https://shop.example/new"
    assert await db.fetchval("SELECT clicked_at IS NOT NULL FROM messages WHERE id = $1", message_id)
    assert await db.fetchval("SELECT count(*) FROM message_clicks WHERE NOT is_bot") == 3


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", BROWSER),
        ("GET", {**BROWSER, "Sec-Purpose": "prefetch;prerender"}),
        ("GET", {**BROWSER, "Purpose": "prefetch"}),
        ("GET", {**BROWSER, "X-Moz": "prefetch"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Barracuda Sentinel (EE)"}),
        ("GET", {"User-Agent": ""}),
    ],
)
async def test_machines_get_where_the_link_leads_and_are_not_counted(
    api: Api, drain: Drain, advance: Advance, settings: Settings, method: str, headers: dict[str, str]
) -> None:
    _, mail = await sent(drain)
    await advance("PT1H")
    answer = await api.http.request(method, links_of(mail, settings)[0], headers=headers)
    assert answer.status_code == 302
    assert [row["is_bot"] for row in await db.fetch("SELECT is_bot FROM message_clicks")] == [True]
    assert await timeline() == []
    assert await db.fetchval("SELECT clicked_at FROM messages") is None


async def test_whoever_opens_every_link_within_seconds_of_the_sending_is_no_person(
    api: Api, drain: Drain, advance: Advance, settings: Settings
) -> None:
    _, mail = await sent(drain)
    for link in links_of(mail, settings):
        await api.http.get(link, headers=BROWSER)
    await advance("PT1M")
    assert await db.fetchval("SELECT bool_and(is_bot) FROM message_clicks")
    assert await timeline() == []
    await api.http.get(links_of(mail, settings)[0], headers=BROWSER)
    assert await timeline() == ["message.clicked"]


async def test_one_quick_click_counts_when_the_scanners_moment_has_passed(
    api: Api, drain: Drain, advance: Advance, settings: Settings
) -> None:
    _, mail = await sent(drain)
    await api.http.get(links_of(mail, settings)[0], headers=BROWSER)
    assert await timeline() == []
    await advance("PT1M")
    assert await timeline() == ["message.clicked"]


async def test_a_code_that_nobody_was_sent_leads_nowhere(api: Api) -> None:
    for code in ("x", "A" * 12, "https%3A%2F%2Fevil.example"):
        answer = await api.http.get(f"/l/{code}", headers=BROWSER)
        assert answer.status_code == 404
        assert "location" not in answer.headers
    assert await db.fetchval("SELECT count(*) FROM message_clicks") == 0


async def test_a_repetition_has_the_same_links(settings: Settings) -> None:
    message_id = uuid.uuid4()
    codes = {tracked_links.code_of(message_id, position, settings) for position in range(50)}
    assert len(codes) == 50
    assert codes == {tracked_links.code_of(message_id, position, settings) for position in range(50)}
    assert tracked_links.code_of(uuid.uuid4(), 0, settings) not in codes


async def test_a_text_message_has_short_links(api: Api, drain: Drain, settings: Settings) -> None:
    await template("text", channel=MessageChannel.SMS, text="{{ shop.name }}: see {{ links.shop }}.")
    ada = await subscriber()
    # Day everywhere in America, whenever the tests run.
    await clock.move_to((await clock.now()).replace(hour=18, minute=0) + timedelta(days=1))
    await reserve(ada, channel=MessageChannel.SMS, template_key="text")
    await drain()
    (text,) = await list_messages(PHONE)
    found = re.search(re.escape(settings.public_url) + r"(/l/[\w-]{12})\. ", text.text)
    assert found
    location = (await api.http.get(found[1], headers=BROWSER)).headers["location"]
    assert "utm_medium=sms" in location
    assert await db.fetchval("SELECT segments FROM messages") == 1


async def test_a_value_cannot_make_a_link_that_runs(drain: Drain) -> None:
    page = MJML.replace("https://shop.example/new", "{{ customer.properties.site }}")
    await template(mjml=page)
    ada = await subscriber()
    await db.execute("""UPDATE profiles SET properties = '{"site": "javascript:alert(1)"}' WHERE id = $1""", ada)
    await reserve(ada)
    await drain()
    (mail,) = await list_messages(EMAIL)
    assert "javascript:" not in (mail.html or "")


async def test_what_a_shopper_typed_makes_no_link_of_the_shop(drain: Drain) -> None:
    """A name or a note with an address in it, mailed to oneself, would be a redirect on the shop's own domain."""
    elsewhere = "https://phishing.example/login https://[broken"
    await template(text=TEXT + "\nFor {{ customer.first_name }}. More: https://shop.example/new")
    await reserve(await subscriber(first_name=elsewhere))
    await drain()
    (mail,) = await list_messages(EMAIL)
    assert elsewhere in mail.text
    urls = [row["url"] for row in await db.fetch("SELECT url FROM message_links")]
    assert "https://shop.example/new" in urls
    assert not [url for url in urls if "phishing" in url or "broken" in url]


def test_what_opens_something_is_left_out_of_what_is_recorded() -> None:
    url = "https://api.shop.example/cart/restore/ImFiY2RlZiI.Sf3_x-Yz?utm_source=x#y"
    assert clicks.without_secrets(url) == "https://api.shop.example/cart/restore/…"
    plain = "https://shop.example/products/harbour-sweater-navy-blue"
    assert clicks.without_secrets(plain) == plain


async def test_the_message_can_be_read_as_a_page_that_runs_nothing(api: Api, drain: Drain, settings: Settings) -> None:
    _, mail = await sent(drain)
    path = re.search(re.escape(settings.public_url) + r"(/messages/[^\"]+)", mail.html or "")
    assert path
    page = await api.http.get(path[1], headers=BROWSER)
    assert page.status_code == 200
    assert "News from Tradewind Supply" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "sandbox" in page.headers["content-security-policy"]
    assert (await api.http.get("/messages/forged", headers=BROWSER)).status_code == 404
