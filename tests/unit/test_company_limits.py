"""What a member may order alone, and what makes a cart the one that was approved."""

from dataclasses import replace

import pytest

from app.cart.snapshots import CartLineSnapshot
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.companies.errors import CompanyErrorCode
from app.companies.ordering import content_key, refusals
from app.kit.ids import new_id
from app.kit.money import Money

ABOVE, ASK = CompanyErrorCode.SPENDING_LIMIT_EXCEEDED, CompanyErrorCode.APPROVAL_REQUIRED


def said(
    limit: int | None, threshold: int | None, total: Money, *, is_approved: bool = False
) -> CompanyErrorCode | None:
    """To a member of a company whose amounts are in US dollars."""
    member = {"spending_limit_minor": limit, "approval_threshold_minor": threshold, "currency_code": "USD"}
    found = refusals(member, total, ["input"], is_approved=is_approved)
    assert all(isinstance(one.code, CompanyErrorCode) for one in found)
    return found[0].code if found else None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("limit", "threshold", "total", "expected"),
    [
        (None, None, Money(10**9, "USD"), None),
        (5_000, None, Money(5_000, "USD"), None),
        (5_000, None, Money(5_001, "USD"), ABOVE),
        (None, 5_000, Money(5_000, "USD"), None),
        (None, 5_000, Money(5_001, "USD"), ASK),
        (5_000, 9_000, Money(9_001, "USD"), ABOVE),
        (9_000, 5_000, Money(5_001, "USD"), ASK),
        (0, None, Money(0, "USD"), None),
        (0, None, Money(1, "USD"), ABOVE),
        # What is in another currency cannot be compared.
        (5_000, None, Money(1, "JPY"), ABOVE),
        (None, 5_000, Money(1, "JPY"), ASK),
        (None, None, Money(1, "JPY"), None),
    ],
)
def test_limits_hold_to_the_last_unit(
    limit: int | None, threshold: int | None, total: Money, expected: CompanyErrorCode | None
) -> None:
    assert said(limit, threshold, total) is expected
    assert said(limit, threshold, total, is_approved=True) is None


def test_who_is_no_member_is_not_helped_by_an_approval() -> None:
    (problem,) = refusals(None, Money(1, "USD"), ["input"], is_approved=True)
    assert problem.code is CompanyErrorCode.NOT_A_MEMBER


def line() -> CartLineSnapshot:
    return CartLineSnapshot(
        id=new_id(),
        variant_id=new_id(),
        product_id=new_id(),
        is_removed=False,
        product_status=ProductStatus.ACTIVE,
        product_kind=ProductKind.PHYSICAL,
        unit_price_minor=500,
        requires_shipping=True,
        weight_grams=0,
        taxable=True,
        track_inventory=False,
        inventory_policy=InventoryPolicy.DENY,
        available_quantity=0,
        quantity=1,
        attributes=[],
        attributes_key="",
    )


def test_a_content_is_the_same_in_any_order_and_at_any_price() -> None:
    one, two = line(), line()
    key = content_key([one, two])
    assert content_key([two, one]) == key
    assert content_key([replace(one, id=new_id(), unit_price_minor=501), two]) == key
    others = (
        [one],
        [one, two, two],
        [replace(one, quantity=2), two],
        [replace(one, variant_id=new_id()), two],
        [replace(one, attributes_key="engraved"), two],
        [replace(one, gift_options={"wrap": True}), two],
    )
    assert len({key, *(content_key(lines) for lines in others)}) == 1 + len(others)
