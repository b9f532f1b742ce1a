"""Several providers: who is asked, how often, and what a bad one may cost. With real SMTP servers and a real Redis."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import RedisError

from app import db
from app.cache import cache
from app.messaging import mime, providers, sending, smtp_pool
from app.messaging.models import MessagePurpose
from app.messaging.providers import admission, bulkhead, local
from app.messaging.rendering import RenderedEmail
from app.messaging.smtp import SmtpServer
from app.messaging.transports import (
    Accepted,
    NotYetError,
    OutgoingEmail,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
)
from app.settings import Settings
from tests.factories import messages, shop
from tests.patience import patience
from tests.smtp_server import Mailbox, dripping_server, smtp_server

pytestmark = [pytest.mark.usefixtures("clean_database"), pytest.mark.filterwarnings("ignore:Requiring AUTH")]


@pytest.fixture(autouse=True)
def fresh_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module, name in ((local, "_breakers"), (local, "_lines")):
        monkeypatch.setattr(module, name, {})
    monkeypatch.setattr(admission, "_redis_away_until", 0.0)
    bulkhead._bulkheads.clear()
    yield
    smtp_pool._pools.clear()


def mail(purpose: MessagePurpose = MessagePurpose.TRANSACTIONAL) -> OutgoingEmail:
    return mime.compose(
        message_id=uuid.uuid4(),
        purpose=purpose,
        template="order_confirmation",
        rendered=RenderedEmail("Order 1001", "<p>1001</p>", "1001"),
        recipient="ada@customer.example",
        email_from="Tradewind <shop@shop.example>",
        reply_to=None,
        shop_name="Tradewind",
        written_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )


@pytest.fixture
def through(settings: Settings) -> Callable[..., Settings]:
    """Settings with one SMTP server, given by port, and others to fall back on."""

    def use(*ports: int, options: str = "", timeout_seconds: float = patience(5)) -> Settings:
        names = ("first", "second", "third")
        urls = [
            f"smtp://127.0.0.1:{port}?starttls=off&name={name}{options}"
            for name, port in zip(names, ports, strict=False)
        ]
        return settings.model_copy(
            update={"smtp_url": urls[0], "smtp_fallback_urls": urls[1:], "send_timeout_seconds": timeout_seconds}
        )

    return use


@pytest.fixture
async def closed_port() -> int:
    async with smtp_server(Mailbox()) as mailbox:
        port = mailbox.port
    return port


async def failing(settings: Settings, kind: type[SendError]) -> str:
    with pytest.raises(kind) as caught:
        await providers.send(mail(), settings)
    assert type(caught.value) is kind
    return caught.value.detail


# --- fail-over --------------------------------------------------------------------------------------------------------


async def test_the_next_provider_takes_what_the_first_certainly_did_not(
    through: Callable[..., Settings], closed_port: int
) -> None:
    busy = Mailbox(rcpt_answers=["451 4.7.1 greylisted"])
    async with smtp_server(busy), smtp_server(Mailbox()) as second:
        assert (await providers.send(mail(), through(closed_port, second.port))).provider == "second"
        accepted = await providers.send(mail(), through(busy.port, second.port))
    assert accepted == Accepted("second", "2.0.0 Ok: queued as 4F9D195432C")
    assert busy.received == []
    assert len(second.received) == 2


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (Mailbox(data_answers=[None]), UnknownOutcomeError),
        (Mailbox(rcpt_answers=["550 5.1.1 no such user"]), PermanentSendError),
        (Mailbox(data_answers=["554 5.7.1 spam"]), PermanentSendError),
    ],
)
async def test_no_second_provider_where_the_first_may_have_it_or_the_receiver_is_at_fault(
    through: Callable[..., Settings], first: Mailbox, kind: type[SendError]
) -> None:
    async with smtp_server(first), smtp_server(Mailbox()) as second:
        await failing(through(first.port, second.port), kind)
    assert second.connections == 0


async def test_the_ledger_says_who_took_the_mail(
    through: Callable[..., Settings],
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    drain: Callable[[], Awaitable[None]],
) -> None:
    await shop.shop()
    await messages.happens("order.placed", await messages.placed_order())
    async with smtp_server(Mailbox()) as second:
        changed = through(closed_port, second.port)
        monkeypatch.setattr(sending, "get_settings", lambda: changed)
        await drain()
    (row,) = await messages.ledger()
    assert (row["state"], row["provider"]) == ("SENT", "second")


# --- the breaker ------------------------------------------------------------------------------------------------------


async def test_a_provider_that_fails_five_times_in_a_row_is_left_alone_and_then_tried_by_one_message(
    through: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "OPEN_SECONDS", 300.0)

    async def its_pause_ends() -> None:
        (breaker,) = await cache().keys("*breaker*")
        assert float(await cache().hget(breaker, "open_until")) > 0
        await cache().hset(breaker, "open_until", 1)

    bad = Mailbox(data_answers=["421 4.3.2 shutting down"] * 6)
    async with smtp_server(bad), smtp_server(Mailbox()) as second:
        chosen = through(bad.port, second.port)
        for _ in range(5):
            assert (await providers.send(mail(), chosen)).provider == "second"
        assert bad.connections == 5
        assert (await providers.send(mail(), chosen)).provider == "second"
        assert bad.connections == 5, "it is left alone"
        assert "left alone" in await failing(through(bad.port), TemporarySendError)

        await its_pause_ends()
        results = await asyncio.gather(*(providers.send(mail(), chosen) for _ in range(4)))
        assert {result.provider for result in results} == {"second"}
        assert bad.connections == 6, "one message tries, and fails"
        await its_pause_ends()
        assert (await providers.send(mail(), chosen)).provider == "first"
        assert (await providers.send(mail(), chosen)).provider == "first"
    assert await cache().keys("*breaker*") == []


async def test_a_success_in_between_and_refused_receivers_open_nothing(through: Callable[..., Settings]) -> None:
    well = Mailbox(rcpt_answers=["550 5.1.1 no such user", "451 4.7.1 greylisted"] * 5)
    async with smtp_server(well):
        for _ in range(5):
            await failing(through(well.port), PermanentSendError)
            await failing(through(well.port), TemporarySendError)
        now_and_then = ["421 4.3.2 no"] * 4 + ["250 2.0.0 Ok"] + ["421 4.3.2 no"] * 4 + ["250 2.0.0 Ok"]
        well.data_answers = [*now_and_then]
        for answer in now_and_then:
            if answer.startswith("2"):
                await providers.send(mail(), through(well.port))
            else:
                await failing(through(well.port), TemporarySendError)


async def test_all_workers_know_and_each_alone_where_redis_is_away(
    through: Callable[..., Settings], closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await failing(through(closed_port), TemporarySendError)
    local._breakers.clear()  # another worker, which has seen none of it
    assert "left alone" in await failing(through(closed_port), TemporarySendError)

    class Away:
        def register_script(self, text: str) -> Any:
            async def call(**given: Any) -> None:
                raise RedisError("away")

            return call

        async def delete(self, *keys: str) -> int:
            raise RedisError("away")

    monkeypatch.setattr(admission, "cache", Away)
    assert "ConnectError" in await failing(through(closed_port), TemporarySendError)
    for _ in range(4):
        await failing(through(closed_port), TemporarySendError)
    assert "left alone" in await failing(through(closed_port), TemporarySendError)
    async with smtp_server(Mailbox()) as second:
        limited = through(closed_port, second.port, options="&per_second=0.5")
        assert (await providers.send(mail(), limited)).provider == "second"
        await failing(limited, NotYetError)


# --- the rate ---------------------------------------------------------------------------------------------------------


async def test_each_message_beyond_the_rate_gets_a_turn_of_its_own(through: Callable[..., Settings]) -> None:
    async with smtp_server(Mailbox()) as mailbox, smtp_server(Mailbox()) as spare:
        limited = through(mailbox.port, spare.port, options="&per_second=1")
        campaign = [mail(MessagePurpose.MARKETING) for _ in range(20)]
        later: dict[uuid.UUID, tuple[float, float]] = {}
        started = time.monotonic()
        for message in campaign:
            asked = time.monotonic()
            try:
                await providers.send(message, limited)
            except NotYetError as error:
                # Somewhere between the two: what came in between is this process's, not the limit's.
                later[message.id] = error.retry_after_seconds + asked, error.retry_after_seconds + time.monotonic()
        at_once = len(mailbox.received)
        assert 2 <= at_once <= 2 + (time.monotonic() - started) + 1, "a burst of one second, then the rate"
        turns = sorted(later.values())
        for (first, first_latest), (second, second_latest) in itertools.pairwise(turns):
            assert second - first_latest < 1.5, turns
            assert second_latest - first > 0.5, turns

        order = await providers.send(mail(), limited)
        assert order.provider == "first", "mail about an order does not wait behind the campaign"
        first_turn = min(later, key=later.__getitem__)
        message = next(message for message in campaign if message.id == first_turn)
        await providers.send(message, limited)
        with pytest.raises(NotYetError):
            await providers.send(mail(MessagePurpose.MARKETING), limited)
    assert spare.connections == 0, "a limit is no reason to go elsewhere"


async def was_sent(message: OutgoingEmail, settings: Settings) -> bool:
    try:
        await providers.send(message, settings)
    except NotYetError:
        return False
    return True


async def test_a_message_whose_turn_comes_later_waits_for_it_without_a_failed_attempt(
    through: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, drain: Callable[[], Awaitable[None]]
) -> None:
    await shop.shop()
    await messages.happens("order.placed", await messages.placed_order())
    async with smtp_server(Mailbox()) as mailbox:
        limited = through(mailbox.port, options="&per_second=0.02")
        while await was_sent(mail(), limited):
            pass
        monkeypatch.setattr(sending, "get_settings", lambda: limited)
        await drain()
        (row,) = await messages.ledger()
        assert row["state"] == "RESERVED"
        assert await db.fetchval("SELECT count(*) FROM events WHERE attempts > 0 AND acknowledged_at IS NULL") == 0
        wait = "SELECT extract(epoch FROM visible_at - clock_timestamp()) FROM events WHERE acknowledged_at IS NULL"
        assert 0 < float(await db.fetchval(wait)) < 2 / 0.02 + 50
        await sending.send(row["id"], attempt=1)  # its turn is there
    (row,) = await messages.ledger()
    assert row["state"] == "SENT"


# --- slow servers and connections -------------------------------------------------------------------------------------


async def test_a_tarpit_holds_few_senders_for_no_longer_than_the_deadline_and_other_mail_goes_elsewhere(
    through: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkhead, "STUCK_SECONDS", 0.2)
    async with dripping_server(b"220 mx.test ESMTP and so on", 0.05) as tarpit, smtp_server(Mailbox()) as second:
        chosen = through(tarpit.port, second.port, options="&connections=2", timeout_seconds=4)
        stuck = [asyncio.create_task(providers.send(mail(), chosen)) for _ in range(2)]
        async with asyncio.timeout(patience(5)):
            while tarpit.connections < 2:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        for _ in range(5):
            assert (await providers.send(mail(), chosen)).provider == "second"
        assert not any(task.done() for task in stuck), "nobody stands in line behind those that are stuck"
        async with asyncio.timeout(patience(5)):
            assert [result.provider for result in await asyncio.gather(*stuck)] == ["second", "second"]


async def test_a_long_line_is_sent_away_for_a_moment_while_it_moves(
    through: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkhead, "MAX_WAITING", 2)
    monkeypatch.setattr(bulkhead, "STUCK_SECONDS", patience(2))
    moves = asyncio.Event()
    async with smtp_server(Mailbox(answers_after=moves)) as slow, smtp_server(Mailbox()) as second:
        chosen = through(slow.port, second.port, options="&connections=2")
        sends = [asyncio.create_task(providers.send(mail(), chosen)) for _ in range(6)]
        async with asyncio.timeout(patience(5)):
            while sum(send.done() for send in sends) < 2:
                await asyncio.sleep(0.01)
        moves.set()
        results = await asyncio.gather(*sends, return_exceptions=True)
    taken = [result for result in results if isinstance(result, Accepted)]
    assert [result.provider for result in taken] == ["first"] * 4
    assert [type(result) for result in results if not isinstance(result, Accepted)] == [NotYetError] * 2
    assert slow.connections == 2


async def test_a_connection_carries_many_mails_and_a_dead_one_costs_none(through: Callable[..., Settings]) -> None:
    async with smtp_server(Mailbox()) as mailbox:
        chosen = through(mailbox.port)
        for _ in range(5):
            await providers.send(mail(), chosen)
        mailbox.rcpt_answers = ["550 5.1.1 no such user"]
        await failing(chosen, PermanentSendError)
        await providers.send(mail(), chosen)
        assert mailbox.connections == 1
        mailbox.hang_up()
        await providers.send(mail(), chosen)
        assert mailbox.connections == 2
        mailbox.data_answers = ["421 4.3.2 restarting"]
        await failing(chosen, TemporarySendError)
        await providers.send(mail(), chosen)
        assert mailbox.connections == 3
    assert len(mailbox.received) == 8


async def test_a_connection_is_given_up_after_a_hundred_mails_or_some_seconds(
    through: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_pool, "MAX_MAILS", 2)
    monkeypatch.setattr(smtp_pool, "IDLE_SECONDS", patience(5))
    async with smtp_server(Mailbox()) as mailbox:
        chosen = through(mailbox.port)
        for _ in range(2):
            await providers.send(mail(), chosen)
        (pool,) = smtp_pool._pools[asyncio.get_running_loop()].values()
        assert (mailbox.connections, pool._waiting) == (1, [])
        monkeypatch.setattr(smtp_pool, "IDLE_SECONDS", 0.1)
        await providers.send(mail(), chosen)
        assert mailbox.connections == 2
        async with asyncio.timeout(patience(5)):
            while pool._waiting:
                await asyncio.sleep(0.05)


async def test_postmark_gets_the_name_that_its_notices_will_have(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.messaging.smtp import _marked

    message = mail()
    marked = _marked(message, SmtpServer.from_url("smtp://key:key@smtp.postmarkapp.com:587"))
    assert (marked["X-PM-KeepID"], marked["X-PM-Metadata-message"]) == ("true", message.id.hex)
    assert message.mime["X-PM-KeepID"] is None
    assert _marked(message, SmtpServer.from_url("smtp://mail.example")) is message.mime


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("smtp://mail.example?nmae=ses", "no option nmae"),
        ("smtp://mail.example?name=a%20b", "option name"),
        ("smtp://mail.example?per_second=fast", "option per_second"),
        ("smtp://mail.example?per_second=0", "option per_second"),
        ("smtp://mail.example?connections=1000", "option connections"),
        ("smtp://mail.example?starttls=maybe", "option starttls"),
    ],
)
def test_a_wrong_option_is_named(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        SmtpServer.from_url(url)


def test_options_say_name_rate_and_connections() -> None:
    server = SmtpServer.from_url("smtps://u:p@email.eu-west-1.amazonaws.com?name=ses&per_second=14&connections=4")
    assert (server.name, server.per_second, server.connections) == ("ses", 14.0, 4)
    assert "p@" not in repr(server)
    assert SmtpServer.from_url("smtp://mail.example").name == "mail.example"
