"""Templates: what a receiver reads, and what a value cannot do."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from app.messaging import compiling, rendering
from app.messaging.order_values import TEMPLATE_VALUES
from app.messaging.rendering import RenderingError, render_email, render_sms
from app.messaging.sms import SmsEncoding, sms_length
from tests.factories.messages import sparse_values, template_values

TEMPLATES = [name for name in rendering.template_names() if name.startswith("order_")]


class Page(HTMLParser):
    """The text and the tags of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_every_template_is_documented() -> None:
    assert set(TEMPLATE_VALUES) == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("values_of", [template_values, sparse_values])
def test_every_template_renders_with_all_values_and_with_the_fewest(template: str, values_of: Any) -> None:
    values = values_of(template)
    mail = render_email(template, values)
    assert "1001" in mail.subject
    for part in (mail.subject, mail.html, mail.text):
        assert "{{" not in part
        assert "{%" not in part
        assert "None" not in part
    assert "mj-" not in re.sub(r"mj-column-per-\d+|mj-outlook-group-fix", "", mail.html)
    assert "<" not in mail.text
    assert "\n\n\n" not in mail.text
    assert "Tradewind Supply" in mail.text
    sms = render_sms(template, values)
    assert sms.startswith("Tradewind Supply: ")
    assert sms_length(sms).encoding is SmsEncoding.GSM_7
    assert sms_length(sms).segments <= 2


@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_is_accessible_and_made_for_phones_and_dark_screens(template: str) -> None:
    page = Page(render_email(template, template_values(template)).html)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert all(image.get("alt") for image in page.all("img"))
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    assert any(meta.get("name") == "color-scheme" for meta in page.all("meta"))
    assert not page.all("script")
    assert not page.all("link"), "a mail must not load fonts or styles from anywhere"


def test_the_confirmation_says_what_was_bought_and_what_it_costs() -> None:
    mail = render_email("order_confirmation", template_values("order_confirmation"))
    assert mail.subject == "Order 1001 confirmed"
    page = Page(mail.html)
    for text in (page.text, mail.text):
        for expected in (
            "Harbour sweater", "Navy / M", "Engraving: For Ada", "$64.50", "$129.00", "Shipping", "$5.90",
            "$134.90", "Payment by card", "1 Engine Way", "Springfield, IL 62704", "UPS Ground",
            "Nov 24 to 26, 2026", "Ring twice.", "12 Harbour Street", "hello@shop.example",
        ):  # fmt: skip
            assert expected in text, expected
    assert "https://shop.example/orders/abc" in [link.get("href") for link in page.all("a")]
    assert "https://shop.example/orders/abc" in mail.text


@pytest.mark.parametrize("template", TEMPLATES)
def test_without_a_storefront_the_token_is_shown(template: str) -> None:
    mail = render_email(template, template_values(template, url=None, token="Zm9vYmFyYmF6cXV4MTIzNA"))
    assert "Zm9vYmFyYmF6cXV4MTIzNA" in Page(mail.html).text
    assert "Zm9vYmFyYmF6cXV4MTIzNA" in mail.text
    assert "View your order" not in mail.html


def test_a_shipment_of_part_of_the_order_says_so_and_shows_no_prices() -> None:
    values = template_values("order_shipped")
    values.update(is_partial=True, remaining_quantity=3, parcels=[values["parcels"][0]] * 2)
    values["lines"][0].update(unit_price=None, total=None)
    mail = render_email("order_shipped", values)
    assert mail.subject == "Part of order 1001 is on its way"
    page = Page(mail.html)
    assert "3 more items will follow" in page.text
    assert "3 more items will follow" in mail.text
    assert "Parcel 2: UPS" in page.text
    assert "Quantity: 2" in page.text
    assert "$" not in page.text
    assert [link.get("href") for link in page.all("a")].count(values["parcels"][0]["tracking_url"]) == 2


def test_a_long_order_lists_what_fits_and_counts_the_rest() -> None:
    values = template_values("order_confirmation")
    values["more_lines"] = 12
    mail = render_email("order_confirmation", values)
    assert "and 12 more" in Page(mail.html).text
    assert "and 12 more" in mail.text


def test_html_in_a_value_is_shown_and_not_run() -> None:
    values = template_values("order_confirmation", note="<script>alert(1)</script>\nsecond line")
    values["customer"]["first_name"] = "<b>Ada</b>"
    values["lines"][0].update(name='Sweater "<img src=x onerror=alert(1)>"', image_alt='x" onerror="alert(1)')
    mail = render_email("order_confirmation", values)
    page = Page(mail.html)
    assert not page.all("script")
    assert not page.all("b")
    assert len(page.all("img")) == 1
    assert "onerror" not in page.all("img")[0]
    assert "<script>alert(1)</script>" in page.text
    assert "<script>alert(1)</script>" in mail.text, "the text part needs no escaping"


def test_liquid_in_a_value_is_text() -> None:
    values = template_values("order_confirmation", note="{{ shop.email }} {% raw %}")
    mail = render_email("order_confirmation", values)
    assert "{{ shop.email }} {% raw %}" in Page(mail.html).text
    assert "{{ shop.email }} {% raw %}" in mail.text


def test_line_breaks_never_reach_the_subject_or_an_sms() -> None:
    values = template_values("order_confirmation", number="1001\r\nBcc: x@example.com")
    assert render_email("order_confirmation", values).subject == "Order 1001 Bcc: x@example.com confirmed"
    values["shop"]["name"] = "Trade\u2028wind\x00"
    assert "\n" not in render_sms("order_confirmation", values)
    assert render_sms("order_confirmation", values).startswith("Trade wind : ")


def test_a_missing_value_is_an_error_that_names_it_and_quotes_nothing() -> None:
    values = template_values("order_confirmation", note="a secret note")
    del values["order"]["total"]
    with pytest.raises(RenderingError, match="total") as caught:
        render_email("order_confirmation", values)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ order.number.__class__ }}",
        "{{ order.__class__.__mro__ }}",
        "{{ order.keys }}",
        "{{ order['__init__'] }}",
        "{{ order.number.format }}",
        "{{ nothing }}",
        "{% if nothing %}x{% endif %}",
    ],
)
def test_templates_reach_only_their_values(source: str) -> None:
    template = compiling.html_environment().from_string(source)
    with pytest.raises(RenderingError):
        rendering.render(template, template_values("order_confirmation"))


def test_templates_that_would_never_end_are_stopped() -> None:
    source = "{% for a in (1..1000) %}{% for b in (1..1000) %}x{% endfor %}{% endfor %}"
    with pytest.raises(RenderingError, match="LoopIterationLimitError"):
        rendering.render(compiling.text_environment().from_string(source), {})


def test_no_filter_lets_a_value_through_unescaped() -> None:
    with pytest.raises(RenderingError, match="UnknownFilterError"):
        rendering.render(compiling.html_environment().from_string("{{ x | safe }}"), {"x": "<b>"})
