"""Fields that not everybody sees who sees their object: all of them are in FIELDS, and shown to nobody else."""

from dataclasses import dataclass
from typing import Any

import pytest

from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import staff
from tests.security.client_schema import client_schema
from tests.security.matrix import walking
from tests.security.matrix.state import taken_back
from tests.security.matrix.table import NODES, P
from tests.security.matrix.things import Shop, a_shop
from tests.security.matrix.viewers import EVERYTHING, Viewers


@dataclass(frozen=True, slots=True)
class Shown:
    staff: P | None = None
    """To staff with this permission, besides the one that shows the object."""
    owner: bool = False
    """To the account that the object belongs to."""


OWNER_ALONE = Shown(owner=True)
FIELDS: dict[str, dict[str, Shown]] = {
    "Customer": {
        "cart": OWNER_ALONE,  # its id holds the secret
        "carts": OWNER_ALONE,
        "marketingConsent": OWNER_ALONE,  # staff: `consents`
        "orders": Shown(P.ORDERS_READ, owner=True),
        "paymentMethods": OWNER_ALONE,
        "sessions": OWNER_ALONE,
        "storeCredit": Shown(P.GIFT_CARDS_READ, owner=True),
    },
    "DraftOrder": {"url": Shown(P.DRAFT_ORDERS_WRITE)},  # whoever has it can place the order
    "Order": {"payments": Shown(P.ORDERS_READ)},
    "ProductVariant": {
        "availableQuantity": Shown(P.PRODUCTS_READ),  # to others up to the shop's limit
        "cost": Shown(P.PRODUCTS_READ),
        "stockLevels": Shown(P.PRODUCTS_READ),
    },
    "Profile": {"flowRuns": Shown(P.MARKETING_READ), "orders": Shown(P.ORDERS_READ)},
}
OF_TYPE = {
    "camp": "Campaign", "cadd": "CustomerAddress", "cart": "Cart", "chk": "Checkout", "cline": "CartLine",
    "code": "DiscountCode", "coll": "Collection", "cus": "Customer", "dead": "DeadLetter", "disc": "Discount",
    "comp": "Company", "draft": "DraftOrder", "oapr": "OrderApproval",
    "gc": "GiftCard", "invc": "Invoice", "scred": "StoreCreditAccount",
    "flow": "Flow", "frun": "FlowRun", "ful": "Fulfillment", "fver": "FlowVersion", "job": "Job", "msg": "Message",
    "oline": "OrderLine", "ord": "Order", "pm": "SavedPaymentMethod", "priv": "PrivacyRequest", "prod": "Product",
    "prof": "Profile", "ref": "Refund", "seg": "Segment", "staff": "StaffUser", "survey": "SurveyResponse",
    "szone": "ShippingZone",
    "tmpl": "Template", "var": "ProductVariant", "wh": "Warehouse", "whd": "WebhookDelivery", "whe": "WebhookEndpoint",
    "mkt": "Market", "plist": "PriceList", "cgrp": "CustomerGroup",
}  # fmt: skip


@pytest.fixture
async def shop(api: Api) -> Shop:
    return await a_shop(api, await staff.signed_in(set(Permission)))


def there(node: dict[str, Any]) -> set[str]:
    """The fields that say something."""
    return {
        name
        for name, value in node.items()
        if value not in (None, [], {}) and not (isinstance(value, dict) and value.get("nodes") == [])
    }


async def test_fields_that_not_everybody_sees_are_shown_to_those_in_the_table(api: Api, shop: Shop) -> None:
    viewers, wrong = Viewers(shop), []
    for prefix, kind in OF_TYPE.items():
        row, hidden = NODES[prefix], FIELDS.get(kind, {})
        thing = shop.given[prefix] if prefix in ("prod", "var", "coll") else shop.things[row.kind].id
        needed = row.staff or frozenset()
        extra = {shown.staff for shown in hidden.values() if shown.staff}
        asking: dict[str, tuple[str | None, frozenset[P], bool]] = {
            "nobody": (None, frozenset(), False),
            "another customer": (shop.other.token, frozenset(), False),
            "the owner": (shop.owner.token, frozenset(), True),
        }
        for permissions in [needed, EVERYTHING, *(EVERYTHING - {one} for one in extra), *(needed | {x} for x in extra)]:
            name = "staff with " + ", ".join(sorted(permissions))
            asking[name] = (await viewers.staff(permissions), permissions, False)
        document = (
            f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {walking.every_field_of(client_schema(), kind)} }} }}"
        )
        seen = {}
        for name, (token, permissions, owns) in asking.items():
            node = (await api.ok(document, {"id": thing}, token=token))["node"]
            if node is not None:
                seen[name] = (there(node), permissions, owns)
        assert seen, f"nobody sees {kind}"
        everything = set().union(*(fields for fields, _, _ in seen.values()))
        assert set(hidden) <= everything, f"nobody sees {set(hidden) - everything} of {kind}"
        for name, (fields, permissions, owns) in seen.items():
            allowed = {
                field
                for field in everything
                if field not in hidden
                or (hidden[field].owner and owns)
                or (hidden[field].staff is not None and hidden[field].staff in permissions)
            }
            if fields != allowed:
                wrong.append(
                    f"{kind}: {name} sees {fields - allowed or 'no more'} and not {allowed - fields or 'less'}"
                )
    assert not wrong, "say in FIELDS who sees them, or mend it:\n" + "\n".join(wrong)


def test_every_kind_of_node_is_looked_at() -> None:
    assert set(OF_TYPE) == set(NODES), "say in OF_TYPE what its type is"


async def test_a_list_shows_what_is_hidden_to_those_alone_who_may_see_it(api: Api, shop: Shop) -> None:
    viewers, hidden = Viewers(shop), {shop.things["prod"].id, shop.things["coll"].id}
    document = "{ products(first: 100) { nodes { id } } collections(first: 100) { nodes { id } } }"
    may = await viewers.staff(frozenset({P.PRODUCTS_READ}))
    may_not = await viewers.staff(EVERYTHING - {P.PRODUCTS_READ})
    for token, sees in ((None, False), (shop.owner.token, False), (may_not, False), (may, True)):
        found = await api.ok(document, token=token)
        listed = {node["id"] for connection in found.values() for node in connection["nodes"]}
        assert hidden <= listed if sees else not hidden & listed


async def test_to_change_somebody_is_not_to_read_them(api: Api, shop: Shop) -> None:
    viewers, things = Viewers(shop), {kind: thing.id for kind, thing in shop.things.items()}
    attempts = [
        ("profileUpdate(id: $id, input: {}) { profile", things["prof"], P.CUSTOMERS_WRITE, P.CUSTOMERS_READ),
        ("customerEnable(id: $id) { customer", things["cus"], P.CUSTOMERS_WRITE, P.CUSTOMERS_READ),
        (
            'orderEdit(orderId: $id, input: {shippingMethod: "By hand"}) { order',
            things["ord unpaid"],
            P.ORDERS_WRITE,
            P.ORDERS_READ,
        ),
        (
            'orderManualPaymentCreate(input: {orderId: $id, method: BANK_TRANSFER, idempotencyKey: "key"}) { order',
            things["ord unpaid"],
            P.ORDERS_WRITE,
            P.ORDERS_READ,
        ),
        ("orderMarkAsPaid(orderId: $id) { order", things["ord unpaid"], P.ORDERS_WRITE, P.ORDERS_READ),
        ("orderCancel(orderId: $id) { order", things["ord unpaid"], P.ORDERS_WRITE, P.ORDERS_READ),
    ]
    for field, value, write, read in attempts:
        document = f"mutation ($id: ID!) {{ {field} {{ email }} userErrors {{ code }} }} }}"
        for permissions, sees in ((frozenset({write}), False), (frozenset({write, read}), True)):
            token = await viewers.staff(permissions)
            async with taken_back():
                done = await api.ok(document, {"id": value}, token=token)
            (payload,) = done.values()
            assert (payload[field.split()[-1]] is not None) == sees, field
