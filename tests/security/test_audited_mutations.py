"""Every guarded mutation, done by somebody who may: what it changed is in the audit log, under exactly one entry."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLSchema

from app import db
from app.kit import ids
from app.staff.permissions import Permission
from app.webhooks import service as webhooks
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, discounts, flow_rows, marketing, segments, staff
from tests.factories.fulfillments import fulfill
from tests.security.client_schema import client_schema
from tests.security.matrix.state import everything
from tests.security.test_access_matrix import CUSTOMER, MATRIX, PUBLIC

pytestmark = pytest.mark.long

GUARDED = {name for name, needed in MATRIX["Mutation"].items() if needed not in (PUBLIC, CUSTOMER)}
Given = Callable[[dict[str, str]], dict[str, Any]]

DOLLARS = {"amount": "5", "currencyCode": "USD"}
WRITTEN = {
    "lines": [{"title": "Work", "quantity": 1, "unitPrice": DOLLARS}],
    "email": "work@example.com",
}
CREDIT = {"amount": DOLLARS, "reason": "Sorry"}

# Asked one after the other, of one shop: what an earlier one made, a later one may use. `of["ord"]` is an id.
STEPS: list[tuple[str, Given]] = [
    ("apiKeyCreate", lambda of: {"input": {"name": "ERP", "permissions": ["ORDERS_READ"]}}),
    ("apiKeyRevoke", lambda of: {"id": of["key"]}),
    ("campaignCreate", lambda of: {"input": {"name": "Sale", "templateKey": "news"}}),
    ("campaignUpdate", lambda of: {"id": of["camp"], "input": {"name": "Sales"}}),
    ("campaignTestSend", lambda of: {"id": of["camp"], "to": "me@example.com"}),
    ("campaignSend", lambda of: {"id": of["camp"]}),
    ("campaignPause", lambda of: {"id": of["camp"]}),
    ("campaignResume", lambda of: {"id": of["camp"]}),
    ("campaignCancel", lambda of: {"id": of["camp"]}),
    ("campaignCreate", lambda of: {"input": {"name": "Sale", "templateKey": "news"}}),
    (
        "campaignSchedule",
        lambda of: {"id": of["camp"], "input": {"sendAt": "2027-11-01T00:00:00Z", "inLocalTime": False}},
    ),
    ("campaignCreate", lambda of: {"input": {"name": "Gone", "templateKey": "news"}}),
    ("campaignDelete", lambda of: {"id": of["camp"]}),
    ("collectionCreate", lambda of: {"input": {"name": "Hats"}}),
    ("collectionProductsAdd", lambda of: {"id": of["coll"], "productIds": [of["prod"]]}),
    ("collectionProductsReorder", lambda of: {"id": of["coll"], "moves": [{"productId": of["prod"], "position": 1}]}),
    ("collectionProductsRemove", lambda of: {"id": of["coll"], "productIds": [of["prod"]]}),
    ("collectionUpdate", lambda of: {"id": of["coll"], "input": {"name": "Caps"}}),
    ("collectionDelete", lambda of: {"id": of["coll"]}),
    ("consentTextCreate", lambda of: {"input": {"channel": "EMAIL", "language": "en", "text": "Yes, write to me."}}),
    ("consentRecord", lambda of: {"input": {"profileId": of["prof"], "channel": "EMAIL", "granted": True}}),
    ("crmConnectionCreate", lambda of: {"input": {"adapter": "hubspot", "name": "CRM", "apiKey": "planted-secret"}}),
    ("crmConnectionUpdate", lambda of: {"id": of["crm"], "input": {"name": "Other", "apiKey": "planted-secret-2"}}),
    ("crmConnectionSync", lambda of: {"id": of["crm"]}),
    ("crmConnectionSwitch", lambda of: {"id": of["crm"], "enabled": False}),
    ("crmConnectionDelete", lambda of: {"id": of["crm"]}),
    ("customerDisable", lambda of: {"id": of["cus"]}),
    ("customerEnable", lambda of: {"id": of["cus"]}),
    ("deadLetterReplay", lambda of: {"id": of["dead"]}),
    ("discountCreate", lambda of: {"input": {"name": "Ten", "percentage": "10", "code": "TEN"}}),
    (
        "discountCreate",
        lambda of: {"input": {"name": "Gift", "automatic": False, "buyXGetY": {"buyQuantity": 2}}},
    ),
    ("discountCodesAdd", lambda of: {"input": {"discountId": of["disc"], "codes": ["ONE", "TWO"]}}),
    ("discountCodesGenerate", lambda of: {"input": {"discountId": of["disc"], "count": 10}}),
    ("discountCodesDisable", lambda of: {"ids": [of["code"]]}),
    ("discountCodesEnable", lambda of: {"ids": [of["code"]]}),
    ("discountUpdate", lambda of: {"id": of["disc"], "input": {"name": "Eleven"}}),
    ("discountDisable", lambda of: {"id": of["disc"]}),
    ("discountEnable", lambda of: {"id": of["disc"]}),
    ("companyCreate", lambda of: {"input": {"name": "Acme", "paymentTermsDays": 30}}),
    ("companyUpdate", lambda of: {"id": of["comp"], "input": {"name": "Acme Ltd"}}),
    ("companyMemberInvite", lambda of: {"input": {"companyId": of["comp"], "email": "buyer@company.example"}}),
    ("companyMemberUpdate", lambda of: {"id": of["cmem"], "input": {"role": "APPROVER"}}),
    ("companyMemberRemove", lambda of: {"id": of["cmem"]}),
    ("draftOrderCreate", lambda of: {"input": WRITTEN}),
    ("draftOrderUpdate", lambda of: {"id": of["draft"], "input": WRITTEN}),
    ("draftOrderSend", lambda of: {"input": {"id": of["draft"]}}),
    ("draftOrderMarkComplete", lambda of: {"input": {"id": of["draft"], "paidBy": "BANK_TRANSFER"}}),
    ("draftOrderCreate", lambda of: {"input": WRITTEN}),
    ("draftOrderDelete", lambda of: {"id": of["draft"]}),
    ("flowPause", lambda of: {"id": of["flow"]}),
    ("flowResume", lambda of: {"id": of["flow"]}),
    ("flowBackfill", lambda of: {"id": of["flow"]}),
    ("flowMigrate", lambda of: {"id": of["flow"], "toVersion": 1}),
    ("flowRunEnd", lambda of: {"id": of["frun"]}),
    (
        "giftCardIssue",
        lambda of: {"input": {"amount": {"amount": "5", "currencyCode": "USD"}, "recipientEmail": "gift@example.com"}},
    ),
    (
        "giftSettingsUpdate",
        lambda of: {"input": {"wrappingEnabled": True, "prices": [{"order": DOLLARS, "unit": DOLLARS}]}},
    ),
    ("giftCardAdjust", lambda of: {"id": of["gc"], "delta": "1", "reason": "Sorry"}),
    ("giftCardResend", lambda of: {"id": of["gc"], "recipientEmail": "other@example.com"}),
    ("giftCardDisable", lambda of: {"id": of["gc"]}),
    ("giftCardEnable", lambda of: {"id": of["gc"]}),
    ("storeCreditGrant", lambda of: {"input": {"customerId": of["cus"], **CREDIT}}),
    ("storeCreditDebit", lambda of: {"input": {"customerId": of["cus"], **CREDIT}}),
    ("inventoryAdjust", lambda of: {"input": {"variantId": of["var"], "delta": 5}}),
    ("marketingSettingsUpdate", lambda of: {"input": {"attributionDays": 7}}),
    ("trackingEventAdd", lambda of: {"input": {"fulfillmentId": of["ful"], "status": "IN_TRANSIT"}}),
    ("productCreate", lambda of: {"input": {"name": "Hat", "variants": [{"sku": "HAT", "price": "10"}]}}),
    ("productUpdate", lambda of: {"id": of["prod"], "input": {"name": "Top hat"}}),
    ("productsImport", lambda of: {"input": {"csv": "Handle,Title\nmug,Mug\n"}}),
    ("profileUpdate", lambda of: {"id": of["prof"], "input": {"firstName": "Ada"}}),
    ("referralProgramUpdate", lambda of: {"input": {"enabled": False, "rewardValidDays": 30}}),
    ("retentionPeriodUpdate", lambda of: {"kind": "ABANDONED_CARTS", "days": 90}),
    ("segmentCreate", lambda of: {"input": {"key": "all", "name": "All", "condition": "true"}}),
    ("segmentUpdate", lambda of: {"id": of["seg"], "input": {"name": "Everybody"}}),
    ("segmentDelete", lambda of: {"id": of["seg"]}),
    ("marketCreate", lambda of: {"input": {"name": "North", "code": "north"}}),
    ("marketUpdate", lambda of: {"id": of["mkt"], "input": {"name": "South"}}),
    ("marketProductsHide", lambda of: {"id": of["mkt"], "productIds": [of["prod"]]}),
    ("marketProductsShow", lambda of: {"id": of["mkt"], "productIds": [of["prod"]]}),
    ("marketDelete", lambda of: {"id": of["mkt"]}),
    ("priceListCreate", lambda of: {"input": {"name": "Dear", "currencyCode": "USD"}}),
    ("priceListUpdate", lambda of: {"id": of["plist"], "input": {"name": "Dearer"}}),
    ("priceListPricesSet", lambda of: {"id": of["plist"], "set": [{"variantId": of["var"], "price": DOLLARS}]}),
    ("priceListDelete", lambda of: {"id": of["plist"]}),
    ("customerGroupCreate", lambda of: {"input": {"name": "Dealers"}}),
    ("customerGroupUpdate", lambda of: {"id": of["cgrp"], "input": {"name": "Traders"}}),
    ("customerGroupMembersAdd", lambda of: {"id": of["cgrp"], "customerIds": [of["cus"]]}),
    ("customerGroupMembersRemove", lambda of: {"id": of["cgrp"], "customerIds": [of["cus"]]}),
    ("customerGroupDelete", lambda of: {"id": of["cgrp"]}),
    ("shopUpdate", lambda of: {"input": {"name": "Harbour"}}),
    ("staffInvite", lambda of: {"input": {"email": "nell@example.com", "name": "Nell", "roleId": of["role"]}}),
    ("staffInvitationRevoke", lambda of: {"id": of["inv"]}),
    ("staffUpdate", lambda of: {"id": of["colleague"], "input": {"name": "Renamed"}}),
    ("staffSecondFactorReset", lambda of: {"id": of["colleague"]}),
    ("staffDeactivate", lambda of: {"id": of["colleague"]}),
    ("staffReactivate", lambda of: {"id": of["colleague"]}),
    ("staffRoleCreate", lambda of: {"input": {"name": "Packer", "permissions": []}}),
    ("staffRoleUpdate", lambda of: {"id": of["role"], "input": {"permissions": ["ORDERS_READ"]}}),
    ("staffRoleDelete", lambda of: {"id": of["role"]}),
    ("suppressionAdd", lambda of: {"input": {"channel": "EMAIL", "address": "no@example.com"}}),
    ("suppressionLift", lambda of: {"id": of["supp"]}),
    ("taxClassCreate", lambda of: {"input": {"name": "Books", "code": "books"}}),
    (
        "taxZoneCreate",
        lambda of: {
            "input": {
                "name": "Canada",
                "locations": [{"country": "CA"}],
                "rates": [{"taxClassId": of["tclass"], "name": "GST", "percentage": "5"}],
            }
        },
    ),
    ("taxZoneUpdate", lambda of: {"id": of["tzone"], "input": {"rates": []}}),
    ("taxZoneDelete", lambda of: {"id": of["tzone"]}),
    ("taxClassCreate", lambda of: {"input": {"name": "Spare", "code": "spare"}}),
    ("taxClassUpdate", lambda of: {"id": of["tclass"], "input": {"name": "Less"}}),
    ("taxClassDelete", lambda of: {"id": of["tclass"]}),
    (
        "taxSettingsUpdate",
        lambda of: {
            "input": {
                "homeCountryCode": "DE",
                "engine": {
                    "name": "http",
                    "configuration": {"url": "https://tax.example.com"},
                    "secret": "planted-secret-of-24-characters",
                },
            }
        },
    ),
    ("taxExemptionCreate", lambda of: {"input": {"companyId": of["comp"], "certificateNumber": "ST-121"}}),
    ("taxExemptionCreate", lambda of: {"input": {"customerId": of["cus"], "certificateNumber": "ST-120"}}),
    ("taxExemptionDelete", lambda of: {"id": of["texm"]}),
    (
        "templateSave",
        lambda of: {"input": {"key": "news", "language": "en", "subject": "Hello", "mjml": marketing.MJML}},
    ),
    ("templatePublish", lambda of: {"id": of["tmpl"]}),
    ("templateTestSend", lambda of: {"id": of["tmpl"], "to": "me@example.com"}),
    (
        "warehouseCreate",
        lambda of: {"input": {"code": "EAST", "name": "East", "countryCode": "US", "timeZone": "UTC"}},
    ),
    ("productTermsUpdate", lambda of: {"productId": of["prod"], "input": {"minimumAge": 18}}),
    ("warehouseUpdate", lambda of: {"id": of["wh"], "input": {"name": "Far east"}}),
    ("webhookEndpointCreate", lambda of: {"input": {"name": "ERP", "url": "https://erp.example.com/in"}}),
    ("webhookEndpointUpdate", lambda of: {"id": of["whe"], "input": {"name": "Other"}}),
    ("webhookEndpointSecretRotate", lambda of: {"id": of["whe"]}),
    ("webhookTest", lambda of: {"endpointId": of["whe"]}),
    ("webhookReplayFailed", lambda of: {"endpointId": of["whe"], "since": "2020-01-01T00:00:00Z"}),
    ("webhookEndpointDelete", lambda of: {"id": of["whe"]}),
    ("privacyExport", lambda of: {"profileId": of["prof"]}),
    ("paymentSettingsUpdate", lambda of: {"input": {"capturePolicy": "FIRST_SHIPMENT"}}),
    ("invoiceSeriesUpdate", lambda of: {"input": {"kind": "INVOICE", "prefix": "RE-"}}),
    ("invoiceSettingsUpdate", lambda of: {"input": {"footer": "Thank you"}}),
    ("orderNoteAdd", lambda of: {"orderId": of["ord"], "text": "Call first"}),
    ("productsExport", lambda of: {"input": {"format": "SHOPIFY_CSV"}}),
    ("privacyErase", lambda of: {"profileId": of["prof"]}),
]
# These need more than rows; their own tests have them.
ELSEWHERE = {
    "clockAdvance",  # needs workers
    "devSmsReply",
    "flowPublish",
    "flowSave",
    "flowSimulate",
    "fulfillmentCreate",
    "jobDownloadCreate",
    "messageResend",  # needs a message that failed
    "orderCancel",
    "orderEdit",
    "orderPickupComplete",  # needs an order that is fetched from a store
    "orderPickupReady",
    "orderHoldRelease",  # needs an order that is on hold
    "orderManualPaymentCreate",  # needs an order that owes something
    "orderMarkAsPaid",  # needs an order that is paid at the door
    "paymentDiscrepancyClose",  # needs something to be wrong
    "refundCreate",  # needs an order whose money has been taken
    "shippingZoneCreate",
    "shippingZoneDelete",
    "shippingZoneUpdate",
    "staffPasswordUpdate",  # asks for the password, as the next ones ask for codes
    "staffRecoveryCodesRenew",
    "staffSecondFactorConfirm",
    "staffSecondFactorDisable",
    "staffSecondFactorSetUp",
    "staffSessionRevoke",
    "webhookReplay",  # needs a delivery that failed
}
TABLES = {
    "cmem": "company_members", "comp": "companies",
    "camp": "campaigns", "cgrp": "customer_groups", "code": "discount_codes", "coll": "collections",
    "crm": "crm_connections", "cus": "customers", "dead": "dead_letters",
    "disc": "discounts", "draft": "draft_orders",
    "flow": "flows", "frun": "flow_runs", "ful": "fulfillments", "gc": "gift_cards",
    "inv": "staff_invitations",
    "key": "api_keys", "mkt": "markets", "msg": "messages", "plist": "price_lists",
    "ord": "orders", "pdis": "payment_discrepancies", "prod": "products", "prof": "profiles",
    "role": "staff_roles", "seg": "segments", "supp": "suppressions", "tclass": "tax_classes",
    "texm": "tax_exemptions", "tmpl": "message_templates", "tzone": "tax_zones",
    "var": "product_variants", "wh": "warehouses", "whe": "webhook_endpoints",
}  # fmt: skip


@pytest.fixture(scope="module")
def graphql() -> GraphQLSchema:
    return client_schema()


def test_every_guarded_mutation_is_tried_or_says_where() -> None:
    tried = {name for name, _ in STEPS}
    assert tried | ELSEWHERE == GUARDED
    assert not tried & ELSEWHERE


async def newest() -> dict[str, str]:
    """An id of each kind: of the row that was made last."""
    found = {
        prefix: await db.fetchval(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 1")
        for prefix, table in TABLES.items()
    }
    return {prefix: ids.encode(prefix, value) for prefix, value in found.items() if value}


async def a_shop(api: Api, token: str) -> str:
    """Something of everything; returns a colleague's id."""
    await checkout.shop_that_ships()
    product = await catalogue.product()
    order = (await checkout.placed(api, (product, 1)))["order"]["id"]
    await fulfill(api, token, order)
    await webhooks.create_endpoint({"name": "CRM", "url": "https://crm.example.com/hook"})
    await flow_rows.run(await flow_rows.flow())
    await segments.segment("some", "true")
    await marketing.template("news")
    await discounts.discount(code="CLOSED")
    colleague = await staff.staff_user({Permission.ORDERS_READ})
    await accounts.signed_in(email="ada@example.com")
    await db.execute(
        """
        INSERT INTO dead_letters (id, event_id, event_type, handler, cause, attempts, created_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'x', '', 1, clock_timestamp())
        """
    )
    return ids.encode("staff", colleague)


def document_of(graphql: GraphQLSchema, name: str, given: dict[str, Any]) -> str:
    mutation = graphql.mutation_type
    assert mutation is not None
    kinds = {argument: mutation.fields[name].args[argument].type for argument in given}
    declared = ", ".join(f"${argument}: {kind}" for argument, kind in kinds.items())
    passed = ", ".join(f"{argument}: ${argument}" for argument in kinds)
    return f"mutation ({declared}) {{ {name} ({passed}) {{ userErrors {{ code message field }} }} }}"


LOG = {"audit_changes", "audit_entries"}
EMPTY_LOG = """
    DO $$ BEGIN
        SET LOCAL session_replication_role = replica;
        DELETE FROM audit_changes; DELETE FROM audit_entries;
    END $$
"""
AUDITED = "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'audited'"


async def test_what_a_mutation_changed_is_in_the_log_under_one_entry(api: Api, graphql: GraphQLSchema) -> None:
    token = await staff.owner()
    colleague = await a_shop(api, token)
    unsuccessful: dict[str, Any] = {}
    for name, given in STEPS:
        await db.execute(EMPTY_LOG)
        variables = given({**await newest(), "colleague": colleague})
        before = await everything()
        answer = await api.query(document_of(graphql, name, variables), variables, token=token)
        if answer.errors or (answer.data or {})[name]["userErrors"]:
            unsuccessful[name] = answer.errors or (answer.data or {})[name]["userErrors"]
            continue
        after = await everything()
        changed = {table for table in before if before[table] != after[table]} - LOG
        entries = await db.fetch("SELECT id, action, outcome FROM audit_entries")
        assert [(row["action"], row["outcome"]) for row in entries] == [(name, "DONE")], name
        rows = await db.fetch("SELECT * FROM audit_changes")
        assert {row["entry_id"] for row in rows} == ({entries[0]["id"]} if changed else set()), (name, changed)
        audited = {row["name"] for row in await db.fetch(AUDITED)}
        assert {row["table_name"] for row in rows} == changed & audited, name
        assert "planted-secret" not in json.dumps([[row["before"], row["after"]] for row in rows])
    assert unsuccessful == {}, json.dumps(unsuccessful)
