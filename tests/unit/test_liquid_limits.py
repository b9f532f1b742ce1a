"""What a template may cost: nobody's text fills a worker's memory or holds it for seconds."""

import tracemalloc
from collections.abc import Callable

import pytest
from liquid import Environment

from app.messaging.compiling import html_environment, text_environment
from app.messaging.rendering import RenderingError, render

GROWING = ' | replace: "a", "aaaaaaaaaa"' * 8


@pytest.mark.parametrize(
    "source",
    [
        '{{ "aaaaaaaaaa"' + GROWING + " | size }}",
        '{{ (1..500000) | join: "x" | size }}',
        "{{ (1..500000) | sort | first }}",
        "{{ (1..500000) | uniq | size }}",
        "{{ (1..500000) | reverse | first }}",
        '{{ (1..9000) | join: customer.first_name | replace: "", customer.first_name | size }}',
        "{% for i in (1..100000000) %}{% endfor %}",
        '{% assign x = "a" %}' + "{% assign x = x | append: x %}" * 40,
    ],
)
@pytest.mark.parametrize("environment", [text_environment, html_environment])
def test_a_template_cannot_make_more_than_a_message_is_long(
    source: str, environment: Callable[[], Environment]
) -> None:
    template = environment().from_string(source)
    tracemalloc.start()
    try:
        with pytest.raises(RenderingError):
            render(template, {"customer": {"first_name": "A" * 120}})
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{ "Ada, Grace" | replace: ", ", " and " }}', "Ada and Grace"),
        ('{{ "a,b" | split: "," | join: " + " }}', "a + b"),
        ('{{ (1..3) | join: "-" }}', "1-2-3"),
        ("{{ customer.first_name | default: 'you' | upcase }}", "ADA"),
        ("{{ '2026-05-01' | date: '%d %B' }}", "01 May"),
    ],
)
def test_filters_do_what_they_did(source: str, expected: str) -> None:
    assert render(text_environment().from_string(source), {"customer": {"first_name": "Ada"}}) == expected


@pytest.mark.parametrize("path", ["__class__", "keys", "first_name.__class__", "__init__.__globals__"])
def test_a_template_reaches_values_and_nothing_behind_them(path: str) -> None:
    template = text_environment().from_string(f"{{{{ customer.{path} }}}}")
    with pytest.raises(RenderingError):
        render(template, {"customer": {"first_name": "Ada"}})
