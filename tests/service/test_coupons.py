"""Coupons: one for each reason to issue one, and codes that nobody guesses or misreads."""

import asyncio
import uuid
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest

from app import clock, db
from app.errors import DomainError
from app.kit.ids import new_id
from app.promotions import coupons
from app.promotions.coupons import ALPHABET, CODE_CHARS, Coupon, issue_coupon, new_code
from tests.factories.shop import shop

TERMS = {"name": "Welcome", "percentage": Decimal("10"), "valid_for": timedelta(hours=72), "source_key": "flow:welcome"}


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop()


async def issue(issued_by: str, profile_id: uuid.UUID | None = None, **changed: object) -> Coupon:
    async with db.unit_of_work():
        return await issue_coupon(issued_by=issued_by, profile_id=profile_id or new_id(), **{**TERMS, **changed})  # type: ignore[arg-type]


async def test_a_coupon_is_for_one_person_and_one_use_and_noted_on_their_timeline() -> None:
    profile_id = new_id()
    coupon = await issue("run:1:code", profile_id)
    row = await db.fetchrow("SELECT * FROM discount_codes WHERE id = $1", coupon.code_id)
    assert row is not None
    assert (row["profile_id"], row["usage_limit"], row["used_count"]) == (profile_id, 1, 0)
    assert coupon.ends_at is not None
    assert abs(coupon.ends_at - await clock.now() - timedelta(hours=72)) < timedelta(minutes=1)
    noted = await db.fetch("SELECT profile_id, type, data ->> 'code' AS code FROM profile_events")
    assert [tuple(row.values()) for row in noted] == [(profile_id, "coupon.issued", coupon.code)]


async def test_the_same_reason_gives_the_same_coupon_also_at_once() -> None:
    profile_id = new_id()
    first = await issue("run:1:code", profile_id)
    assert await issue("run:1:code", profile_id) == first
    found = await asyncio.gather(*(issue("run:2:code", profile_id) for _ in range(10)))
    assert len(set(found)) == 1
    assert found[0] != first
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 2
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'coupon.issued'") == 2


async def test_coupons_of_one_source_and_worth_share_a_discount() -> None:
    await asyncio.gather(*(issue(f"run:{number}:code") for number in range(5)))
    await issue("run:5:code", percentage=Decimal("10.00"))
    assert await db.fetchval("SELECT count(*) FROM discounts") == 1
    await issue("run:6:code", percentage=Decimal("15"))
    await issue("run:7:code", percentage=None, amount_minor=500)
    worths = await db.fetch("SELECT percentage, amount_minor, currency_code, automatic FROM discounts ORDER BY id")
    assert [tuple(row.values()) for row in worths] == [
        (Decimal("10"), None, None, False),
        (Decimal("15"), None, None, False),
        (None, 500, "USD", False),
    ]


async def test_a_code_that_is_taken_is_drawn_again() -> None:
    taken = await issue("run:1:code")
    drawn = iter([taken.code, taken.code.lower(), "FRESHCODE9"])
    with patch.object(coupons, "new_code", lambda: next(drawn)):
        assert (await issue("run:2:code")).code == "FRESHCODE9"


async def test_no_coupons_of_a_discount_that_staff_have_switched_off() -> None:
    await issue("run:1:code")
    await db.execute("UPDATE discounts SET status = 'DISABLED'")
    with pytest.raises(DomainError, match="switched off"):
        await issue("run:2:code")
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 1


def test_codes_have_no_letters_that_are_mistaken_for_others() -> None:
    assert not set(ALPHABET) & set("0O1IL2Z5S8U")
    assert not set(ALPHABET) & set("AEIOU")
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == CODE_CHARS and set(code) <= set(ALPHABET) for code in codes)
