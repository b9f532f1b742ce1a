"""Whatever passes the check of a condition has an answer, or a cause why not."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.conditions import evaluation
from app.conditions.checking import check
from app.conditions.errors import ConditionFailed, ConditionInvalid
from app.conditions.facts import ProfileFacts

_ATOMS = st.sampled_from(
    [
        "customer.email", "customer.phone", "customer.orderCount", "customer.totalSpent", "customer.lastOrderAt",
        "customer.createdAt", "customer.known", "customer.properties.a", "customer.properties.b", "now", "null", "true",
        "1", "0", "2.5", "-3", "'a'", "''", "'ä'", "9223372036854775807", "duration('P7D')", "duration('P36500D')",
        "timestamp('2026-01-31')", "timestamp('9999-12-31')", "timestamp('0001-01-01')", "event.cartId",
        "run.enteredAt",
        "cart.total", "cart.productTypes", "['a', 'b']", "[1, 2]", "customer.eventCount('order.placed')",
        "customer.viewCount('tea', duration('P7D'))", "customer.hasOpenCart()", "customer.lastEventAt('cart.updated')",
    ]
)  # fmt: skip


def _larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(["==", "!=", "<", ">=", "+", "-", "*", "/", "%", "&&", "||", "in"])
    calls = st.sampled_from(
        [
            ".size()",
            ".lower()",
            ".getMonth()",
            ".getHours('Europe/Berlin')",
            ".startsWith('a')",
            "[0]",
            ".contains('a')",
        ]
    )
    functions = st.sampled_from(["size", "string", "int", "double", "timestamp", "!", "-", "customer.orderedSince"])
    return st.one_of(
        st.tuples(parts, binary, parts).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(parts, calls).map("".join),
        st.tuples(functions, parts).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(parts, parts, parts).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
        parts.map(lambda p: f"['a', 'b'].exists(x, x == {p})"),
    )


EXPRESSIONS = st.recursive(_ATOMS, _larger, max_leaves=8)


def _person(row: dict[str, Any]) -> ProfileFacts:
    return ProfileFacts(row, datetime(2026, 11, 22, tzinfo=UTC), "USD")


ROW: dict[str, Any] = {
    "id": uuid.UUID(int=1),
    "email": "ada@example.com",
    "phone": None,
    "order_count": 3,
    "total_spent_minor": 999,
    "last_order_at": datetime(2026, 11, 1, tzinfo=UTC),
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "properties": '{"a": "x", "b": 5}',
}
BARE = ROW | {"email": None, "last_order_at": None, "properties": "{}", "order_count": 0, "total_spent_minor": 0}


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EXPRESSIONS, st.sampled_from([ROW, BARE]))
def test_whatever_passes_the_check_has_an_answer_or_a_cause(
    capfd: pytest.CaptureFixture[str], source: str, row: Any
) -> None:
    try:
        condition = check(source, event_types=["cart.updated"], in_run=True)
    except ConditionInvalid:
        return
    asker = evaluation.Asker(_person(row), condition.names, event={"cartId": "a"}, run={"enteredAt": "nonsense"})
    try:
        answer, _ = asker.ask(condition)
    except ConditionFailed as failure:
        assert failure.cause in {  # noqa: PT017
            "It divides by zero.", "A number or moment becomes too large.", "It could not be evaluated."
        }  # fmt: skip
    else:
        assert isinstance(answer, bool)
    assert "failed" not in capfd.readouterr().err  # the library would print what a function of ours raised
