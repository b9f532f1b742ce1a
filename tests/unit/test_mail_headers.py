"""What people wrote, in the headers of a mail: text, and never a header."""

import uuid
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from app.addresses.contact import normalise_email
from app.errors import DomainError
from app.messaging import mime
from app.messaging.models import MessagePurpose
from app.messaging.rendering import RenderedEmail

ENCODED = "=?utf-8?q?Ada=0D=0ABcc:_eve@example.com=0D=0A=0D=0AAnother_body?="
TEXTS = (
    ENCODED, f"Hi {ENCODED}!", "=?utf-8?b?QWRhDQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=",
    "=?us-ascii?Q?=0A?= =?us-ascii?Q?To:_x?=",
    "=é?utf-8?q?=0D=0ABcc:_eve@example.com?=", "=(?utf-8?q?=0D=0ABcc:_eve@example.com?=",
    "=\x00?utf-8?q?=0D=0ABcc:_e?=",
    "Ada\r\nBcc: eve@example.com", "Ada\rBcc: e", "Ada\x0bBcc: e", "Ada\x85Bcc: e", "Ada\u2028Bcc: e",
    ENCODED + "x" * 200, "é" * 80 + ENCODED,
)  # fmt: skip


def headers_of(subject: str, shop_name: str) -> list[str]:
    """The names of the headers on the wire."""
    composed = mime.compose(
        message_id=uuid.UUID(int=7),
        purpose=MessagePurpose.MARKETING,
        template="news",
        rendered=RenderedEmail(subject=subject, html="<p>Hello</p>", text="Hello"),
        recipient="ada@example.com",
        email_from="shop@harbour.example",
        reply_to="hello@harbour.example",
        shop_name=shop_name,
        written_at=datetime(2026, 11, 22, tzinfo=UTC),
        unsubscribe_url="https://harbour.example/u/1",
        feedback="welcome",
    )
    sent = message_from_bytes(bytes(composed.mime))
    assert [part.get_content_type() for part in sent.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    return sent.keys()


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_becomes_a_header(text: str) -> None:
    expected = headers_of("News", "Harbour")
    assert headers_of(text, "Harbour") == expected
    assert headers_of("News", text) == expected


def test_an_encoded_word_is_no_part_of_an_address() -> None:
    """`=` and `?` may be in one, but a header with such an address could not be written, and its message never sent."""
    with pytest.raises(DomainError):
        normalise_email("=?utf-8?q?x=0D=0ABcc=3A_eve=40evil.example?=@example.com")
    assert normalise_email("a=b?c@example.com") == "a=b?c@example.com"
