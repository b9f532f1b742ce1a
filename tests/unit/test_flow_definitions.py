"""Definitions: what is right passes, and everything that is wrong is said at once, by its step and with what to do."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.errors import DomainErrors
from app.flows.definitions import Definition, parse
from app.flows.recipes import recipes
from app.flows.shape import KINDS, SCHEMA
from app.flows.steps import kinds
from app.kit.periods import format_period, parse_period

GOOD: dict[str, Any] = {
    "trigger": {"event": "checkout.started", "if": "event.cartId != ''"},
    "entry": "cart.total > 0.0 && cart.inStock",
    "reentry": {"policy": "cooldown", "period": "P7D"},
    "onRepeat": "restart",
    "exitOn": [{"event": "order.placed"}, {"event": "checkout.started", "if": "event.checkoutId != run.checkoutId"}],
    "exitIf": [{"if": "!cart.inStock", "reason": "OUT_OF_STOCK"}],
    "supersedes": ["cart_abandoned"],
    "waitsFor": ["browse_abandoned"],
    "priority": 60,
    "holdout": 0.1,
    "steps": [
        {"key": "wait-4h", "kind": "delay", "period": "PT4H"},
        {"key": "remind-1", "kind": "send_email", "template": "checkout-1", "maxLateness": "PT12H", "onCap": "defer"},
        {"key": "clicked", "kind": "wait_for", "event": "message.clicked", "if": "event.runId == run.id",
         "timeout": "PT6H", "then": "end", "else": "code"},
        {"key": "code", "kind": "issue_coupon", "percentage": 10, "validFor": "PT72H", "name": "Checkout"},
        {"key": "last-day", "kind": "delay_until", "at": "coupon.endsAt", "offset": "-PT24H", "time": "09:00",
         "weekdays": ["MON", "TUE"]},
        {"key": "by-text", "kind": "condition", "if": "customer.consented('SMS')", "then": "text", "else": "call"},
        {"key": "text", "kind": "send_sms", "template": "checkout-text", "onQuiet": "skip", "then": "share"},
        {"key": "call", "kind": "send_voice", "template": "checkout-call", "if": "customer.phone != ''"},
        {"key": "share", "kind": "split", "branches": [{"weight": 3, "then": "hold"}, {"weight": 1, "then": "end"}]},
        {"key": "hold", "kind": "holdout", "share": 0.5},
        {"key": "note", "kind": "update_profile", "set": {"reminded": True, "old": None}, "stage": "DORMANT",
         "holdMarketing": "P30D"},
        {"key": "crm", "kind": "webhook", "endpoint": "whe_" + "0" * 32, "data": {"list": "hot"}},
        {"key": "tell", "kind": "notify_staff", "subject": "Look", "text": "Somebody hesitates."},
        {"key": "over", "kind": "end"},
    ],
}  # fmt: skip


def with_(path: str, value: object) -> dict[str, Any]:
    """GOOD with something else at a path such as `steps.0.period`; `...` takes it out."""
    changed = deepcopy(GOOD)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = changed
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


def mistakes(definition: object) -> list[str]:
    with pytest.raises(DomainErrors) as raised:
        parse(definition)
    assert {error.code.name for error in raised.value.errors} == {"FLOW_DEFINITION_INVALID"}
    return [error.message for error in raised.value.errors]


def test_everything_that_a_flow_can_say() -> None:
    definition = parse(GOOD)
    assert isinstance(definition, Definition)
    assert [step.kind for step in definition.steps] == [step["kind"] for step in GOOD["steps"]]
    assert definition.reentry.period == timedelta(days=7)
    assert definition.after(definition.step("wait-4h")) == "remind-1"
    assert definition.after(definition.step("clicked"), "end") == "end"
    assert definition.after(definition.step("over")) == "end"
    assert definition.waited_events() == {"message.clicked"}


def test_the_published_schema_says_the_same() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(GOOD)
    assert set(KINDS) == set(kinds())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("steps.0.period", ..., "Step wait-4h: `period` is missing; add it."),
        ("steps.0.period", "4 hours", "such as PT4H"),
        ("steps.0.period", "PT0S", "Step wait-4h: `period` has to be longer than nothing"),
        ("steps.0.period", "P2Y", "Step wait-4h: `period` is not acceptable"),
        ("steps.0.period", "P400D", "at most a year"),
        ("steps.0.perriod", "PT4H", "There is no `perriod` here; take it out. Did you mean `period`?"),
        ("steps.0.kind", "dealy", "Did you mean `delay`?"),
        ("steps.0.kind", 3, "`kind`"),
        ("steps.0", "wait", "has to be an object"),
        ("steps.0.key", "Wait 4h", "Step Wait 4h: `key` is not acceptable. It is: a name of small letters"),
        ("steps.1.key", "wait-4h", "Step wait-4h: step number 1 has this key too"),
        ("steps.13.key", "end", "`end` is what ends a run and cannot be a key"),
        ("steps.2.else", "cod", "Step clicked: there is no step `cod` to go to (else)."),
        ("steps.6.then", "remind-1", "Step text: `remind-1` lies behind it"),
        ("steps.6.then", "text", "A flow goes forward only"),
        ("steps.2.event", "message.clickd", "there is no event message.clickd. Did you mean message.clicked?"),
        ("steps.2.if", "event.runnId == run.id", "Step clicked: `if`"),
        ("steps.5.if", "customer.emial != ''", "Step by-text: `if`"),
        ("steps.5.if", "customer.phone", "Step by-text: `if`"),
        ("steps.4.at", "coupon.end", "`coupon.end` is no moment that this run knows"),
        ("steps.4.at", "run.startedAt", None),
        ("steps.4.at", "run.endedAt", "There are run.enteredAt, coupon.endsAt, run.startedAt"),
        ("steps.3.percentage", 120, "`percentage` is not acceptable"),
        ("steps.3.amount", "5.00", "Exactly one of `percentage`, `amount` is needed."),
        ("steps.8.branches.0.weight", 0, "`weight` is not acceptable. It is: a number above 0."),
        ("steps.8.branches", [], "`branches` needs at least 2 entries."),
        ("steps.9.share", 1.5, "`share` is not acceptable. It is: a number from 0 to 1"),
        ("steps.11.endpoint", "https://example.com", "It is: the id of a webhook endpoint."),
        ("steps.10.set", {"a b": 1}, "Step note"),
        ("steps", [], "`steps` is a list of 1 to 100 steps."),
        ("steps", {}, "`steps` is a list"),
        ("trigger", ..., "Say what starts the flow"),
        ("trigger", {}, "exactly one of `event`, `segment` and `date`"),
        ("trigger", {"event": "checkout.startd"}, "Did you mean checkout.started?"),
        ("trigger", {"event": "date.reached"}, "no trigger can name this event"),
        ("trigger", {"event": "checkout.started", "key": "orderId"}, "There are customer, cartId, checkoutId"),
        ("trigger", {"event": "checkout.started", "yearly": True}, "`yearly` does not belong here"),
        ("trigger", {"date": "customer.birthday"}, "`date` is not acceptable"),
        ("trigger", {"date": "customer.properties.birthday", "quietFor": "PT1H"}, "`quietFor` does not belong here"),
        ("triggers", [{"event": "order.placed"}], "either `trigger`, or `triggers`"),
        ("entry", "cart.totl > 0.0", "The flow: `entry`"),
        ("reentry", {"policy": "cooldown"}, "`period` is missing"),
        ("reentry", {"policy": "sometimes"}, "`policy` is one of once, cooldown, always."),
        ("exitOn.0.event", "order.place", "Exit rule 1: there is no event order.place"),
        ("exitOn.1.if", "event.checkoutId != run.checkout", "Exit rule 2: `if`"),
        ("exitIf.0.reason", "out of stock", "a word in capitals"),
        ("holdout", 2, "a number from 0 to 1"),
        ("supersedes", ["a", "a"], "`supersedes` names the same thing twice."),
        ("priority", -1, "`priority`"),
        ("colour", "red", "There is no `colour` here"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(path: str, value: object, said: str | None) -> None:
    if said is None:
        parse(with_(path, value))
        return
    found = mistakes(with_(path, value))
    assert any(said in message for message in found), found


@pytest.mark.parametrize("given", [None, 3, "flow", [], {}])
def test_what_is_no_definition_at_all(given: object) -> None:
    assert mistakes(given)


def test_everything_wrong_is_said_at_once() -> None:
    bad = with_("steps.0.period", ...)
    bad["steps"][2]["else"] = "nowhere"
    bad["entry"] = "customer.emial != ''"
    bad["holdout"] = 3
    found = mistakes(bad)
    assert len(found) == 3  # the conditions around are read when their form is right
    fixed = {**bad, "holdout": 0.3}
    assert any("emial" in message and "customer.email" in message for message in mistakes(fixed))


def test_a_step_that_nothing_leads_to() -> None:
    bad = with_("steps.0.then", "code")
    found = mistakes(bad)
    assert found == [
        "Step remind-1: no way leads to it; lead one there, or take it out.",
        "Step clicked: no way leads to it; lead one there, or take it out.",
    ]


def test_the_coupon_has_to_come_before_its_end() -> None:
    bad = deepcopy(GOOD)
    bad["steps"][3]["kind"] = "end"
    for name in ("percentage", "validFor", "name"):
        del bad["steps"][3][name]
    assert any("put one before this step" in message for message in mistakes(bad))


def test_fields_of_errors_are_paths_within_the_input() -> None:
    with pytest.raises(DomainErrors) as raised:
        parse(with_("steps.8.branches.0.weight", 0))
    assert raised.value.errors[0].field == ["input", "definition", "steps", "8", "branches", "0", "weight"]


@pytest.mark.parametrize("recipe", list(recipes()), ids=lambda recipe: recipe.key)
def test_the_recipes_are_right(recipe: Any) -> None:
    parse(recipe.definition)
    Draft202012Validator(SCHEMA).validate(recipe.definition)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("PT4H", timedelta(hours=4)),
        ("P1W2D", timedelta(days=9)),
        ("-PT24H", timedelta(hours=-24)),
        ("P1DT1H30M5S", timedelta(days=1, hours=1, minutes=30, seconds=5)),
    ],
)
def test_periods(text: str, period: timedelta) -> None:
    assert parse_period(text) == period
    assert parse_period(format_period(period)) == period


@pytest.mark.parametrize("text", ["", "P", "PT", "P1D T1H", "P1Y", "P1M", "PT1.5H", "4h", "+PT1H", "P1DT"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError):
        parse_period(text)
