"""What is left of each amount that a balance of credit was given: worked out from its ledger alone."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.gift_cards.credit_parts import parts_of

START = datetime(2026, 11, 22, tzinfo=UTC)
ATTEMPTS = [uuid.UUID(int=number) for number in range(4)]


def line(number: int, kind: str, minor: int, **more: Any) -> dict[str, Any]:
    bare = dict.fromkeys(("attempt_id", "order_id", "source_key", "expires_at", "part_id"))
    return {**bare, "id": number, "kind": kind, "amount_minor": minor, "created_at": START, **more}


def left(*lines: dict[str, Any]) -> dict[int, int]:
    return {part.id: part.left_minor for part in parts_of(lines)}


SOON, LATER = START + timedelta(days=3), START + timedelta(days=9)
GIVEN = (
    line(1, "ISSUE", 500),
    line(2, "ISSUE", 300, expires_at=LATER, source_key="redeem:a:credit"),
    line(3, "ISSUE", 200, expires_at=SOON, source_key="redeem:b:credit"),
)


def test_what_ends_first_is_spent_first_and_what_has_no_end_last() -> None:
    assert left(*GIVEN, line(4, "HOLD", -150, attempt_id=ATTEMPTS[0])) == {1: 500, 2: 300, 3: 50}
    assert left(*GIVEN, line(4, "ADJUST", -600)) == {1: 400, 2: 0, 3: 0}


def test_what_comes_back_goes_where_it_was_taken_from() -> None:
    held = line(4, "HOLD", -600, attempt_id=ATTEMPTS[0])
    assert left(*GIVEN, held, line(5, "RELEASE", 600, attempt_id=ATTEMPTS[0])) == {1: 500, 2: 300, 3: 200}
    paid = line(5, "REDEEM", 0, attempt_id=ATTEMPTS[0], order_id=ATTEMPTS[1])
    back = line(6, "REFUND", 350, order_id=ATTEMPTS[1])
    assert left(*GIVEN, held, paid, back) == {1: 500, 2: 250, 3: 0}, "what was taken last first"


def test_what_is_refunded_after_its_end_has_none_and_what_is_released_has_still() -> None:
    held = line(4, "HOLD", -200, attempt_id=ATTEMPTS[0])
    paid = line(5, "REDEEM", 0, attempt_id=ATTEMPTS[0], order_id=ATTEMPTS[1])
    late = {"created_at": SOON + timedelta(days=1)}
    released = parts_of([*GIVEN, held, line(5, "RELEASE", 200, attempt_id=ATTEMPTS[0], **late)])
    refunded = parts_of([*GIVEN, held, paid, line(6, "REFUND", 200, order_id=ATTEMPTS[1], **late)])
    assert [(part.left_minor, part.expires_at) for part in (released[2], refunded[2])] == [(200, SOON), (200, None)]


def test_what_is_withheld_is_known_and_no_other_money_is_touched() -> None:
    taken = line(4, "WITHHOLD", -200, part_id=3)
    assert [(part.left_minor, part.withheld_minor) for part in parts_of([*GIVEN, taken])] == [
        (500, 0), (300, 0), (0, 200),
    ]  # fmt: skip
    back = line(5, "RESTORE", 200, part_id=3)
    assert [(part.left_minor, part.withheld_minor) for part in parts_of([*GIVEN, taken, back])][2] == (200, 0)


moves = st.lists(st.tuples(st.sampled_from("give end hold back refund expire withhold".split()), st.integers(1, 500)))  # noqa: SIM905


@given(moves)
def test_the_parts_are_the_balance_and_none_is_below_zero(wanted: list[tuple[str, int]]) -> None:
    ledger: list[dict[str, Any]] = []
    held: list[tuple[uuid.UUID, int]] = []
    for number, (move, minor) in enumerate(wanted, 1):
        balance = sum(entry["amount_minor"] for entry in ledger)
        attempt = uuid.UUID(int=1000 + number)
        alive = [part for part in parts_of(ledger) if part.left_minor]
        if move in ("give", "end"):
            ends = START + timedelta(days=minor) if move == "end" else None
            ledger.append(line(number, "ISSUE", minor, expires_at=ends))
        elif move == "hold" and balance:
            held.append((attempt, min(minor, balance)))
            ledger.append(line(number, "HOLD", -held[-1][1], attempt_id=attempt))
        elif move == "back" and held:
            attempt, taken = held.pop(minor % len(held))
            ledger.append(line(number, "RELEASE", taken, attempt_id=attempt))
        elif move == "refund" and held:
            attempt, taken = held.pop(minor % len(held))
            ledger.append(line(10_000 + number, "REDEEM", 0, attempt_id=attempt, order_id=attempt))
            ledger.append(line(number, "REFUND", min(taken, minor), order_id=attempt))
        elif move in ("expire", "withhold") and alive:
            part = alive[minor % len(alive)]
            ledger.append(line(number, move.upper(), -part.left_minor, part_id=part.id))
        parts = parts_of(ledger)
        assert sum(part.left_minor for part in parts) == sum(entry["amount_minor"] for entry in ledger)
        assert all(part.left_minor >= 0 and part.withheld_minor >= 0 for part in parts)
