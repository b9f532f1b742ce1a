"""From a reserved row of the ledger to a message that somebody got, through every way in which that can go wrong."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from app import db
from app.events import delivery
from app.messaging import compiling, providers, rendering, sending
from app.messaging.dev_inbox import list_messages
from app.messaging.models import MessageChannel
from app.messaging.sending import MessageNotSentError
from app.messaging.transports import Accepted, OutgoingMessage
from app.settings import Settings
from tests.factories import customers, messages, shop
from tests.factories.messages import happens, ledger, placed_order
from tests.leases import renewed_lease
from tests.patience import patience
from tests.smtp_server import Mailbox, smtp_server
from tests.written_logs import logging_as_served

CANARY_EMAIL = "canary.8842@customer.example"
CANARY_PHONE = "+14155550188"
Drain = Callable[[], Awaitable[None]]

pytestmark = pytest.mark.usefixtures("clean_database")


@pytest.fixture
async def shop_row(clean_database: None) -> None:
    await shop.shop()


@pytest.fixture
def mail_to(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[[Mailbox], None]:
    """Sends the shop's mail to a test's SMTP server."""

    def use(mailbox: Mailbox, timeout_seconds: float = patience(5)) -> None:
        url = f"smtp://127.0.0.1:{mailbox.port}?starttls=off"
        changed = settings.model_copy(update={"smtp_url": url, "send_timeout_seconds": timeout_seconds})
        monkeypatch.setattr(sending, "get_settings", lambda: changed)

    return use


async def reserved(drain: Drain, **order: Any) -> uuid.UUID:
    """The id of a reserved confirmation; its event waits."""
    await happens("order.placed", await placed_order(**order))
    (event,) = await db.fetch("SELECT id FROM events WHERE type = 'order.placed'")
    await delivery.deliver(event["id"])
    (row,) = await ledger()
    assert row["state"] == "RESERVED"
    message_id: uuid.UUID = row["id"]
    return message_id


async def state_of(message_id: uuid.UUID) -> tuple[str, str | None, str | None]:
    row = await db.fetchrow("SELECT state, reason, detail FROM messages WHERE id = $1", message_id)
    assert row is not None
    return row["state"], row["reason"], row["detail"]


async def lease_ran_out(message_id: uuid.UUID) -> None:
    await db.execute(
        "UPDATE messages SET leased_until = clock_timestamp() - interval '1 second' WHERE id = $1", message_id
    )


async def test_a_cancellation_between_reserving_and_sending_wins(shop_row: None, drain: Drain) -> None:
    message_id = await reserved(drain)
    await db.execute("UPDATE orders SET status = 'CANCELLED'")
    await drain()
    assert await state_of(message_id) == ("SKIPPED", "ORDER_CANCELLED", None)
    assert await list_messages() == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_an_unrenderable_message_fails_with_its_cause_and_is_never_sent(
    shop_row: None, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain)
    broken = compiling.text_environment().from_string("{{ order.nothing }}", name="order_confirmation.txt.liquid")
    monkeypatch.setattr(rendering, "_file", lambda name: broken)
    rendering._email.cache_clear()
    try:
        await drain()
    finally:
        rendering._email.cache_clear()
    state, reason, detail = await state_of(message_id)
    assert (state, reason) == ("FAILED", "RENDERING_FAILED")
    assert "order_confirmation.txt.liquid" in (detail or "")
    assert "nothing" in (detail or "")
    assert await list_messages() == []


async def test_a_refused_receiver_fails_at_once(
    shop_row: None, drain: Drain, mail_to: Callable[[Mailbox], None]
) -> None:
    message_id = await reserved(drain)
    mailbox = Mailbox(rcpt_answers=["550 5.1.1 no such user"])
    async with smtp_server(mailbox):
        mail_to(mailbox)
        await drain()
        await drain()
    assert await state_of(message_id) == ("FAILED", "REFUSED", "550 5.1.1")
    assert mailbox.connections == 1
    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_a_busy_server_is_tried_again_until_it_takes_the_mail(
    shop_row: None, drain: Drain, mail_to: Callable[[Mailbox], None]
) -> None:
    message_id = await reserved(drain)
    mailbox = Mailbox(rcpt_answers=["451 4.7.1 greylisted"], data_answers=["452 4.3.1 full"])
    async with smtp_server(mailbox):
        mail_to(mailbox)
        for attempt in (1, 2):
            with pytest.raises(MessageNotSentError):
                await sending.send(message_id, attempt=attempt)
            assert (await state_of(message_id))[0] == "RESERVED"
        await sending.send(message_id, attempt=3)
    assert await state_of(message_id) == ("SENT", None, None)
    assert len(mailbox.received) == 1
    assert (await ledger())[0]["attempts"] == 3
    assert (await ledger())[0]["provider_reference"] == "2.0.0 Ok: queued as 4F9D195432C"


async def test_a_server_that_stays_away_is_asked_for_a_day_and_then_leaves_a_dead_letter_that_can_be_replayed(
    shop_row: None, drain: Drain, mail_to: Callable[[Mailbox], None]
) -> None:
    message_id = await reserved(drain)
    async with smtp_server(Mailbox()) as mailbox:
        pass
    mail_to(mailbox)
    last = delivery.MAX_ATTEMPTS
    # The round's last attempt: pause, and start over with a new event.
    await sending.send(message_id, attempt=last)
    assert (await state_of(message_id))[0] == "RESERVED"
    waiting = "SELECT count(*) FROM events WHERE type = 'message.reserved' AND leased_until > clock_timestamp()"
    assert await db.fetchval(waiting) == 1

    await db.execute("UPDATE messages SET created_at = created_at - interval '25 hours'")
    with pytest.raises(MessageNotSentError):
        await sending.send(message_id, attempt=last)
    state, reason, detail = await state_of(message_id)
    assert (state, reason) == ("FAILED", "RETRIES_EXHAUSTED")
    assert detail == "SMTPConnectError before the message was handed over"
    await sending.send(message_id, attempt=2)
    assert (await state_of(message_id))[0] == "FAILED", "only a replay, whose first attempt is 1, wakes it up"

    async with smtp_server(mailbox):
        mail_to(mailbox)
        await sending.send(message_id, attempt=1)
    assert await state_of(message_id) == ("SENT", None, None)
    assert len(mailbox.received) == 1


async def test_the_dead_letter_of_an_exhausted_message_shows_no_address(
    shop_row: None, drain: Drain, mail_to: Callable[[Mailbox], None]
) -> None:
    message_id = await reserved(drain, email=CANARY_EMAIL)
    await db.execute("UPDATE messages SET created_at = created_at - interval '25 hours'")
    async with smtp_server(Mailbox(rcpt_answers=[f"451 <{CANARY_EMAIL}> busy"])) as mailbox:
        mail_to(mailbox)
        event_id = await db.fetchval("SELECT id FROM events WHERE type = 'message.reserved'")
        await db.execute("UPDATE events SET attempts = $1 WHERE id = $2", delivery.MAX_ATTEMPTS - 1, event_id)
        await delivery.deliver(event_id)
    assert await state_of(message_id) == ("FAILED", "RETRIES_EXHAUSTED", "451")
    (letter,) = await db.fetch("SELECT handler, cause FROM dead_letters")
    assert letter["handler"] == "messaging.send"
    assert "451" in letter["cause"]
    assert CANARY_EMAIL not in letter["cause"]


async def test_mail_of_unknown_outcome_is_sent_again_with_the_same_message_id(
    shop_row: None, drain: Drain, mail_to: Callable[[Mailbox], None]
) -> None:
    message_id = await reserved(drain)
    mailbox = Mailbox(data_answers=[None])
    async with smtp_server(mailbox):
        mail_to(mailbox)
        with pytest.raises(MessageNotSentError):
            await sending.send(message_id, attempt=1)
        assert (await state_of(message_id))[:2] == ("UNKNOWN", "NO_ANSWER")
        await sending.send(message_id, attempt=2)
    assert await state_of(message_id) == ("SENT", None, None)
    first, second = (envelope.content for envelope in mailbox.received)
    assert first == second, "the repetition is the same mail, its Message-ID and Date included"


async def test_a_server_that_never_says_yes_is_not_sent_the_same_mail_for_ever(
    shop_row: None, drain: Drain, mail_to: Callable[[Mailbox], None]
) -> None:
    message_id = await reserved(drain)
    mailbox = Mailbox(data_answers=[None] * 20)
    async with smtp_server(mailbox):
        mail_to(mailbox)
        for attempt in range(1, 10):
            try:
                await sending.send(message_id, attempt=attempt)
            except MessageNotSentError:
                continue
    assert (await state_of(message_id))[:2] == ("UNKNOWN", "NO_ANSWER")
    assert len(mailbox.received) == sending.MAX_UNANSWERED_ATTEMPTS


# --- crashes and races ------------------------------------------------------------------------------------------------


async def die_after_sending(message_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends between the provider's answer and the note in the ledger."""

    async def die(*args: object, **kwargs: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("app.messaging.ledger.settle", die)
        with pytest.raises(KeyboardInterrupt):
            await sending.send(message_id, attempt=1)
    await lease_ran_out(message_id)


async def test_a_crash_after_sending_repeats_the_mail_which_its_reader_sees_once(
    shop_row: None, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain)
    await die_after_sending(message_id, monkeypatch)
    assert (await state_of(message_id))[0] == "SENDING"
    await drain()
    assert await state_of(message_id) == ("SENT", None, None)
    (mail,) = await list_messages()
    assert mail.deliveries == 2


async def test_a_crash_after_sending_a_text_leaves_it_unknown_and_does_not_repeat_it(
    shop_row: None, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain, email=None, phone=CANARY_PHONE)
    await die_after_sending(message_id, monkeypatch)
    await drain()
    assert await state_of(message_id) == ("UNKNOWN", "PROCESS_DIED", None)
    (text,) = await list_messages()
    assert text.deliveries == 1


async def test_a_crash_after_sending_marketing_leaves_it_unknown_and_does_not_repeat_it(
    shop_row: None, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain)
    reader = await customers.profile(email="ada@customer.example", consents=[MessageChannel.EMAIL])
    await db.execute("UPDATE messages SET purpose = 'MARKETING', profile_id = $1", reader)
    await die_after_sending(message_id, monkeypatch)
    await drain()
    assert await state_of(message_id) == ("UNKNOWN", "PROCESS_DIED", None)
    (mail,) = await list_messages()
    assert mail.deliveries == 1
    assert "Auto-Submitted" not in mail.headers


async def test_a_message_that_another_process_is_sending_is_left_alone(shop_row: None, drain: Drain) -> None:
    message_id = await reserved(drain)
    await db.execute(
        """
        UPDATE messages SET state = 'SENDING', attempts = 1, leased_until = clock_timestamp() + interval '1 minute'
        """
    )
    with pytest.raises(MessageNotSentError):
        await sending.send(message_id, attempt=1)
    assert await list_messages() == []


async def test_many_processes_send_one_message_once(shop_row: None, drain: Drain) -> None:
    message_id = await reserved(drain)
    results = await asyncio.gather(*(sending.send(message_id, attempt=1) for _ in range(20)), return_exceptions=True)
    assert all(result is None or isinstance(result, MessageNotSentError) for result in results)
    assert await state_of(message_id) == ("SENT", None, None)
    (mail,) = await list_messages()
    assert mail.deliveries == 1


async def test_a_process_that_was_thought_dead_cannot_overwrite_its_successor(
    shop_row: None, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain)
    sends = 0
    real = providers.send

    async def slow(message: OutgoingMessage, settings: Settings) -> Accepted:
        nonlocal sends
        sends += 1
        if sends == 1:
            await lease_ran_out(message_id)
            await sending.send(message_id, attempt=2)
            assert (await state_of(message_id))[0] == "SENT"
            raise sending.PermanentSendError("too late to matter")
        return await real(message, settings)

    monkeypatch.setattr(providers, "send", slow)
    await sending.send(message_id, attempt=1)
    assert sends == 2
    assert await state_of(message_id) == ("SENT", None, None)


async def test_a_long_send_keeps_its_claim(
    shop_row: None, drain: Drain, mail_to: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain)
    monkeypatch.setattr(sending, "RENEW_EVERY_SECONDS", 0.05)
    monkeypatch.setattr("app.messaging.ledger.LEASE_SECONDS", patience(5))
    answered = asyncio.Event()
    async with smtp_server(Mailbox(answers_after=answered)) as mailbox:
        mail_to(mailbox)
        first = asyncio.create_task(sending.send(message_id, attempt=1))
        claim = "SELECT leased_until FROM messages WHERE id = $1"
        claimed_until: datetime | None = None
        for _ in range(3):
            claimed_until = await renewed_lease(claim, message_id, after=claimed_until)
            with pytest.raises(MessageNotSentError, match="another process"):
                await sending.send(message_id, attempt=2)
        answered.set()
        await first
    assert len(mailbox.received) == 1


async def test_a_lost_connection_while_the_mail_goes_out_does_not_send_it_twice(
    shop_row: None, drain: Drain, mail_to: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await reserved(drain)

    async def lost(*_: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    monkeypatch.setattr(sending, "RENEW_EVERY_SECONDS", 0.05)
    monkeypatch.setattr("app.messaging.ledger.renew", lost)
    async with smtp_server(Mailbox(answers_after_seconds=0.1)) as mailbox:
        mail_to(mailbox)
        await sending.send(message_id, attempt=1)
        await drain()
    assert await state_of(message_id) == ("SENT", None, None)
    assert len(mailbox.received) == 1


# --- privacy ----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["json", "console"])
def written(
    request: pytest.FixtureRequest, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[], str]]:
    """Logs as a running shop writes them, in both formats."""
    with logging_as_served(settings, log_format=request.param):
        yield lambda: capsys.readouterr().err


async def test_no_address_reaches_the_logs(
    shop_row: None,
    drain: Drain,
    mail_to: Callable[[Mailbox], None],
    written: Callable[[], str],
) -> None:
    await reserved(drain, email=CANARY_EMAIL)
    mailbox = Mailbox(rcpt_answers=[f"451 <{CANARY_EMAIL}> busy", f"550 <{CANARY_EMAIL}> unknown"])
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the test's own server
    async with smtp_server(mailbox):
        mail_to(mailbox)
        event_id = await db.fetchval("SELECT id FROM events WHERE type = 'message.reserved'")
        for _ in range(2):
            await db.execute("UPDATE events SET leased_until = NULL WHERE id = $1", event_id)
            await delivery.deliver(event_id)
    assert (await ledger())[0]["state"] == "FAILED"
    logged = written()
    assert "message not sent" in logged
    assert "event handler failed" in logged
    for personal in (CANARY_EMAIL, "Lovelace", messages.ADDRESS["address1"]):
        assert personal not in logged
