"""Flows as Mermaid text, and in words."""

from datetime import timedelta
from typing import Any

import pytest

from app.flows import wording
from app.flows.diagram import mermaid
from app.flows.graph import graph_of

ABANDONED: dict[str, Any] = {
    "trigger": {"event": "checkout.started"},
    "exitOn": [{"event": "order.placed"}, {"event": "checkout.started", "if": "event.checkoutId != run.checkoutId"}],
    "exitIf": [{"if": "!cart.inStock", "reason": "OUT_OF_STOCK"}],
    "steps": [
        {"key": "wait-4h", "kind": "delay", "period": "PT4H"},
        {"key": "remind-1", "kind": "send_email", "template": "checkout-abandoned-1"},
        {
            "key": "clicked",
            "kind": "wait_for",
            "event": "message.clicked",
            "timeout": "PT6H",
            "then": "end",
            "else": "text-1",
        },
        {"key": "text-1", "kind": "send_sms", "template": "checkout-abandoned-text"},
    ],
}


def test_a_flow_is_drawn_with_its_branches_delays_and_templates() -> None:
    assert mermaid(ABANDONED, {"wait-4h": 3}) == (
        "flowchart TD\n"
        '    n0(["checkout.started"])\n'
        '    n1("Wait 4 h<br/>3 waiting")\n'
        '    n2["Email checkout-abandoned-1"]\n'
        '    n3{{"Wait for message.clicked, up to 6 h"}}\n'
        '    n4["SMS checkout-abandoned-text"]\n'
        '    n5(["End"])\n'
        '    n6(["End"])\n'
        "    n0 --> n1\n"
        "    n1 --> n2\n"
        "    n2 --> n3\n"
        '    n3 -- "message.clicked" --> n5\n'
        '    n3 -- "after 6 h" --> n4\n'
        "    n4 --> n6\n"
        '    x["Leaves at any step on order.placed, checkout.started, OUT_OF_STOCK"]\n'
        "    x -.- n0\n"
    )


def test_nothing_that_a_merchant_typed_means_anything_to_mermaid_or_to_html() -> None:
    hostile = '"] --> n9; click n1 call steal() %% <img src=x onerror=alert(1)> `**x**` #quot; &amp;\n end'
    text = mermaid(
        {
            "trigger": {"event": hostile},
            "exitIf": [{"if": "true", "reason": hostile}],
            "steps": [
                {"key": hostile, "kind": "send_email", "template": hostile},
                {"key": "c", "kind": "condition", "if": hostile, "then": "x", "else": "y"},
                {"key": "x", "kind": hostile},
                {"key": "y", "kind": "wait_for", "event": hostile, "timeout": hostile, "then": "end"},
            ],
        }
    )
    typed = [line for line in text.splitlines() if "steal" in line]
    assert len(typed) == 8, "six boxes and the labels of two ways"
    for line in typed:
        inner = line[line.index('"') + 1 : line.rindex('"')]
        assert not set(inner) & set('"<>`()&*=[]{}\\|'), line
        assert "#34;#93;" in inner
    assert "<img" not in text
    assert text.count("click ") == len(typed)


@pytest.mark.parametrize(
    ("steps", "edges"),
    [
        ([{"key": "a", "kind": "delay", "period": "P1D"}], [(0, 1, ""), (1, 2, "")]),
        ([], [(0, 1, "")]),
        (
            [
                {
                    "key": "s",
                    "kind": "split",
                    "branches": [{"weight": 2, "then": "a"}, {"weight": 1, "then": "b"}],
                },
                {"key": "a", "kind": "send_email", "template": "t"},
                {"key": "z", "kind": "end"},
                {"key": "b", "kind": "send_sms", "template": "t"},
            ],
            [(0, 1, ""), (1, 2, "66.7 %"), (1, 4, "33.3 %"), (2, 3, ""), (4, 5, "")],
        ),
        (
            [
                {"key": "c", "kind": "condition", "if": "true", "then": "b"},
                {"key": "a", "kind": "delay", "period": "P1D"},
                {"key": "b", "kind": "delay", "period": "P1D"},
            ],
            [(0, 1, ""), (1, 3, "yes"), (1, 2, "no"), (2, 3, ""), (3, 4, "")],
        ),
    ],
)
def test_steps_follow_each_other(steps: list[dict[str, Any]], edges: list[tuple[int, int, str]]) -> None:
    graph = graph_of({"trigger": {"event": "x"}, "steps": steps})
    assert [(edge.source, edge.target, edge.label) for edge in graph.edges] == edges


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"kind": "delay", "period": "P2DT12H"}, "Wait 2 days 12 h"),
        ({"kind": "delay", "period": "PT1M"}, "Wait 1 min"),
        ({"kind": "delay_until", "time": "09:00", "weekdays": ["MON", "FRI"]}, "Wait until Mon, Fri 09:00"),
        (
            {"kind": "delay_until", "before": "coupon.endsAt", "offset": "-PT24H"},
            "Wait until 24 h before the coupon's end",
        ),
        ({"kind": "holdout", "share": 0.125}, "Hold out 12.5 %"),
        ({"kind": "issue_coupon", "percentage": 10, "validFor": "PT72H"}, "Coupon: 10 %, valid 72 h"),
        ({"kind": "issue_coupon", "amount": "5.00"}, "Coupon: 5.00 off"),
        (
            {"kind": "update_profile", "set": {"vip": True}, "stage": "DORMANT", "holdMarketing": "P30D"},
            "Update profile: vip, stage DORMANT, no marketing for 30 days",
        ),
        ({"kind": "condition", "if": "customer.orderCount > 0"}, "If customer.orderCount > 0"),
        ({"kind": "notify_staff", "subject": "Bad score"}, "Notify staff: Bad score"),
        ({"kind": "teleport"}, "Teleport"),
    ],
)
def test_a_step_says_what_it_does(step: dict[str, Any], words: str) -> None:
    assert wording.step_in_words(step) == words


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ({"event": "cart.updated", "quietFor": "PT24H"}, "cart.updated, then 24 h of quiet"),
        ({"segment": "vip", "change": "left"}, "vip left"),
        (
            {"date": "customer.properties.birthday", "offset": "-P7D", "at": "09:00", "yearly": True},
            "7 days before customer.properties.birthday at 09:00, each year",
        ),
    ],
)
def test_a_trigger_says_what_starts_a_run(trigger: dict[str, Any], words: str) -> None:
    assert wording.trigger_in_words(trigger) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (40, "40 s"),
        (300, "5 min"),
        (4 * 3600 + 2, "4 h"),
        (5400, "1 h 30 min"),
        (3598, "1 h"),
        (51 * 3600, "2 days 3 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_said_as_a_person_would(seconds: int, words: str) -> None:
    assert wording.duration_in_words(timedelta(seconds=seconds)) == words
