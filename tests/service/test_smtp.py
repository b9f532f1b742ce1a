"""Mail over a real SMTP server: what goes over the wire, and what each kind of failure means."""

import email
import email.policy
import ssl
import time
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.messaging import mime
from app.messaging.models import MessagePurpose
from app.messaging.rendering import RenderedEmail
from app.messaging.smtp import SmtpServer, SmtpTransport, check_smtp
from app.messaging.transports import (
    OutgoingEmail,
    PermanentSendError,
    SendError,
    TemporarySendError,
    UnknownOutcomeError,
)
from tests.environment import make_settings
from tests.patience import patience
from tests.smtp_server import Mailbox, dripping_server, smtp_server

# The test server may offer AUTH without TLS: it is on this machine.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

TLS_FILES = Path(__file__).parent.parent / "fixtures" / "tls"
MESSAGE_ID = uuid.UUID("0193c1d2-0000-7000-8000-000000000001")
CANARY = "canary.8842@customer.example"


def outgoing(
    recipient: str = CANARY, subject: str = "Order 1001 confirmed", email_from: str = "Tradewind <shop@shop.example>"
) -> OutgoingEmail:
    return mime.compose(
        message_id=MESSAGE_ID,
        purpose=MessagePurpose.TRANSACTIONAL,
        template="order_confirmation",
        rendered=RenderedEmail(subject, "<p>Grüße — <b>1001</b></p>", "Grüße — 1001\n.\nend\n"),
        recipient=recipient,
        email_from=email_from,
        reply_to="hello@shop.example",
        shop_name="Tradewind Supply",
        written_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )


def transport(port: int, options: str = "?starttls=off", scheme: str = "smtp", timeout: float = 5) -> SmtpTransport:
    return SmtpTransport(SmtpServer.from_url(f"{scheme}://127.0.0.1:{port}{options}"), timeout)


def parsed(mailbox: Mailbox, index: int = 0) -> EmailMessage:
    content = mailbox.received[index].content
    assert isinstance(content, bytes)
    return email.message_from_bytes(content, EmailMessage, policy=email.policy.default)


async def failing(mailbox: Mailbox, kind: type[SendError], detail: str) -> None:
    async with smtp_server(mailbox):
        with pytest.raises(kind) as caught:
            await transport(mailbox.port).send(outgoing())
    assert type(caught.value) is kind
    assert caught.value.detail == detail
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "the library's error quotes the address, and logs print the chain"


async def test_the_mail_arrives_with_its_headers_and_both_parts() -> None:
    async with smtp_server(Mailbox()) as mailbox:
        reference = await transport(mailbox.port).send(outgoing())
    assert reference == "2.0.0 Ok: queued as 4F9D195432C"
    envelope = mailbox.received[0]
    assert envelope.mail_from == "shop@shop.example"
    assert envelope.rcpt_tos == [CANARY]
    mail = parsed(mailbox)
    assert mail["From"] == "Tradewind <shop@shop.example>"
    assert mail["To"] == CANARY
    assert mail["Reply-To"] == "Tradewind Supply <hello@shop.example>"
    assert mail["Subject"] == "Order 1001 confirmed"
    assert mail["Date"] == "Sun, 22 Nov 2026 12:00:00 +0000"
    assert mail["Message-ID"] == f"<{MESSAGE_ID.hex}@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Content-Language"] == "en"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == "Grüße — 1001\n.\nend\n"
    assert "Grüße — <b>1001</b>" in html.get_content()
    content = envelope.content
    assert isinstance(content, bytes)
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


async def test_letters_outside_ascii_in_names_subjects_and_domains() -> None:
    mail = outgoing("ada@bücher.example", "Bestätigt: 1001 ✓", "Bücher & Co. <shop@bücher.example>")
    async with smtp_server(Mailbox()) as mailbox:
        await transport(mailbox.port).send(mail)
    assert mailbox.received[0].rcpt_tos == ["ada@xn--bcher-kva.example"]
    assert parsed(mailbox)["Subject"] == "Bestätigt: 1001 ✓"
    assert parsed(mailbox)["From"].addresses[0].display_name == "Bücher & Co."
    assert parsed(mailbox)["Message-ID"] == f"<{MESSAGE_ID.hex}@xn--bcher-kva.example>"


@settings(max_examples=200, deadline=None)
@given(name=st.text("aÄ,<>\"\\@;:().[] \u2603'\r\n", max_size=120), box=st.integers(1, 40))
@example(name="Johnson, Smith, Williams and Partners Fine Furniture Trading Company, Inc. of Portland", box=4)
@example(name='"' * 30, box=4)
def test_whatever_the_shop_is_called_the_sender_is_one_address(name: str, box: int) -> None:
    addr_spec = f"{'s' * box}@shop.example"
    mail = mime.compose(
        message_id=MESSAGE_ID,
        purpose=MessagePurpose.TRANSACTIONAL,
        template="order_confirmation",
        rendered=RenderedEmail("Order 1001 confirmed", "<p>Hi</p>", "Hi"),
        recipient=CANARY,
        email_from=addr_spec,
        reply_to=addr_spec,
        shop_name=name,
        written_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )
    read = email.message_from_bytes(mail.mime.as_bytes(), EmailMessage, policy=email.policy.default)
    for header in ("From", "Reply-To"):
        assert [one.addr_spec for one in read[header].addresses] == [addr_spec]
    assert read["Subject"] == "Order 1001 confirmed"


@pytest.mark.parametrize(
    "recipient",
    [
        "ada@customer.example\r\nBcc: x@evil.example",
        "ada@customer.example\nRCPT TO:<x@evil.example>",
        "ada@customer.example, x@evil.example",
        "Ada <ada@customer.example>",
        "ada@customer.example\x00",
        "",
    ],
)
async def test_a_recipient_that_is_not_one_address_is_refused(recipient: str) -> None:
    with pytest.raises(PermanentSendError):
        outgoing(recipient)


async def test_a_subject_cannot_add_headers() -> None:
    async with smtp_server(Mailbox()) as mailbox:
        await transport(mailbox.port).send(outgoing(subject="Order\r\nBcc: x@evil.example\r\n\r\nbody"))
    assert parsed(mailbox)["Bcc"] is None
    assert parsed(mailbox)["Subject"] == "Order Bcc: x@evil.example body"
    assert mailbox.received[0].rcpt_tos == [CANARY]


async def test_a_sender_that_is_no_address_waits_for_somebody_to_mend_it() -> None:
    with pytest.raises(TemporarySendError, match="EMAIL_FROM"):
        outgoing(email_from="Tradewind\r\nBcc: x@evil.example <shop@shop.example>")


async def test_a_refused_recipient_is_final() -> None:
    mailbox = Mailbox(rcpt_answers=[f"550 5.1.1 <{CANARY}>: user unknown"])
    await failing(mailbox, PermanentSendError, "550 5.1.1")
    assert mailbox.received == []


async def test_refused_content_is_final() -> None:
    await failing(Mailbox(data_answers=[f"554 5.7.1 spam from {CANARY}"]), PermanentSendError, "554 5.7.1")


async def test_a_server_that_is_busy_is_asked_again() -> None:
    mailbox = Mailbox(rcpt_answers=["451 4.7.1 Greylisted"], data_answers=["452 disk full"])
    await failing(mailbox, TemporarySendError, "451 4.7.1")
    await failing(mailbox, TemporarySendError, "452")
    async with smtp_server(mailbox):
        await transport(mailbox.port).send(outgoing())
    assert len(mailbox.received) == 1


async def test_a_broken_connection_after_the_message_was_handed_over_leaves_the_outcome_open() -> None:
    mailbox = Mailbox(data_answers=[None])
    await failing(mailbox, UnknownOutcomeError, "SMTPServerDisconnected after the message was handed over")
    assert len(mailbox.received) == 1


async def test_a_server_that_is_away_is_temporary() -> None:
    async with smtp_server(Mailbox()) as mailbox:
        port = mailbox.port
    with pytest.raises(TemporarySendError, match="before the message was handed over"):
        await transport(port).send(outgoing())


@pytest.mark.parametrize("line", [b"220-welcome to a very slow server\r\n", b"2"])
async def test_the_deadline_holds_against_a_server_that_drips(line: bytes) -> None:
    async with dripping_server(line, 0.05) as server:
        started = time.monotonic()
        with pytest.raises(TemporarySendError):
            await transport(server.port, timeout=0.4).send(outgoing())
    assert time.monotonic() - started < patience(2)


async def test_the_deadline_is_for_the_whole_send_and_not_for_each_answer() -> None:
    mailbox = Mailbox(answers_after_seconds=0.8)
    async with smtp_server(mailbox):
        with pytest.raises(UnknownOutcomeError, match="TimeoutError after"):
            await transport(mailbox.port, timeout=1.4).send(outgoing())


# --- TLS and sign-in --------------------------------------------------------------------------------------------------


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS_FILES / "server.crt", TLS_FILES / "server.key")
    return context


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS_FILES / "server.crt"))


async def test_starttls_is_required_unless_the_url_says_otherwise() -> None:
    async with smtp_server(Mailbox()) as mailbox:
        with pytest.raises(TemporarySendError, match="STARTTLS"):
            await transport(mailbox.port, options="").send(outgoing())
        assert mailbox.received == []
        await transport(mailbox.port, options="?starttls=optional").send(outgoing())
    assert len(mailbox.received) == 1


async def test_starttls_and_sign_in(tls: ssl.SSLContext, trusted: None) -> None:
    mailbox = Mailbox()
    async with smtp_server(mailbox, tls_context=tls, require_starttls=True, login=("me", "p@ss")):
        await SmtpTransport(SmtpServer.from_url(f"smtp://me:p%40ss@127.0.0.1:{mailbox.port}"), 5).send(outgoing())
    assert len(mailbox.received) == 1


async def test_tls_from_the_start(tls: ssl.SSLContext, trusted: None) -> None:
    async with smtp_server(Mailbox(), tls=tls) as mailbox:
        await transport(mailbox.port, options="", scheme="smtps").send(outgoing())
    assert len(mailbox.received) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(tls: ssl.SSLContext) -> None:
    async with smtp_server(Mailbox(), tls=tls) as mailbox:
        with pytest.raises(TemporarySendError, match="TLS"):
            await transport(mailbox.port, options="", scheme="smtps").send(outgoing())
    assert mailbox.received == []


async def test_a_refused_sign_in_is_our_own_fault_and_temporary() -> None:
    mailbox = Mailbox()
    async with smtp_server(mailbox, login=("me", "right")):
        server = SmtpServer.from_url(f"smtp://me:wrong@127.0.0.1:{mailbox.port}?starttls=off")
        with pytest.raises(TemporarySendError, match="535"):
            await SmtpTransport(server, 5).send(outgoing())
    assert mailbox.received == []


@pytest.mark.parametrize(
    "url",
    ["http://host", "smtp://", "smtp://u:secret@host?starttls=maybe", "smtp://host?tls=1", "smtp://u:secret@host:x"],
)
def test_a_malformed_url_is_refused_without_quoting_the_password(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        SmtpServer.from_url(url)
    assert "secret" not in str(caught.value)


# --- tradewind doctor -------------------------------------------------------------------------------------------------


async def problem(url: str | None, **more: object) -> str | None:
    return await check_smtp(make_settings("postgres://x@localhost/x", "redis://localhost", smtp_url=url, **more))


async def test_the_check_says_what_is_wrong_in_words_and_sends_nothing(tls: ssl.SSLContext) -> None:
    assert await problem(None) is None
    async with smtp_server(Mailbox()) as mailbox:
        assert await problem(f"smtp://127.0.0.1:{mailbox.port}?starttls=off") is None
        assert "no STARTTLS" in (await problem(f"smtp://127.0.0.1:{mailbox.port}") or "")
        assert mailbox.received == []
    assert "cannot be reached" in (await problem(f"smtp://127.0.0.1:{mailbox.port}?starttls=off") or "")
    async with smtp_server(Mailbox(), login=("me", "right")) as mailbox:
        wrong = await problem(f"smtp://me:wrong@127.0.0.1:{mailbox.port}?starttls=off") or ""
        assert "refused the user name or password" in wrong
    async with smtp_server(Mailbox(), tls=tls) as mailbox:
        assert "certificate" in (await problem(f"smtps://127.0.0.1:{mailbox.port}") or "")
    assert "smtp://" in (await problem("localhost:25") or "")
    assert await problem(None, email_reply_to="nobody") == "EMAIL_REPLY_TO is not an email address"
    assert "EMAIL_FROM is not set" in (await problem("smtp://127.0.0.1:1", TRADEWIND_ENV="production") or "")
