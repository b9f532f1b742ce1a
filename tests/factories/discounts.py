"""Discounts, as staff make them; the shop has to be there (`factories.shop`)."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from app import db
from app.kit.ids import new_id
from app.kit.money import Money
from app.promotions.coupons import Coupon, issue_coupon
from app.promotions.service import DiscountChange, create_discount


def dollars(amount: str) -> Money:
    return Money.from_decimal(Decimal(amount), "USD")


async def discount(
    code: str | None = None, *, amount: str | None = None, automatic: bool | None = None, **terms: Any
) -> uuid.UUID:
    """Ten percent unless told otherwise; `amount` in dollars. Without a code it applies by itself, unless told not to.

    Args:
        terms: of `DiscountChange`.
    """
    worth: dict[str, Any] = {"percentage": Decimal(10)}
    if amount is not None:
        worth = {"amount": dollars(amount)}
    change = DiscountChange(**{"name": code or "Sale", **worth, **terms})  # type: ignore[typeddict-item]
    return await create_discount(change, code, automatic=automatic)


async def coupon(profile_id: uuid.UUID, *, percentage: int = 20, days: int = 3) -> Coupon:
    """A single-use code that only this person can use."""
    async with db.unit_of_work():
        return await issue_coupon(
            issued_by=f"test:{new_id()}",
            profile_id=profile_id,
            name="For you",
            percentage=Decimal(percentage),
            valid_for=timedelta(days=days),
            source_key="test",
        )
