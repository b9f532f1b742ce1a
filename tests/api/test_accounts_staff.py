"""Accounts as staff see and close them."""

from app import db
from app.kit import ids
from app.kit.ids import new_id
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, staff

LIST = """
    query ($first: Int, $after: String, $email: String) {
        customers(first: $first, after: $after, email: $email) {
            totalCount
            nodes { id email emailVerified active sessions { id } marketingConsent { state } }
            pageInfo { hasNextPage endCursor }
        }
    }
"""
ONE = "query ($id: ID!) { customer(id: $id) { email hasPassword sessions { id } } }"


async def test_accounts_are_listed_the_newest_first_and_found_by_their_address(api: Api, staff_token: str) -> None:
    made = [await accounts.signed_in(f"a{number}@example.com", verified=number > 0) for number in range(3)]
    await accounts.signed_in("A0@example.com", verified=False)
    first = (await api.ok(LIST, {"first": 2}, token=staff_token))["customers"]
    assert [node["email"] for node in first["nodes"]] == ["A0@example.com", "a2@example.com"]
    assert first["totalCount"] == 4
    assert first["nodes"][1] == {
        "id": ids.encode("cus", made[2].id),
        "email": "a2@example.com",
        "emailVerified": True,
        "active": True,
        "sessions": [],
        "marketingConsent": [],
    }
    after = {"after": first["pageInfo"]["endCursor"]}
    rest = (await api.ok(LIST, after, token=staff_token))["customers"]
    assert [node["email"] for node in rest["nodes"]] == ["a1@example.com", "a0@example.com"]
    found = (await api.ok(LIST, {"email": " a0@EXAMPLE.com"}, token=staff_token))["customers"]
    assert [node["email"] for node in found["nodes"]] == ["A0@example.com", "a0@example.com"]
    assert (await api.query(LIST, {"email": "\x00"}, token=staff_token)).codes == ["INVALID"]
    assert (await api.query(LIST, {"email": "x" * 201}, token=staff_token)).codes == ["TOO_LONG"]


async def test_one_account_is_read_without_its_sessions(api: Api, staff_token: str) -> None:
    account = await accounts.signed_in("ada@example.com")
    shown = (await api.ok(ONE, {"id": ids.encode("cus", account.id)}, token=staff_token))["customer"]
    assert shown == {"email": "ada@example.com", "hasPassword": False, "sessions": []}
    other = ids.encode("cus", new_id())
    assert (await api.ok(ONE, {"id": other}, token=staff_token))["customer"] is None


async def test_closing_takes_the_permission_and_an_account(api: Api, staff_token: str) -> None:
    account = await accounts.signed_in()
    document = "mutation ($id: ID!) { customerDisable(id: $id) { customer { id } userErrors { code } } }"
    variables = {"id": ids.encode("cus", account.id)}
    reader = await staff.signed_in({Permission.CUSTOMERS_READ})
    assert (await api.refused(document, variables, token=reader))[0]["code"] == "FORBIDDEN"
    assert (await api.refused(document, variables, token=account.token))[0]["code"] == "UNAUTHENTICATED"
    assert await db.fetchval("SELECT is_active FROM customers")
    missing = {"id": ids.encode("cus", new_id())}
    assert (await api.refused(document, missing, token=staff_token))[0]["code"] == "NOT_FOUND"
    for _ in range(2):
        await api.ok(document, variables, token=staff_token)
    assert not await db.fetchval("SELECT is_active FROM customers")
