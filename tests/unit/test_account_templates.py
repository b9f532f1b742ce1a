"""What people read about their own consent."""

import pytest

from app.messaging.rendering import render_email, render_sms
from app.messaging.sms import SmsEncoding, sms_length

SHOP = {
    "name": "Tradewind Supply",
    "url": "https://shop.example/",
    "email": "hello@shop.example",
    "address": ["12 Harbour Street", "Portland, ME 04101"],
}
VALUES = {
    "language": "en",
    "shop": SHOP,
    "confirmation_url": "https://shop.example/confirm/abc.def",
    "wording": "Yes, Tradewind Supply may send me news & offers.",
    "help_text": None,
    "contact": "hello@shop.example",
}


def test_the_confirmation_has_its_link_the_wording_and_who_asks() -> None:
    mail = render_email("consent_confirmation", VALUES)
    assert mail.subject == "Please confirm your subscription to Tradewind Supply"
    for part in (mail.html, mail.text):
        assert "https://shop.example/confirm/abc.def" in part
        assert "12 Harbour Street" in part
        assert "{{" not in part
    assert "news & offers" in mail.text
    assert "news &amp; offers" in mail.html


def test_the_confirmation_does_without_an_address_of_the_shop() -> None:
    bare = {**VALUES, "shop": {**SHOP, "url": None, "email": None, "address": []}}
    mail = render_email("consent_confirmation", bare)
    assert "This address was entered" in mail.html
    assert "None" not in mail.html + mail.text


@pytest.mark.parametrize("template", ["consent_confirmation", "sms_stopped", "sms_started", "sms_help"])
def test_every_answer_names_the_brand_and_fits_two_segments_of_gsm7(template: str) -> None:
    text = render_sms(template, VALUES)
    assert text.startswith("Tradewind Supply: ")
    assert sms_length(text).encoding is SmsEncoding.GSM_7
    assert sms_length(text).segments <= 2


def test_help_says_how_to_reach_the_shop() -> None:
    assert "hello@shop.example" in render_sms("sms_help", VALUES)
    assert "Call 555-0100" in render_sms("sms_help", {**VALUES, "help_text": "Call 555-0100 on weekdays."})
    assert "Reply STOP" in render_sms("sms_help", {**VALUES, "contact": None})
