"""What can be wrong with a condition is said when it is saved, with its place and what to do."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conditions.checking import check
from app.conditions.context import describe
from app.conditions.errors import ConditionErrorCode, ConditionInvalid, ConditionProblem
from app.conditions.moments import parse_moment, parse_span
from app.conditions.names import CUSTOMER, FUNCTIONS, SUBJECTS
from app.customers.vocabulary import EVENT_TYPES

CHECKOUT = {"event_types": ["checkout.started"], "in_run": True}


def refused(source: str, **where: object) -> str:
    with pytest.raises(ConditionInvalid) as caught:
        check(source, **where)  # type: ignore[arg-type]
    assert caught.value.code is ConditionErrorCode.CONDITION_INVALID
    assert all(0 <= problem.position <= len(source) for problem in caught.value.problems)
    return caught.value.message


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("customer.emial == 'a'", "There is no customer.emial. Did you mean customer.email? (at character 10)"),
        ("custmer.email == 'a'", "There is no custmer. Did you mean customer?"),
        ("email == 'a'", "There is no email. Did you mean customer.email?"),
        ("customer.stage == 'LAPSD'", "Did you mean 'LAPSED'?"),
        ("customer.stage in ['LEAD', 'ACTIV']", "Did you mean 'ACTIVE'?"),
        ("customer.eventCount('order.palced', duration('P7D')) > 2", "Did you mean 'order.placed'?"),
        (
            "customer.oderedSince(now)",
            "There is no function customer.oderedSince(). Did you mean customer.orderedSince?",
        ),
        ("customer.orderedSince", "is a function: write customer.orderedSince(since: timestamp)"),
        ("customer.email()", "is a field: write it without brackets"),
        ("customer.hasOpenCart(1)", "It is called so: customer.hasOpenCart()."),
        ("customer.bought()", "It is called so: customer.bought(product: string)."),
        ("customer.orderedSince('2026-01-01')", "has to be a moment, not text"),
        ("customer.consented('FAX')", "It is one of EMAIL, SMS."),
        ("customer.inSegment(customer.email)", "has to stand here as a literal"),
        ("customer.bought(customer.firstName)", "Name the product as text"),
        ("customer.email == 3", "Text is compared with a whole number here: they are never alike."),
        ("customer.orderCount > '3'", "A number has no quotation marks."),
        ("customer.lastOrderAt < duration('P60D')", "Write now - duration('P7D'), say"),
        ("customer.lastOrderAt < '2026-01-31'", "Write timestamp('2026-01-31T12:00:00Z')"),
        ("customer.known > true", "has no order"),
        ("customer.orderCount", "A condition has to be true or false; this is a whole number."),
        ("customer.known && customer.orderCount", "Each side of && has to be true or false"),
        ("!customer.email", "What follows ! has to be true or false"),
        ("1 + 'a' == 2", "+ is not defined for a whole number and text."),
        ("customer.orderCount / 0 == 1", "This divides by zero."),
        ("now() > customer.createdAt", "Write now, without brackets."),
        ("now.getHours('Berlin') > 3", "such as 'Europe/Berlin'"),
        ("now == null", "now is never null"),
        ("now in [now]", "now can"),
        ("string(now) == 'a'", "now can be compared"),
        ("duration('P1M') < duration('P7D')", "such as 'P7D'"),
        ("timestamp('today') < now", "such as '2026-01-31'"),
        ("customer.email.matches('a')", "use startsWith, endsWith, contains"),
        ("customer.properties", "Say which one"),
        ("customer.properties[customer.email] == 1", "Write the property's name as text"),
        ("customer.orderCount.x == 1", "A whole number has no field x."),
        ("customer.viewCount(event.productId, duration('P7D')) > 2", "There is no event here"),
        ("cart.total > 0", "There is no cart here"),
        ("a = b", "Use == to compare."),
        ("customer.known & true", "Use &&"),
        ("customer.email == “a”", "straight quotation marks"),
        ("customer.email == 'a", "The text has no end"),
        ("customer.email == 3x", "is no number"),
        ("", "The condition is empty"),
        ("((true)", "“)” is missing: the condition ends there."),
        ("true true", "“true” was not expected here."),
        ("true &&", "The condition ends where a value is expected."),
        ("{'a': 1}.a == 1", "Maps and messages are not offered here."),
        ("b'abc' == 'abc'", "write plain text"),
        ("9223372036854775808 > 1", "too large"),
        ("true ? 1 : 'a'", "Both branches"),
        ("[1, 'a'].exists(x, x == 1)", "of one type"),
        ("foo(1) == 1", "There is no function foo."),
        ("orderedSince(now)", "Write customer.orderedSince("),
        ("startsWith('a')", "Write it after a value and a dot"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(source: str, told: str) -> None:
    assert told in refused(source)


def test_every_mistake_is_told_once_in_the_order_of_the_text() -> None:
    source = "customer.emial == 'a' && customer.frist == 'b' && cart.total.x > customer.orderCnt + 1"
    with pytest.raises(ConditionInvalid) as caught:
        check(source, **CHECKOUT)  # type: ignore[arg-type]
    positions = [problem.position for problem in caught.value.problems]
    assert positions == [source.index(name) for name in ("emial", "frist", "x >", "orderCnt")]


@pytest.mark.parametrize(
    "source",
    [
        " && ".join(["customer.known"] * 150),
        "+".join(["1"] * 60) + " == 60",
        "(" * 21 + "true" + ")" * 21,
        "!" * 21 + "true",
        "customer" + ".known" * 30,
        f"1 in {list(range(101))}",
        "true" + " " * 2000,
        "[1].exists(x, [2].exists(y, x == y))",
        "[1].map(x, [2].map(y, x)).size() == 1",
        " && ".join(["[1].exists(x, x == 1)"] * 6),
    ],
)
def test_what_would_take_too_long_is_refused(source: str) -> None:
    refused(source)


def test_names_depend_on_the_events_that_are_asked_about() -> None:
    check("checkout.total > 0 && cart.inStock && event.checkoutId != run.checkoutId", **CHECKOUT)  # type: ignore[arg-type]
    check("event.orderId != '' && order.isFirst", event_types=["order.placed"])
    check("product.inStock && event.variantId == 'x'", event_types=["alert.back_in_stock"])
    # What only one of several events has is there, and null for the others.
    check("event.checkoutId == null", event_types=["cart.updated", "checkout.started"])
    assert "There is no event.checkoutId" in refused("event.checkoutId == 'a'", event_types=["cart.updated"])
    assert "There is no run" in refused("run.key == 'a'", event_types=["cart.updated"])
    # An exit rule speaks of its own event, and of what started the run.
    exit_rule = {"event_types": ["order.placed"], "in_run": True, "trigger_types": ["checkout.started"]}
    check("event.orderId != '' && event.cartId == run.cartId && run.checkoutId != ''", **exit_rule)  # type: ignore[arg-type]
    assert "There is no run.orderId" in refused("run.orderId == 'a'", **exit_rule)
    with pytest.raises(ValueError, match=r"order\.palced"):
        check("true", event_types=["order.palced"])


def test_a_condition_says_what_it_needs() -> None:
    condition = check(
        "customer.stage == 'LAPSED' && !customer.orderedSince(now - duration('P10D')) && customer.inSegment('vip')"
        " && customer.eventCount('message.clicked', duration('P30D')) > 0"
    )
    assert condition.needs == {"profile", "orders", "segment:vip", "events:message.clicked"}
    assert check("customer.consented('SMS')").needs == {"consent", "profile"}
    assert check("customer.hasOpenCart()").needs == {"carts"}
    assert check("true").needs == frozenset()


@pytest.mark.parametrize(
    ("source", "depends"),
    [
        ("customer.lastOrderAt < now - duration('P60D')", True),
        ("customer.eventCount('order.placed', duration('P7D')) > 1", True),
        ("customer.eventCount('order.placed') > 1", False),
        ("customer.orderedSince(now - duration('P1D'))", True),
        ("customer.orderedSince(customer.createdAt)", False),
        ("now.getMonth() == 11", True),
        ("now - customer.createdAt > duration('P7D')", True),
        ("now - now < duration('P7D')", False),
        ("customer.orderCount > 1", False),
    ],
)
def test_whether_time_alone_can_change_it(source: str, depends: bool) -> None:
    assert check(source).time_dependent is depends


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("P7D", timedelta(days=7)),
        ("PT24H", timedelta(hours=24)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("P2W", timedelta(weeks=2)),
        ("168h", timedelta(hours=168)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("90m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("-PT5M", timedelta(minutes=-5)),
        ("P", None),
        ("PT", None),
        ("P1M", None),
        ("P1Y", None),
        ("", None),
        ("-", None),
        ("7", None),
        ("P99999999999D", None),
        ("99999999h", None),
    ],
)
def test_durations_as_people_write_them(text: str, span: timedelta | None) -> None:
    assert parse_span(text) == span


def test_moments_as_people_write_them() -> None:
    moment = parse_moment("2026-01-31")
    assert moment is not None
    assert moment.isoformat() == "2026-01-31T00:00:00+00:00"
    assert parse_moment("2026-01-31T12:00:00+02:00") == parse_moment("2026-01-31T10:00:00Z")
    assert parse_moment("31.01.2026") is None
    assert parse_moment(None) is None


def test_everything_that_can_be_named_is_described() -> None:
    described = {entry.name for entry in describe(list(EVENT_TYPES), in_run=True)}
    assert {f"customer.{name}" for name in CUSTOMER} <= described
    assert {f"customer.{function.signature}" for function in FUNCTIONS.values()} <= described
    assert {f"{root}.{name}" for root, fields in SUBJECTS.items() for name in fields} <= described
    assert "now" in described
    assert all(entry.description for entry in describe(list(EVENT_TYPES), in_run=True))


_PIECES = st.sampled_from(
    [
        "customer", ".", "email", "orderCount", "(", ")", "[", "]", "now", "duration('P7D')", "'a'", '"b"', "1", "2.5",
        "==", "!=", "<", ">", "&&", "||", "!", "-", "+", "*", "/", "%", "?", ":", ",", " in ", "true", "null", "x",
        "customer.email", "customer.orderCount", "customer.properties.a", "customer.createdAt", ".exists(x, ",
        "customer.orderedSince(", "event.cartId", "cart.productTypes", "has(", "size(", "string(", ".getMonth()",
        ".size()", "\\", "$",
    ]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=14).map("".join)))
def test_no_text_ends_the_checker(source: str) -> None:
    problems: list[ConditionProblem] = []
    try:
        condition = check(source, event_types=["cart.updated"], in_run=True)
    except ConditionInvalid as invalid:
        problems = invalid.problems
    else:
        assert condition.source == source
        return
    assert problems
    assert all(problem.message and 0 <= problem.position <= len(source) for problem in problems)
