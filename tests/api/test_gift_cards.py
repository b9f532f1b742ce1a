"""Gift cards and store credit as staff handle them, and as whoever has a code sees them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db, invariants
from app.gift_cards.entering import WRONG_CODES
from app.kit import ids
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, gift_cards, shop, staff

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]

CARD = """id balance { amount currencyCode } initialValue { amount } lastCharacters status expiresAt recipientEmail
    entries { type amount { amount } reason }"""
ISSUE = f"""mutation ($input: GiftCardIssueInput!) {{
    giftCardIssue(input: $input) {{ giftCard {{ {CARD} }} code userErrors {{ code field }} }}
}}"""
FIND = f"query ($id: ID!) {{ giftCard(id: $id) {{ {CARD} }} }}"
BALANCE = """query ($code: String!) {
    giftCardBalance(code: $code) { balance { amount } lastCharacters status }
}"""
FIFTY = {"amount": "50.00", "currencyCode": "USD"}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def issued(api: Api, token: str, **more: Any) -> dict[str, Any]:
    payload: dict[str, Any] = (await api.ok(ISSUE, {"input": {"amount": FIFTY, **more}}, token=token))["giftCardIssue"]
    return payload


async def inbox(api: Api, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.ok("{ devInbox(first: 20) { to html text } }", token=token))["devInbox"]
    return found


async def change(api: Api, token: str, name: str, arguments: str = "", **variables: Any) -> dict[str, Any]:
    """The payload of a mutation of a card; `arguments` are declared as in `$delta: Decimal!, $reason: String!`."""
    names = [part.split(":")[0].strip().lstrip("$") for part in arguments.split(",") if part]
    passed = "".join(f", {one}: ${one}" for one in names)
    declared = f", {arguments}" if arguments else ""
    document = f"""mutation ($id: ID!{declared}) {{
        {name}(id: $id{passed}) {{ giftCard {{ {CARD} }} userErrors {{ code field }} }}
    }}"""
    result = await api.query(document, variables, token=token)
    assert not result.errors, result.errors
    payload: dict[str, Any] = (result.data or {})[name]
    return payload


async def test_a_card_is_issued_with_its_code_and_mailed(api: Api, staff_token: str, drain: Drain) -> None:
    made = await issued(api, staff_token, recipientEmail="Grace@Example.com", message="Happy birthday!\nAda")
    card, code = made["giftCard"], made["code"]
    assert card["id"].startswith("gc_")
    assert card["balance"] == {"amount": "50.00", "currencyCode": "USD"}
    assert (card["status"], card["initialValue"]["amount"]) == ("ACTIVE", "50.00")
    assert code[-4:] == card["lastCharacters"]
    assert card["entries"] == [{"type": "ISSUE", "amount": {"amount": "50.00"}, "reason": None}]
    await drain()
    (mail,) = await inbox(api, staff_token)
    assert mail["to"] == "Grace@example.com"
    for part in (mail["html"], mail["text"]):
        assert code in part
        assert "$50.00" in part
        assert "Happy birthday!" in part
    assert code not in str([dict(row) for row in await db.fetch("SELECT * FROM events")])
    found = (await api.ok(FIND, {"id": card["id"]}, token=staff_token))["giftCard"]
    assert found == card


async def test_a_card_that_is_given_later_is_mailed_then(api: Api, staff_token: str, advance: Advance) -> None:
    later = await db.fetchval("SELECT (business_now() + interval '3 days')::text")
    await issued(api, staff_token, recipientEmail="grace@example.com", sendAt=later.replace(" ", "T") + ":00")
    await advance("P2D")
    assert await inbox(api, staff_token) == []
    await advance("P2D")
    assert len(await inbox(api, staff_token)) == 1


@pytest.mark.parametrize(
    ("input", "error"),
    [
        ({"amount": {**FIFTY, "amount": "0"}}, ("OUT_OF_RANGE", ["input", "amount"])),
        ({"amount": {**FIFTY, "amount": "1.001"}}, ("INVALID", ["input", "amount", "amount"])),
        ({"amount": {**FIFTY, "amount": "1.500"}}, ("INVALID", ["input", "amount", "amount"])),
        ({"amount": {**FIFTY, "currencyCode": "EUR"}}, ("INVALID", ["input", "amount", "currencyCode"])),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, ("OUT_OF_RANGE", ["input", "expiresAt"])),
        ({"recipientEmail": "nobody"}, ("INVALID_EMAIL", ["input", "recipientEmail"])),
        ({"sendAt": "2027-01-01T00:00:00Z"}, ("REQUIRED", ["input", "recipientEmail"])),
        ({"message": "x" * 1001}, ("TOO_LONG", ["input", "message"])),
    ],
)
async def test_what_makes_no_card_is_refused(
    api: Api, staff_token: str, input: dict[str, Any], error: tuple[str, list[str]]
) -> None:
    result = await api.query(ISSUE, {"input": {"amount": FIFTY, **input}}, token=staff_token)
    payload = (result.data or {})["giftCardIssue"]
    assert [(one["code"], one["field"]) for one in payload["userErrors"]] == [error]
    assert payload["code"] is None
    assert await db.fetchval("SELECT count(*) FROM stored_values") == 0


async def test_what_is_no_amount_makes_no_card(api: Api, staff_token: str) -> None:
    for amount in ("1e5", "+50", " 50", "5_0", "NaN", "\u0665\u0660"):
        refused = await api.query(ISSUE, {"input": {"amount": {**FIFTY, "amount": amount}}}, token=staff_token)
        assert refused.codes == ["BAD_USER_INPUT"], amount
    document = "mutation { giftCardIssue(input: {amount: {amount: 1e5, currencyCode: USD}}) { code } }"
    assert (await api.query(document, token=staff_token)).codes == ["GRAPHQL_VALIDATION_FAILED"]
    assert await db.fetchval("SELECT count(*) FROM stored_values") == 0


async def test_staff_put_a_card_right_and_switch_it(api: Api, staff_token: str) -> None:
    card = (await issued(api, staff_token))["giftCard"]["id"]
    arguments = "$delta: Decimal!, $reason: String!"
    taken = await change(api, staff_token, "giftCardAdjust", arguments, id=card, delta="-20", reason="Spent by phone")
    assert taken["giftCard"]["balance"]["amount"] == "30.00"
    assert taken["giftCard"]["entries"][0] == {
        "type": "ADJUST", "amount": {"amount": "-20.00"}, "reason": "Spent by phone"
    }  # fmt: skip
    for delta, reason, code in (("-30.01", "x", "BALANCE_TOO_LOW"), ("0", "x", "OUT_OF_RANGE"), ("1", " ", "REQUIRED")):
        refused = await change(api, staff_token, "giftCardAdjust", arguments, id=card, delta=delta, reason=reason)
        assert [one["code"] for one in refused["userErrors"]] == [code]
    off = await change(api, staff_token, "giftCardDisable", id=card)
    assert (off["giftCard"]["status"], off["giftCard"]["balance"]["amount"]) == ("DISABLED", "30.00")
    refused = await change(api, staff_token, "giftCardResend", id=card)
    assert [one["code"] for one in refused["userErrors"]] == ["GIFT_CARD_DISABLED"]
    on = await change(api, staff_token, "giftCardEnable", id=card)
    assert on["giftCard"]["status"] == "ACTIVE"
    assert await invariants.check() == []


async def test_a_card_is_mailed_once_more_to_another_address(api: Api, staff_token: str, drain: Drain) -> None:
    made = await issued(api, staff_token)
    card, arguments = made["giftCard"]["id"], "$recipientEmail: String"
    refused = await change(api, staff_token, "giftCardResend", id=card)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [("REQUIRED", ["recipientEmail"])]
    for _ in range(2):
        await change(api, staff_token, "giftCardResend", arguments, id=card, recipientEmail="grace@example.com")
    await drain()
    mails = await inbox(api, staff_token)
    assert [mail["to"] for mail in mails] == ["grace@example.com"] * 2
    assert all(made["code"] in mail["text"] for mail in mails)


async def test_a_card_switched_off_before_its_mail_went_is_not_mailed(api: Api, staff_token: str, drain: Drain) -> None:
    card = (await issued(api, staff_token, recipientEmail="grace@example.com"))["giftCard"]["id"]
    await change(api, staff_token, "giftCardDisable", id=card)
    await drain()
    assert await inbox(api, staff_token) == []


async def test_cards_are_found_by_their_last_characters(api: Api, staff_token: str) -> None:
    made = [(await issued(api, staff_token))["giftCard"] for _ in range(3)]
    document = """query ($last: String) {
        giftCards(lastCharacters: $last, first: 2) { totalCount nodes { id } pageInfo { hasNextPage } }
    }"""
    page = (await api.ok(document, token=staff_token))["giftCards"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    assert [one["id"] for one in page["nodes"]] == [made[2]["id"], made[1]["id"]]
    found = (await api.ok(document, {"last": made[0]["lastCharacters"].lower()}, token=staff_token))["giftCards"]
    assert made[0]["id"] in [one["id"] for one in found["nodes"]]
    assert (await api.query(document, {"last": "%"}, token=staff_token)).codes == ["INVALID"]


async def test_who_issues_cards_need_not_be_able_to_read_them(api: Api) -> None:
    token = await staff.signed_in({Permission.GIFT_CARDS_WRITE})
    made = await issued(api, token)
    assert made["code"]
    assert made["giftCard"] is None


async def test_who_has_the_code_sees_the_balance(api: Api) -> None:
    card = await gift_cards.gift_card(1234)
    found = (await api.ok(BALANCE, {"code": card.code.lower().replace("-", "")}))["giftCardBalance"]
    assert found == {"balance": {"amount": "12.34"}, "lastCharacters": card.code[-4:], "status": "ACTIVE"}
    assert (await api.ok(BALANCE, {"code": "BCDF-GHJK-MNPQ-RTVW"}))["giftCardBalance"] is None
    assert (await api.query(BALANCE, {"code": " "})).codes == ["REQUIRED"]


async def test_who_guesses_codes_hears_to_wait_and_right_ones_are_no_guesses(api: Api) -> None:
    card = await gift_cards.gift_card()
    for _ in range(WRONG_CODES + 5):
        assert (await api.ok(BALANCE, {"code": card.code}))["giftCardBalance"]
    for number in range(WRONG_CODES):
        assert (await api.ok(BALANCE, {"code": f"WRONG{number}"}))["giftCardBalance"] is None
    assert (await api.query(BALANCE, {"code": card.code})).codes == ["RATE_LIMITED"]


async def test_store_credit_is_granted_once_for_a_key_and_seen_by_its_owner(api: Api, staff_token: str) -> None:
    owner, other = await accounts.signed_in("ada@example.com"), await accounts.signed_in("eve@example.com")
    change = """mutation ($input: StoreCreditInput!) {
        %s(input: $input) { account { id balance { amount } } userErrors { code field } }
    }"""
    given: dict[str, Any] = {
        "customerId": ids.encode("cus", owner.id), "amount": {"amount": "20", "currencyCode": "USD"},
        "reason": "Late parcel", "idempotencyKey": "one",
    }  # fmt: skip
    for _ in range(2):
        account = (await api.ok(change % "storeCreditGrant", {"input": given}, token=staff_token))["storeCreditGrant"]
    assert account["account"]["balance"]["amount"] == "20.00"
    await api.ok(
        change % "storeCreditGrant",
        {"input": {**given, "customerId": ids.encode("cus", other.id)}},
        token=staff_token,
    )
    less = {**given, "amount": {"amount": "5", "currencyCode": "USD"}, "idempotencyKey": "two", "reason": "Mistake"}
    await api.ok(change % "storeCreditDebit", {"input": less}, token=staff_token)
    much = {**less, "amount": {"amount": "15.01", "currencyCode": "USD"}, "idempotencyKey": "three"}
    refused = await api.query(change % "storeCreditDebit", {"input": much}, token=staff_token)
    assert (refused.data or {})["storeCreditDebit"]["userErrors"] == [
        {"code": "BALANCE_TOO_LOW", "field": ["input", "amount"]}
    ]
    mine = "{ me { storeCredit { id balance { amount } entries { type amount { amount } reason } } } }"
    (seen,) = (await api.ok(mine, token=owner.token))["me"]["storeCredit"]
    assert seen["balance"]["amount"] == "15.00"
    assert [(one["type"], one["amount"]["amount"], one["reason"]) for one in seen["entries"]] == [
        ("ADJUST", "-5.00", "Mistake"),
        ("ISSUE", "20.00", "Late parcel"),
    ]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await api.ok(node, {"id": seen["id"]}, token=owner.token))["node"]
    assert (await api.ok(node, {"id": seen["id"]}, token=other.token))["node"] is None
    assert await invariants.check() == []
