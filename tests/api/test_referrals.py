"""Refer a friend: from the code to the reward, and everybody who is no friend."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.customers import links
from app.messaging.models import MessageChannel
from app.referrals import rewarding, service
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, customers, staff
from tests.factories.catalogue import MadeProduct

Drain = Callable[[], Awaitable[None]]

PROGRAM = """mutation ($input: ReferralProgramInput!) { referralProgramUpdate(input: $input) {
    program { enabled friendPercentage rewardAmount { amount } rewardValidDays }
    userErrors { code field } } }"""
SHOWN = "{ referralProgram { enabled friendPercentage rewardAmount { amount } } }"
CODE = "mutation ($input: ReferralCodeInput!) { referralCodeCreate(input: $input) { code userErrors { code field } } }"
LIST = "{ referrals { totalCount nodes { referrerId friendId orderId state reason rewardCode } } }"
ENTER = """mutation ($id: ID!, $codes: [String!]!) { cartDiscountCodesUpdate(cartId: $id, codes: $codes) {
    cart { discountCodes { code reason } cost { total { amount } } } userErrors { code } } }"""
PAID = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }"
TERMS = {"enabled": True, "friendPercentage": "10", "rewardAmount": {"amount": "5", "currencyCode": "USD"}}
ELSEWHERE = {**checkout.ADDRESS, "address1": "77 Other Road"}


@pytest.fixture
async def ada(api: Api, staff_token: str) -> uuid.UUID:
    """Who recommends, in a shop with a running program."""
    await checkout.shop_that_ships()
    await api.ok(PROGRAM, {"input": TERMS}, token=staff_token)
    return await customers.profile(email="ada@example.com", phone="+12025550123")


@pytest.fixture
async def lantern(ada: uuid.UUID) -> MadeProduct:
    return await catalogue.product(price_minor=2000, stock=100)


async def buy(
    api: Api, lantern: MadeProduct, code: str, email: str = "grace@example.com", **more: Any
) -> dict[str, Any]:
    given = {"payment": checkout.CASH, "shippingAddress": ELSEWHERE, **more}
    complete = await checkout.ready_input(api, (lantern, 1), email=email, **given)
    await api.ok(ENTER, {"id": complete["cartId"], "codes": [code]})
    return await checkout.complete(api, complete)


async def outcome(api: Api, token: str) -> list[tuple[str, str | None]]:
    return [(one["state"], one["reason"]) for one in (await api.ok(LIST, token=token))["referrals"]["nodes"]]


async def test_a_friends_first_order_is_rewarded_once_it_is_paid(
    api: Api, ada: uuid.UUID, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    code = await service.code_of(ada)
    order = (await buy(api, lantern, code))["order"]
    assert order["cost"]["total"]["amount"] == "23.99"
    await drain()
    assert await outcome(api, staff_token) == [("PENDING", None)]
    assert await db.fetchval("SELECT count(*) FROM discount_codes WHERE profile_id IS NOT NULL") == 0
    await api.ok(PAID, {"id": order["id"]}, token=staff_token)
    await drain()
    (referral,) = (await api.ok(LIST, token=staff_token))["referrals"]["nodes"]
    assert (referral["state"], referral["orderId"]) == ("REWARDED", order["id"])
    assert referral["referrerId"] == f"prof_{ada.hex}"
    told = await db.fetchrow(
        "SELECT profile_id, data->>'code' AS code FROM profile_events WHERE type = 'referral.rewarded'"
    )
    assert told is not None
    assert tuple(told.values()) == (ada, referral["rewardCode"])
    own = await carts.cart((lantern.variant_id, 1), email="ada@example.com")
    shown = await api.ok(ENTER, {"id": own.gid, "codes": [referral["rewardCode"]]})
    assert shown["cartDiscountCodesUpdate"]["cart"]["cost"]["total"]["amount"] == "15.00"
    assert await invariants.check() == []


async def test_the_order_of_events_does_not_matter_and_nothing_is_rewarded_twice(
    api: Api, ada: uuid.UUID, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    order = (await buy(api, lantern, await service.code_of(ada)))["order"]
    await api.ok(PAID, {"id": order["id"]}, token=staff_token)
    order_id = await db.fetchval("SELECT id FROM orders")

    async def consider() -> None:
        async with db.unit_of_work():
            await rewarding.consider(order_id)

    await asyncio.gather(*(consider() for _ in range(8)))
    await drain()
    assert await outcome(api, staff_token) == [("REWARDED", None)]
    assert await db.fetchval("SELECT count(*) FROM discount_codes WHERE issued_by LIKE 'referral:%'") == 1
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'referral.rewarded'") == 1


async def test_ones_own_code_takes_nothing_off(api: Api, ada: uuid.UUID, lantern: MadeProduct) -> None:
    code = await service.code_of(ada)
    for email in ("ada@example.com", "Ada+again@Example.com"):
        answer = await buy(api, lantern, code, email)
        assert [error["code"] for error in answer["userErrors"]] == ["DISCOUNT_SELF_REFERRAL"]
    same_phone = await buy(api, lantern, code, "other@example.com", phone="+12025550123")
    assert [error["code"] for error in same_phone["userErrors"]] == ["DISCOUNT_SELF_REFERRAL"]
    assert await db.fetchval("SELECT count(*) FROM orders") == 0


async def test_who_has_ordered_before_is_no_new_friend(api: Api, ada: uuid.UUID, lantern: MadeProduct) -> None:
    grace = await customers.profile(email="grace@example.com")
    await customers.past_order(grace, (lantern.variant_id, 1), email="grace@example.com")
    answer = await buy(api, lantern, await service.code_of(ada))
    assert [error["code"] for error in answer["userErrors"]] == ["DISCOUNT_EXISTING_CUSTOMER"]


async def test_who_lives_in_the_same_house_brings_no_reward(
    api: Api, ada: uuid.UUID, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    home = {**checkout.ADDRESS, "address1": "1 MARKET street."}
    await checkout.complete(api, await checkout.ready_input(api, (lantern, 1), email="ada@example.com"))
    order = (await buy(api, lantern, await service.code_of(ada), shippingAddress=home))["order"]
    await api.ok(PAID, {"id": order["id"]}, token=staff_token)
    await drain()
    assert await outcome(api, staff_token) == [("REFUSED", "SELF_REFERRAL")]
    assert await db.fetchval("SELECT count(*) FROM discount_codes WHERE issued_by LIKE 'referral:%'") == 0


async def test_an_order_that_is_cancelled_before_it_is_paid_brings_none(
    api: Api, ada: uuid.UUID, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    code = await service.code_of(ada)
    order = (await buy(api, lantern, code))["order"]
    await drain()
    await api.ok(CANCEL, {"id": order["id"]}, token=staff_token)
    await drain()
    assert await outcome(api, staff_token) == [("REFUSED", "ORDER_CANCELLED")]
    again = (await buy(api, lantern, code))["order"]
    await api.ok(PAID, {"id": again["id"]}, token=staff_token)
    await drain()
    assert await outcome(api, staff_token) == [("REWARDED", None), ("REFUSED", "ORDER_CANCELLED")]


async def test_a_friend_of_two_rewards_one(
    api: Api, ada: uuid.UUID, lantern: MadeProduct, staff_token: str, drain: Drain
) -> None:
    hedy = await customers.profile(email="hedy@example.com")
    first, second = await service.code_of(ada), await service.code_of(hedy)
    inputs = [
        await checkout.ready_input(
            api, (lantern, 1), email="grace@example.com", payment=checkout.CASH, shippingAddress=ELSEWHERE
        )
        for _ in range(2)
    ]
    for given, code in zip(inputs, (first, second), strict=True):
        await api.ok(ENTER, {"id": given["cartId"], "codes": [code]})
    orders = await asyncio.gather(*(checkout.complete(api, given) for given in inputs))
    for answer in orders:
        if answer["order"]:
            await api.ok(PAID, {"id": answer["order"]["id"]}, token=staff_token)
    await drain()
    states = [state for state, _ in await outcome(api, staff_token)]
    assert states.count("REWARDED") == 1
    assert await db.fetchval("SELECT count(*) FROM discount_codes WHERE issued_by LIKE 'referral:%'") == 1


async def test_a_code_is_given_to_its_person_and_to_staff_alone(api: Api, ada: uuid.UUID, staff_token: str) -> None:
    token = links.preference_token(ada, MessageChannel.EMAIL, "ada@example.com")
    by_mail = (await api.ok(CODE, {"input": {"token": token}}))["referralCodeCreate"]["code"]
    gid = {"profileId": f"prof_{ada.hex}"}
    assert (await api.ok(CODE, {"input": gid}, token=staff_token))["referralCodeCreate"]["code"] == by_mail
    assert await asyncio.gather(*(service.code_of(ada) for _ in range(5))) == [by_mail] * 5
    powerless = await staff.signed_in(set())
    for given, used, code in (
        (gid, None, "UNAUTHENTICATED"),
        (gid, powerless, "FORBIDDEN"),
        ({"token": "nonsense"}, None, "INVALID"),
        ({}, None, "INVALID"),
        ({"profileId": f"prof_{'0' * 32}"}, staff_token, "NOT_FOUND"),
    ):
        (error,) = await api.refused(CODE, {"input": given}, token=used)
        assert error["code"] == code
    assert await db.fetchval("SELECT count(*) FROM referral_codes") == 1


async def test_new_terms_hold_for_codes_that_people_have(
    api: Api, ada: uuid.UUID, lantern: MadeProduct, staff_token: str
) -> None:
    code = await service.code_of(ada)
    cart = await carts.cart((lantern.variant_id, 1), email="grace@example.com")
    for terms, costs, reason in (
        ({**TERMS, "friendPercentage": "25"}, "15.00", None),
        ({**TERMS, "enabled": False}, "20.00", "DISABLED"),
    ):
        await api.ok(PROGRAM, {"input": terms}, token=staff_token)
        shown = (await api.ok(ENTER, {"id": cart.gid, "codes": [code]}))["cartDiscountCodesUpdate"]["cart"]
        assert (shown["cost"]["total"]["amount"], shown["discountCodes"][0]["reason"]) == (costs, reason)
    (error,) = await api.refused(CODE, {"input": {"profileId": f"prof_{ada.hex}"}}, token=staff_token)
    assert error["code"] == "REFERRALS_OFF"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"friendPercentage": None}, "REQUIRED", "friendPercentage"),
        ({"rewardAmount": None}, "REQUIRED", "rewardPercentage"),
        ({"friendPercentage": "0"}, "OUT_OF_RANGE", "friendPercentage"),
        ({"friendPercentage": "101"}, "OUT_OF_RANGE", "friendPercentage"),
        ({"rewardAmount": {"amount": "5", "currencyCode": "EUR"}}, "INVALID", "rewardAmount"),
        ({"rewardPercentage": "5"}, "INVALID", "rewardAmount"),
        ({"rewardValidDays": 0}, "OUT_OF_RANGE", "rewardValidDays"),
    ],
)
async def test_wrong_terms_are_refused(
    api: Api, ada: uuid.UUID, staff_token: str, change: dict[str, Any], code: str, field: str
) -> None:
    (error,) = await api.refused(PROGRAM, {"input": {**TERMS, **change}}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", field])
    shown = (await api.ok(SHOWN, token=staff_token))["referralProgram"]
    assert shown == {"enabled": True, "friendPercentage": "10", "rewardAmount": {"amount": "5.00"}}
