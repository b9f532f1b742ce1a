"""The address book of an account."""

import asyncio
from typing import Any

import pytest

from app import db
from app.accounts.address_book import MAX_ADDRESSES
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import accounts, staff
from tests.factories.accounts import Account
from tests.factories.checkout import ADDRESS

FIELDS = "id lastName address1 city provinceCode postalCode countryCode isDefaultShipping isDefaultBilling formatted"
ANSWER = f"{{ address {{ {FIELDS} }} userErrors {{ code field }} }}"
CREATE = f"""mutation ($address: AddressInput!, $shipping: Boolean, $billing: Boolean) {{
    customerAddressCreate(address: $address, defaultShipping: $shipping, defaultBilling: $billing) {ANSWER} }}"""
UPDATE = f"""mutation ($id: ID!, $address: AddressInput, $shipping: Boolean, $billing: Boolean) {{
    customerAddressUpdate(id: $id, address: $address, defaultShipping: $shipping, defaultBilling: $billing) {ANSWER}
}}"""
DELETE = "mutation ($id: ID!) { customerAddressDelete(id: $id) { deletedId userErrors { code field } } }"
DEFAULTS = """mutation ($shipping: ID, $billing: ID) {
    customerAddressDefaultUpdate(shippingAddressId: $shipping, billingAddressId: $billing) {
        defaultShippingAddress { id } defaultBillingAddress { id } userErrors { code field }
    } }"""
BOOK = f"{{ me {{ addresses {{ {FIELDS} }} defaultShippingAddress {{ id }} defaultBillingAddress {{ id }} }} }}"
NODE = "query ($id: ID!) { node(id: $id) { id ... on CustomerAddress { lastName } } }"


async def create(api: Api, account: Account, address: dict[str, Any] = ADDRESS, **defaults: bool) -> dict[str, Any]:
    answer = await api.ok(CREATE, {"address": address, **defaults}, token=account.token)
    return answer["customerAddressCreate"]["address"]  # type: ignore[no-any-return]


async def book(api: Api, account: Account) -> dict[str, Any]:
    return (await api.ok(BOOK, token=account.token))["me"]  # type: ignore[no-any-return]


def defaults_of(shown: dict[str, Any]) -> tuple[str | None, str | None]:
    shipping, billing = shown["defaultShippingAddress"], shown["defaultBillingAddress"]
    return shipping and shipping["id"], billing and billing["id"]


async def refused(api: Api, document: str, account: Account | None, **variables: Any) -> list[tuple[str, Any]]:
    async def rows() -> Any:
        return (
            await db.fetch("SELECT * FROM customer_addresses ORDER BY id"),
            await db.fetch("SELECT * FROM customers ORDER BY id"),
        )

    before = await rows()
    errors = await api.refused(document, variables, token=account.token if account else None)
    assert await rows() == before
    return [(error["code"], error["field"]) for error in errors]


async def test_addresses_are_kept_as_their_country_writes_them(api: Api) -> None:
    ada = await accounts.signed_in()
    first = await create(api, ada, {**ADDRESS, "provinceCode": "California", "postalCode": " 94103 "})
    assert (first["provinceCode"], first["postalCode"]) == ("CA", "94103")
    second = await create(
        api, ada, {"lastName": "Lovelace", "address1": "12 St James's Sq", "city": "London", "postalCode": "sw1y4lb",
                   "countryCode": "GB"}, shipping=True, billing=True,
    )  # fmt: skip
    assert second["postalCode"] == "SW1Y 4LB"
    shown = await book(api, ada)
    assert [one["id"] for one in shown["addresses"]] == [second["id"], first["id"]]
    assert defaults_of(shown) == (second["id"], second["id"])


async def test_an_address_that_its_country_does_not_know_is_refused(api: Api) -> None:
    ada = await accounts.signed_in()
    wrong = {**ADDRESS, "provinceCode": "XX", "postalCode": "1"}
    errors = await refused(api, CREATE, ada, address=wrong)
    assert [field for _, field in errors] == [["address", "provinceCode"], ["address", "postalCode"]]
    kept = await create(api, ada)
    errors = await refused(api, UPDATE, ada, id=kept["id"], address=wrong)
    assert [field for _, field in errors] == [["address", "provinceCode"], ["address", "postalCode"]]


async def test_changing_one_and_its_defaults(api: Api) -> None:
    ada = await accounts.signed_in()
    first, second = await create(api, ada, shipping=True, billing=True), await create(api, ada)
    changed = {"id": second["id"], "address": {**ADDRESS, "lastName": "King"}, "shipping": True, "billing": False}
    answer = (await api.ok(UPDATE, changed, token=ada.token))["customerAddressUpdate"]["address"]
    assert (answer["lastName"], answer["isDefaultShipping"], answer["isDefaultBilling"]) == ("King", True, False)
    # What is not a default cannot take the default from the one that is.
    assert defaults_of(await book(api, ada)) == (second["id"], first["id"])
    await api.ok(UPDATE, {"id": second["id"], "shipping": False}, token=ada.token)
    shown = await book(api, ada)
    assert defaults_of(shown) == (None, first["id"])
    assert [one["lastName"] for one in shown["addresses"]] == ["King", "Lovelace"]


async def test_choosing_defaults(api: Api) -> None:
    ada = await accounts.signed_in()
    first, second = await create(api, ada), await create(api, ada)
    chosen = {"shipping": first["id"], "billing": second["id"]}
    answer = (await api.ok(DEFAULTS, chosen, token=ada.token))["customerAddressDefaultUpdate"]
    assert defaults_of(answer) == (first["id"], second["id"])
    # What is left out stays, null chooses none.
    answer = (await api.ok(DEFAULTS, {"shipping": None}, token=ada.token))["customerAddressDefaultUpdate"]
    assert defaults_of(answer) == (None, second["id"])


async def test_a_deleted_address_is_no_default_any_more(api: Api) -> None:
    ada = await accounts.signed_in()
    kept = await create(api, ada, shipping=True, billing=True)
    answer = await api.ok(DELETE, {"id": kept["id"]}, token=ada.token)
    assert answer["customerAddressDelete"]["deletedId"] == kept["id"]
    assert await book(api, ada) == {"addresses": [], "defaultShippingAddress": None, "defaultBillingAddress": None}
    assert await refused(api, DELETE, ada, id=kept["id"]) == [("NOT_FOUND", ["id"])]


@pytest.mark.parametrize(
    ("document", "argument", "field", "more"),
    [
        pytest.param(UPDATE, "id", "id", {"address": ADDRESS}, id="write"),
        pytest.param(UPDATE, "id", "id", {"shipping": True}, id="make it a default"),
        pytest.param(DELETE, "id", "id", {}, id="delete"),
        pytest.param(DEFAULTS, "shipping", "shippingAddressId", {}, id="choose"),
    ],
)
async def test_an_address_book_is_its_owners_alone(
    api: Api, document: str, argument: str, field: str, more: dict[str, Any]
) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    variables = {argument: (await create(api, ada))["id"], **more}
    assert await refused(api, document, bob, **variables) == [("NOT_FOUND", [field])]
    assert await refused(api, document, None, **variables) == [("UNAUTHENTICATED", None)]
    assert (await book(api, bob))["addresses"] == []


async def test_who_may_look_at_an_address_by_its_id(api: Api) -> None:
    ada, bob = await accounts.signed_in(), await accounts.signed_in()
    kept = await create(api, ada)
    may, may_not = await staff.signed_in({Permission.CUSTOMERS_READ}), await staff.signed_in({Permission.ORDERS_READ})
    for token, sees in ((ada.token, True), (bob.token, False), (None, False), (may, True), (may_not, False)):
        found = (await api.ok(NODE, {"id": kept["id"]}, token=token))["node"]
        assert (found is not None) == sees


async def test_a_full_address_book_takes_no_more_from_parallel_requests(api: Api) -> None:
    ada = await accounts.signed_in()
    await db.execute(
        """
        INSERT INTO customer_addresses (id, customer_id, address, created_at, updated_at)
        SELECT gen_random_uuid(), $1, '{"last_name": "L", "address1": "1", "city": "C", "country_code": "US"}',
               business_now(), business_now()
        FROM generate_series(1, $2)
        """,
        ada.id,
        MAX_ADDRESSES - 2,
    )
    answers = await asyncio.gather(*(api.query(CREATE, {"address": ADDRESS}, token=ada.token) for _ in range(6)))
    errors = [answer.data["customerAddressCreate"]["userErrors"] for answer in answers if answer.data]
    assert sorted(errors, key=len) == [[], []] + [[{"code": "TOO_MANY", "field": ["address"]}]] * 4
    assert len((await book(api, ada))["addresses"]) == MAX_ADDRESSES


async def test_deleting_and_choosing_a_default_at_once(api: Api) -> None:
    ada = await accounts.signed_in()
    for _ in range(5):
        kept = await create(api, ada)
        chosen, deleted = await asyncio.gather(
            api.query(DEFAULTS, {"shipping": kept["id"], "billing": kept["id"]}, token=ada.token),
            api.query(DELETE, {"id": kept["id"]}, token=ada.token),
        )
        assert not chosen.errors
        assert not deleted.errors
        assert defaults_of(await book(api, ada)) == (None, None)
