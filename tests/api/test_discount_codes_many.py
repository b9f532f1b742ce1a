"""Many codes of one discount: chosen by staff or drawn by lot, handed out as a file, switched off one by one."""

import re
import uuid
from typing import Any
from unittest.mock import patch

import pytest

from app import db, invariants
from app.kit import ids
from app.promotions import coupons, generating
from tests.api.import_operations import JOB, Drain
from tests.api.test_products_export import link
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, discounts

ADD = """mutation ($input: DiscountCodesAddInput!) { discountCodesAdd(input: $input) {
    codes { id code usageLimit disabledAt } userErrors { code field message } } }"""
GENERATE = """mutation ($input: DiscountCodesGenerateInput!) { discountCodesGenerate(input: $input) {
    job { id kind } userErrors { code field message } } }"""
DISABLE = "mutation ($ids: [ID!]!) { discountCodesDisable(ids: $ids) { codes { id } userErrors { code field } } }"
ENABLE = DISABLE.replace("Disable", "Enable")
LIST = """query ($job: ID, $used: Boolean) { discountCodes(jobId: $job, used: $used) {
    totalCount nodes { code usageLimit usedCount jobId } } }"""
CODES = """mutation ($id: ID!, $codes: [String!]!) { cartDiscountCodesUpdate(cartId: $id, codes: $codes) {
    cart { discountCodes { code reason } cost { total { amount } } } } }"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


@pytest.fixture
async def by_code(_shop: None) -> str:
    """A discount whose codes come later."""
    return ids.encode("disc", await discounts.discount(automatic=False))


async def entered(api: Api, cart_gid: str, *codes: str) -> list[str | None]:
    payload = (await api.ok(CODES, {"id": cart_gid, "codes": list(codes)}))["cartDiscountCodesUpdate"]
    return [one["reason"] for one in payload["cart"]["discountCodes"]]


async def test_drawn_codes_are_as_many_as_asked_for_and_work_once(
    api: Api, staff_token: str, drain: Drain, by_code: str
) -> None:
    asked = {"discountId": by_code, "count": 7, "prefix": "SPRING-", "length": 12}
    with patch.object(generating, "BATCH", 3):
        job = (await api.ok(GENERATE, {"input": asked}, token=staff_token))["discountCodesGenerate"]["job"]
        await drain()
    assert job["kind"] == "DISCOUNT_CODES"
    done = (await api.ok(JOB, {"id": job["id"]}, token=staff_token))["job"]
    assert (done["status"], done["done"], done["total"], done["result"]["codes"]) == ("SUCCEEDED", 7, 7, 7)
    response = await api.http.get(await link(api, job["id"], staff_token))
    header, *codes = response.text.split()
    assert (header, len(codes), len(set(codes))) == ("code", 7, 7)
    assert int(response.headers["content-length"]) == len(response.content)
    assert all(re.fullmatch(f"SPRING-[{coupons.ALPHABET}]{{12}}", code) for code in codes)

    product = await catalogue.product(price_minor=2000, stock=10)
    given = await checkout.ready_input(api, (product, 1))
    both = await entered(api, given["cartId"], codes[0], codes[1])
    assert sorted(both, key=str) == ["NOT_COMBINABLE", None], "a discount counts once"
    assert await entered(api, given["cartId"], codes[0].lower()) == [None]
    assert (await checkout.complete(api, given))["order"]
    cart = await carts.cart((product.variant_id, 1))
    assert await entered(api, cart.gid, codes[0], codes[1]) == ["USED_UP", None]
    listed = await api.ok(LIST, {"job": job["id"], "used": True}, token=staff_token)
    assert listed["discountCodes"] == {
        "totalCount": 1,
        "nodes": [{"code": codes[0], "usageLimit": 1, "usedCount": 1, "jobId": job["id"]}],
    }
    await drain()
    assert await invariants.check() == []


async def test_a_job_that_was_interrupted_draws_no_code_too_many(api: Api, by_code: str, drain: Drain) -> None:
    job_id = await generating.request_codes(
        ids.decode("disc", by_code), count=5, prefix=None, length=8, usage_limit=1, created_by=None
    )
    batch = generating._batch
    calls = 0

    async def killed(job: Any, count: int) -> list[str]:
        nonlocal calls
        calls += 1
        if calls == 3:
            await batch(job, count)
            raise ConnectionError("killed behind the insert")
        return await batch(job, count)

    with patch.object(generating, "BATCH", 2), patch.object(generating, "_batch", killed):
        with pytest.raises(ConnectionError):
            await generating.run(job_id)
        assert await db.fetchval("SELECT count(*) FROM discount_codes") == 4, "what was committed stays"
        await generating.run(job_id)
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 5
    assert await db.fetchval("SELECT status FROM jobs WHERE id = $1", job_id) == "SUCCEEDED"
    pieces = await db.fetch("SELECT content FROM upload_chunks ORDER BY position")
    assert b"".join(row["content"] for row in pieces).count(b"\r\n") == 6


async def test_a_code_that_exists_is_drawn_again(api: Api, by_code: str) -> None:
    discount_id = ids.decode("disc", by_code)
    await discounts.discount("AAAAAAAA")
    drawn = iter("AAAAAAAABBBBBBBB")
    with patch("secrets.choice", lambda _: next(drawn)):
        job_id = await generating.request_codes(
            discount_id, count=1, prefix=None, length=8, usage_limit=None, created_by=None
        )
        await generating.run(job_id)
    rows = await db.fetch("SELECT code, usage_limit FROM discount_codes WHERE discount_id = $1", discount_id)
    assert [tuple(row.values()) for row in rows] == [("BBBBBBBB", None)]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"count": 0}, "OUT_OF_RANGE", "count"),
        ({"count": 100_001}, "OUT_OF_RANGE", "count"),
        ({"count": 1, "length": 7}, "OUT_OF_RANGE", "length"),
        ({"count": 1, "prefix": "A B"}, "INVALID", "prefix"),
        ({"count": 1, "prefix": "X" * 60}, "TOO_LONG", "prefix"),
        ({"count": 1, "usageLimit": 0}, "OUT_OF_RANGE", "usageLimit"),
        ({"count": 1, "discountId": f"disc_{'0' * 32}"}, "NOT_FOUND", "discountId"),
    ],
)
async def test_wrong_wishes_queue_nothing(
    api: Api, staff_token: str, by_code: str, given: dict[str, Any], code: str, field: str
) -> None:
    (error,) = await api.refused(GENERATE, {"input": {"discountId": by_code, **given}}, token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert await db.fetchval("SELECT count(*) FROM jobs") == 0


async def test_what_applies_by_itself_takes_no_codes(api: Api, staff_token: str) -> None:
    automatic = ids.encode("disc", await discounts.discount())
    for document, more in ((GENERATE, {"count": 1}), (ADD, {"codes": ["X"]})):
        (error,) = await api.refused(document, {"input": {"discountId": automatic, **more}}, token=staff_token)
        assert (error["code"], error["field"]) == ("CONFLICT", ["input", "discountId"])
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 0


async def test_chosen_codes_come_all_or_none(api: Api, staff_token: str, by_code: str) -> None:
    given = {"discountId": by_code, "codes": ["ONE", " two "], "usageLimit": 5}
    added = (await api.ok(ADD, {"input": given}, token=staff_token))["discountCodesAdd"]["codes"]
    assert [(one["code"], one["usageLimit"]) for one in added] == [("ONE", 5), ("two", 5)]
    again = {"discountId": by_code, "codes": ["THREE", "TWO", "one"]}
    errors = await api.refused(ADD, {"input": again}, token=staff_token)
    assert [(error["code"], error["field"]) for error in errors] == [
        ("CONFLICT", ["input", "codes", "1"]),
        ("CONFLICT", ["input", "codes", "2"]),
    ]
    twice = {"discountId": by_code, "codes": ["FOUR", "four", "a b", ""]}
    errors = await api.refused(ADD, {"input": twice}, token=staff_token)
    assert [(error["code"], error["field"][-1]) for error in errors] == [
        ("INVALID", "2"),
        ("REQUIRED", "3"),
        ("CONFLICT", "1"),
    ]
    assert await db.fetchval("SELECT count(*) FROM discount_codes") == 2


async def test_one_code_is_switched_off_and_the_others_stay(api: Api, staff_token: str, by_code: str) -> None:
    given = {"discountId": by_code, "codes": ["LEAKED", "KEPT"]}
    leaked, _ = (await api.ok(ADD, {"input": given}, token=staff_token))["discountCodesAdd"]["codes"]
    cart = await carts.cart(((await catalogue.product(price_minor=2000)).variant_id, 1))
    await api.ok(DISABLE, {"ids": [leaked["id"]]}, token=staff_token)
    assert await entered(api, cart.gid, "LEAKED", "KEPT") == ["DISABLED", None]
    missing = ids.encode("code", uuid.UUID(int=0))
    (error,) = await api.refused(ENABLE, {"ids": [leaked["id"], missing]}, token=staff_token)
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["ids", "1"])
    assert await entered(api, cart.gid, "LEAKED") == ["DISABLED"]
    await api.ok(ENABLE, {"ids": [leaked["id"]]}, token=staff_token)
    assert await entered(api, cart.gid, "LEAKED") == [None]
