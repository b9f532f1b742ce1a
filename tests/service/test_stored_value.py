"""The ledger of gift cards and store credit: whatever happens, a balance is the sum of its entries."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest

from app import clock, db, invariants
from app.errors import DomainError
from app.gift_cards import codes, credit, stored_value
from app.gift_cards.stored_value import Returned, TakenMeanwhile
from app.kit.ids import new_id
from app.kit.money import Money
from tests.client import Api
from tests.factories import accounts, gift_cards, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Part:
    id: uuid.UUID
    amount_minor: int


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def hold(*parts: Part) -> uuid.UUID:
    attempt_id = new_id()
    async with db.unit_of_work():
        await stored_value.hold(attempt_id, parts)
    return attempt_id


async def spend(*parts: Part) -> uuid.UUID:
    """As an order pays; returns the order's id."""
    attempt_id, order_id = await hold(*parts), new_id()
    async with db.unit_of_work():
        await stored_value.redeem(attempt_id, order_id)
    return order_id


async def refund(order_id: uuid.UUID, refund_id: uuid.UUID, minor: int | None = None) -> list[Returned]:
    async with db.unit_of_work():
        return await stored_value.refund(order_id, refund_id, minor)


async def test_a_hold_takes_the_amount_and_a_release_brings_it_back_once() -> None:
    card = (await gift_cards.gift_card(5000)).id
    attempt_id = await hold(Part(card, 3000))
    assert await gift_cards.balance(card) == 2000
    for _ in range(2):
        async with db.unit_of_work():
            await stored_value.release(attempt_id)
    assert await gift_cards.balance(card) == 5000
    assert await gift_cards.ledger(card) == [("ISSUE", 5000), ("HOLD", -3000), ("RELEASE", 3000)]


async def test_more_than_there_is_is_never_taken_of_any_of_them() -> None:
    rich, poor = (await gift_cards.gift_card(5000)).id, (await gift_cards.gift_card(100)).id
    with pytest.raises(TakenMeanwhile):
        await hold(Part(rich, 1000), Part(poor, 101))
    assert (await gift_cards.balance(rich), await gift_cards.balance(poor)) == (5000, 100)
    assert len(await gift_cards.ledger(rich)) == 1


async def test_what_is_switched_off_or_over_cannot_be_held() -> None:
    off = (await gift_cards.gift_card()).id
    over = (await gift_cards.gift_card(expires_at=await clock.now() + timedelta(days=1))).id
    await db.execute("UPDATE stored_values SET status = 'DISABLED' WHERE id = $1", off)
    await clock.move_to(await clock.now() + timedelta(days=1, seconds=1))
    for card in (off, over):
        with pytest.raises(TakenMeanwhile):
            await hold(Part(card, 1))


async def test_of_ten_parallel_tens_a_card_of_fifty_gives_five() -> None:
    card = (await gift_cards.gift_card(5000)).id
    held = await asyncio.gather(*(hold(Part(card, 1000)) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(one, TakenMeanwhile) for one in held) == 5
    assert await gift_cards.balance(card) == 0


async def test_cards_in_any_order_lock_nobody_out() -> None:
    first, second = (await gift_cards.gift_card()).id, (await gift_cards.gift_card()).id
    both = [(Part(first, 10), Part(second, 10)), (Part(second, 10), Part(first, 10))]
    await asyncio.gather(*(hold(*both[turn % 2]) for turn in range(20)))
    assert (await gift_cards.balance(first), await gift_cards.balance(second)) == (4800, 4800)


async def test_what_a_released_card_gets_after_its_end_expires_too(drain: Drain) -> None:
    card = (await gift_cards.gift_card(5000, expires_at=await clock.now() + timedelta(days=1))).id
    attempt_id = await hold(Part(card, 2000))
    await clock.move_to(await clock.now() + timedelta(days=2))
    await drain()
    assert await gift_cards.ledger(card) == [("ISSUE", 5000), ("HOLD", -2000), ("EXPIRE", -3000)]
    async with db.unit_of_work():
        await stored_value.release(attempt_id)
    await drain()
    assert (await gift_cards.ledger(card))[3:] == [("RELEASE", 2000), ("EXPIRE", -2000)]


async def test_a_card_expires_in_business_time_with_what_is_left(advance: Advance) -> None:
    card = (await gift_cards.gift_card(5000, expires_at=await clock.now() + timedelta(days=30))).id
    await advance("P29D")
    assert await gift_cards.balance(card) == 5000
    await advance("P2D")
    assert await gift_cards.ledger(card) == [("ISSUE", 5000), ("EXPIRE", -5000)]


async def test_a_refund_goes_back_where_it_came_from_the_last_spent_first() -> None:
    customer = await accounts.signed_in("ada@example.com")
    card, account = (await gift_cards.gift_card(1000)).id, await gift_cards.store_credit(customer.id, 5000)
    order_id = await spend(Part(card, 1000), Part(account, 700))
    assert await stored_value.refundable(order_id) == 1700
    first = new_id()
    for _ in range(2):
        await refund(order_id, first, 900)
    assert sum(part.amount_minor for part in await refund(order_id, new_id())) == 800
    assert await stored_value.refundable(order_id) == 0
    assert (await gift_cards.balance(card), await gift_cards.balance(account)) == (1000, 5000)
    with pytest.raises(ValueError, match="more than"):
        await refund(order_id, new_id(), 1)


async def test_a_refund_to_a_card_that_is_over_makes_it_good_again(drain: Drain) -> None:
    card = (await gift_cards.gift_card(1000, expires_at=await clock.now() + timedelta(days=1))).id
    order_id = await spend(Part(card, 600))
    await clock.move_to(await clock.now() + timedelta(days=2))
    await drain()
    await refund(order_id, new_id())
    await drain()
    assert await gift_cards.balance(card) == 600
    await hold(Part(card, 600))


async def test_credit_counts_once_for_each_reason_and_in_its_currency() -> None:
    customer = await accounts.signed_in("ada@example.com")

    async def grant(key: str, currency: str) -> uuid.UUID:
        async with db.unit_of_work():
            return await credit.credit(customer.id, Money(500, currency), "Sorry", key)

    granted = await asyncio.gather(*(grant("one", "USD") for _ in range(5)), grant("two", "USD"), grant("x", "EUR"))
    assert len(set(granted)) == 2
    assert await gift_cards.balance(granted[0]) == 1000
    assert await gift_cards.balance(granted[-1]) == 500
    with pytest.raises(DomainError):
        async with db.unit_of_work():
            await credit.credit(new_id(), Money(500, "USD"), None, "nobody")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE stored_value_entries SET amount_minor = 1",
        "UPDATE stored_value_entries SET reason = 'other'",
        "DELETE FROM stored_value_entries",
    ],
)
async def test_the_ledger_can_only_grow(change: str) -> None:
    await gift_cards.gift_card()
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await db.execute(change)


async def test_the_database_refuses_a_balance_below_zero_and_the_invariants_one_that_does_not_add_up() -> None:
    card = (await gift_cards.gift_card(5000)).id
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute("UPDATE stored_values SET balance_minor = -1")
    assert await invariants.check() == []
    await db.execute("UPDATE stored_values SET balance_minor = 4999 WHERE id = $1", card)
    assert [violation.name for violation in await invariants.check()] == ["stored_value_adds_up"]


async def test_the_code_is_typed_in_any_way_and_only_its_hash_is_kept() -> None:
    issued = await gift_cards.gift_card()
    row = await db.fetchrow("SELECT * FROM gift_cards WHERE id = $1", issued.id)
    assert row is not None
    assert issued.code.endswith(row["last_characters"])
    typed = issued.code.replace("-", " ").lower().replace("b", "8").replace("v", "u")
    assert codes.hash_of(f" {typed} ") == row["code_hash"]
    assert codes.code_of(issued.id, row["code_hash"]) == issued.code
    assert issued.code not in str(list(row.values()))
