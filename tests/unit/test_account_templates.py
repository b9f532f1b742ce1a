"""What people read about their own consent and account."""

import pytest

from app.messaging import account_mails
from app.messaging.rendering import render_email, render_sms
from app.messaging.sms import SmsEncoding, sms_length

SHOP = {
    "name": "Tradewind Supply",
    "url": "https://shop.example/",
    "email": "hello@shop.example",
    "address": ["12 Harbour Street", "Portland, ME 04101"],
}
LINK = "https://shop.example/account/sign-in/abc"
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


@pytest.mark.parametrize("template", sorted(account_mails.TEMPLATES))
def test_mail_about_an_account_names_the_shop_has_its_link_and_nothing_else(template: str) -> None:
    bare = {**SHOP, "url": None, "email": None, "address": []}
    for shop in (SHOP, bare):
        values = {"language": "en", "shop": shop} | ({"url": LINK} if template in account_mails.WITH_LINK else {})
        mail = render_email(template, values)
        assert "Tradewind Supply" in mail.subject
        for part in (mail.html, mail.text):
            assert "{{" not in part
            assert "None" not in part
            assert (LINK in part) == (template in account_mails.WITH_LINK)
