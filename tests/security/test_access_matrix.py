"""Who may do what: every root field with what it asks for, tried by those who have everything else.

What the ids in their arguments open, and to whom, is in `matrix/table.py`.
"""

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
)
from graphql import build_schema as build_graphql

from app import db
from app.staff.permissions import Permission
from schema import build_schema
from schema.access import Access
from schema.nodes import _loaders
from tests.client import Api
from tests.factories import checkout, staff

PUBLIC, ANY_STAFF, ANY_MEMBER, CUSTOMER = "PUBLIC", "ANY_STAFF", "ANY_MEMBER", "CUSTOMER"

MATRIX: dict[str, dict[str, str]] = {
    "Query": {
        "apiKeys": Permission.API_KEYS_WRITE,
        "auditLog": Permission.AUDIT_READ,
        "campaign": Permission.MARKETING_READ,
        "campaigns": Permission.MARKETING_READ,
        "cart": PUBLIC,  # with the secret in its id
        "checkout": PUBLIC,  # likewise
        "cartRestore": PUBLIC,  # with the signed token from the message
        "collection": PUBLIC,
        "collections": PUBLIC,
        "companies": Permission.COMPANIES_READ,
        "company": Permission.COMPANIES_READ,
        "consents": Permission.CUSTOMERS_READ,
        "conditionContext": Permission.MARKETING_READ,
        "customer": Permission.CUSTOMERS_READ,
        "customers": Permission.CUSTOMERS_READ,
        "deadLetters": Permission.OPERATIONS,
        "devInbox": Permission.OPERATIONS,
        "crmAdapters": Permission.INTEGRATIONS_WRITE,
        "crmConnectionCheck": Permission.INTEGRATIONS_WRITE,
        "crmConnections": Permission.INTEGRATIONS_WRITE,
        "discountCodes": Permission.MARKETING_READ,
        "discounts": Permission.MARKETING_READ,
        "draftOrder": PUBLIC,  # with the token from its link, or one's own
        "myCompanies": CUSTOMER,
        "myOrderApprovals": CUSTOMER,
        "draftOrders": Permission.DRAFT_ORDERS_WRITE,
        "flow": Permission.MARKETING_READ,
        "flowRun": Permission.MARKETING_READ,
        "flowRuns": Permission.MARKETING_READ,
        "flows": Permission.MARKETING_READ,
        "flowTriggers": Permission.MARKETING_READ,
        "giftCard": Permission.GIFT_CARDS_READ,
        "giftCardBalance": PUBLIC,  # with its code
        "giftSettings": Permission.SETTINGS_WRITE,
        "giftCards": Permission.GIFT_CARDS_READ,
        "inboundSms": Permission.CUSTOMERS_READ,
        "invoiceSeries": Permission.SETTINGS_WRITE,
        "invoiceSettings": Permission.SETTINGS_WRITE,
        "invoices": Permission.ORDERS_READ,
        "job": ANY_STAFF,  # who may do what the job does
        "customerGroup": Permission.MARKETS_WRITE,
        "customerGroupMembers": Permission.CUSTOMERS_READ,
        "customerGroups": Permission.MARKETS_WRITE,
        "localization": PUBLIC,
        "market": PUBLIC,
        "markets": PUBLIC,
        "priceList": Permission.MARKETS_WRITE,
        "priceLists": Permission.MARKETS_WRITE,
        "marketingSettings": Permission.MARKETING_READ,
        "paymentDiscrepancies": Permission.REFUNDS_WRITE,
        "paymentSettings": Permission.SETTINGS_WRITE,
        "me": PUBLIC,  # null for whoever is not signed in with an account
        "messages": Permission.OPERATIONS,
        "node": PUBLIC,  # as the object's own field
        "nodes": PUBLIC,
        "privacyRequest": PUBLIC,  # the own one, or for staff with PRIVACY_WRITE
        "privacyRequests": Permission.PRIVACY_WRITE,
        "retentionPeriods": Permission.PRIVACY_WRITE,
        "order": PUBLIC,  # with its token, or for staff with ORDERS_READ
        "orders": Permission.ORDERS_READ,
        "orderApprovals": Permission.COMPANIES_READ,
        "orderTracking": PUBLIC,  # with its token, or its number and email
        "packingSlip": Permission.ORDERS_READ,
        "product": PUBLIC,
        "products": PUBLIC,
        "profile": Permission.CUSTOMERS_READ,
        "profiles": Permission.CUSTOMERS_READ,
        "segment": Permission.MARKETING_READ,
        "segmentPreview": Permission.MARKETING_READ,
        "segments": Permission.MARKETING_READ,
        "shippingQuotes": PUBLIC,
        "shippingZones": Permission.SHIPPING_WRITE,
        "pickupLocations": PUBLIC,
        "shop": PUBLIC,
        "staffInvitations": Permission.STAFF_WRITE,
        "staffMe": ANY_MEMBER,
        "staffRoles": Permission.STAFF_WRITE,
        "staffSessions": ANY_MEMBER,
        "staffUsers": Permission.STAFF_WRITE,
        "suppressions": Permission.CUSTOMERS_READ,
        "taxClasses": Permission.TAXES_WRITE,
        "taxEngines": Permission.TAXES_WRITE,
        "taxExemptions": Permission.TAXES_WRITE,
        "taxSettings": Permission.TAXES_WRITE,
        "taxZones": Permission.TAXES_WRITE,
        "referralProgram": Permission.MARKETING_READ,
        "referrals": Permission.CUSTOMERS_READ,
        "surveyResponses": Permission.CUSTOMERS_READ,
        "surveySummary": Permission.MARKETING_READ,
        "template": Permission.MARKETING_READ,
        "templateMergeData": Permission.MARKETING_READ,
        "templatePreview": Permission.MARKETING_READ,
        "templates": Permission.MARKETING_READ,
        "warehouses": Permission.PRODUCTS_READ,
        "webhookDeliveries": Permission.INTEGRATIONS_WRITE,
        "webhookEndpoints": Permission.INTEGRATIONS_WRITE,
        "webhookEventTypes": Permission.INTEGRATIONS_WRITE,
    },
    "Mutation": {
        "apiKeyCreate": Permission.API_KEYS_WRITE,
        "apiKeyRevoke": Permission.API_KEYS_WRITE,
        "backInStockSubscribe": PUBLIC,
        "campaignCancel": Permission.MARKETING_WRITE,
        "campaignCreate": Permission.MARKETING_WRITE,
        "campaignDelete": Permission.MARKETING_WRITE,
        "campaignPause": Permission.MARKETING_WRITE,
        "campaignResume": Permission.MARKETING_WRITE,
        "campaignSchedule": Permission.MARKETING_WRITE,
        "campaignSend": Permission.MARKETING_WRITE,
        "campaignTestSend": Permission.MARKETING_WRITE,
        "campaignUpdate": Permission.MARKETING_WRITE,
        "cartBuyerIdentityUpdate": PUBLIC,
        "cartClear": PUBLIC,
        "cartCreate": PUBLIC,
        "cartDiscountCodesUpdate": PUBLIC,
        "cartGiftCardCodesUpdate": PUBLIC,
        "cartGiftOptionsUpdate": PUBLIC,
        "giftSettingsUpdate": Permission.SETTINGS_WRITE,
        "cartStoreCreditUpdate": CUSTOMER,
        "giftCardRedeem": CUSTOMER,
        "cartMerge": PUBLIC,  # with both secrets
        "cartLinesAdd": PUBLIC,
        "cartLinesRemove": PUBLIC,
        "cartLinesUpdate": PUBLIC,
        "cartUpdate": PUBLIC,
        "checkoutComplete": PUBLIC,
        "checkoutCreate": PUBLIC,
        "checkoutUpdate": PUBLIC,
        "customerGroupCreate": Permission.MARKETS_WRITE,
        "customerGroupDelete": Permission.MARKETS_WRITE,
        "customerGroupMembersAdd": Permission.MARKETS_WRITE,
        "customerGroupMembersRemove": Permission.MARKETS_WRITE,
        "customerGroupUpdate": Permission.MARKETS_WRITE,
        "marketCreate": Permission.MARKETS_WRITE,
        "marketDelete": Permission.MARKETS_WRITE,
        "marketProductsHide": Permission.MARKETS_WRITE,
        "marketProductsShow": Permission.MARKETS_WRITE,
        "marketUpdate": Permission.MARKETS_WRITE,
        "priceListCreate": Permission.MARKETS_WRITE,
        "priceListDelete": Permission.MARKETS_WRITE,
        "priceListPricesSet": Permission.MARKETS_WRITE,
        "priceListUpdate": Permission.MARKETS_WRITE,
        "clockAdvance": Permission.OPERATIONS,
        "collectionCreate": Permission.PRODUCTS_WRITE,
        "collectionDelete": Permission.PRODUCTS_WRITE,
        "collectionProductsAdd": Permission.PRODUCTS_WRITE,
        "collectionProductsRemove": Permission.PRODUCTS_WRITE,
        "collectionProductsReorder": Permission.PRODUCTS_WRITE,
        "collectionUpdate": Permission.PRODUCTS_WRITE,
        "consentRecord": Permission.CUSTOMERS_WRITE,
        "consentTextCreate": Permission.MARKETING_WRITE,
        "consentUpdate": PUBLIC,  # with a cart's secret, or a signed token
        "deadLetterReplay": Permission.OPERATIONS,
        "devSmsReply": Permission.OPERATIONS,
        "customerAddressCreate": CUSTOMER,
        "customerAddressDefaultUpdate": CUSTOMER,
        "customerAddressDelete": CUSTOMER,
        "customerAddressUpdate": CUSTOMER,
        "customerCreate": PUBLIC,
        "customerDelete": CUSTOMER,
        "customerDataExport": CUSTOMER,
        "privacyErase": Permission.PRIVACY_WRITE,
        "privacyExport": Permission.PRIVACY_WRITE,
        "retentionPeriodUpdate": Permission.PRIVACY_WRITE,
        "customerDisable": Permission.CUSTOMERS_WRITE,
        "customerEmailUpdate": CUSTOMER,
        "customerEmailUpdateConfirm": PUBLIC,  # with the token from the mail, and the account's session or password
        "customerEmailVerificationSend": CUSTOMER,
        "customerEmailVerify": PUBLIC,  # likewise
        "customerEnable": Permission.CUSTOMERS_WRITE,
        "customerLogin": PUBLIC,
        "customerMarketingConsentUpdate": CUSTOMER,
        "customerPasswordReset": PUBLIC,  # with the token from the mail
        "customerPasswordResetSend": PUBLIC,
        "customerPasswordUpdate": CUSTOMER,
        "customerPaymentMethodDelete": CUSTOMER,
        "customerSessionRevoke": CUSTOMER,
        "customerSignInLinkSend": PUBLIC,
        "customerSignInWithLink": PUBLIC,  # with the token from the mail
        "customerUpdate": CUSTOMER,
        "crmConnectionCreate": Permission.INTEGRATIONS_WRITE,
        "crmConnectionDelete": Permission.INTEGRATIONS_WRITE,
        "crmConnectionSwitch": Permission.INTEGRATIONS_WRITE,
        "crmConnectionSync": Permission.INTEGRATIONS_WRITE,
        "crmConnectionUpdate": Permission.INTEGRATIONS_WRITE,
        "discountCodesAdd": Permission.DISCOUNTS_WRITE,
        "discountCodesDisable": Permission.DISCOUNTS_WRITE,
        "discountCodesEnable": Permission.DISCOUNTS_WRITE,
        "discountCodesGenerate": Permission.DISCOUNTS_WRITE,
        "discountCreate": Permission.DISCOUNTS_WRITE,
        "discountDisable": Permission.DISCOUNTS_WRITE,
        "discountEnable": Permission.DISCOUNTS_WRITE,
        "discountUpdate": Permission.DISCOUNTS_WRITE,
        "cartCompanyUpdate": CUSTOMER,
        "companyCreate": Permission.COMPANIES_WRITE,
        "companyInvitationAccept": CUSTOMER,
        "companyMemberInvite": Permission.COMPANIES_WRITE,
        "companyMemberRemove": Permission.COMPANIES_WRITE,
        "companyMemberUpdate": Permission.COMPANIES_WRITE,
        "companyUpdate": Permission.COMPANIES_WRITE,
        "quotationRequest": PUBLIC,  # with the secret in the cart's id
        "draftOrderComplete": PUBLIC,  # with the token from its link
        "draftOrderCreate": Permission.DRAFT_ORDERS_WRITE,
        "draftOrderDecline": PUBLIC,  # with the token from its link
        "draftOrderDelete": Permission.DRAFT_ORDERS_WRITE,
        "draftOrderMarkComplete": Permission.DRAFT_ORDERS_WRITE,
        "draftOrderSend": Permission.DRAFT_ORDERS_WRITE,
        "draftOrderUpdate": Permission.DRAFT_ORDERS_WRITE,
        "eventsTrack": PUBLIC,
        "flowBackfill": Permission.MARKETING_WRITE,
        "flowMigrate": Permission.MARKETING_WRITE,
        "flowPause": Permission.MARKETING_WRITE,
        "flowPublish": Permission.MARKETING_WRITE,
        "flowResume": Permission.MARKETING_WRITE,
        "flowRunEnd": Permission.MARKETING_WRITE,
        "flowSave": Permission.MARKETING_WRITE,
        "flowSimulate": Permission.MARKETING_WRITE,
        "fulfillmentCreate": Permission.ORDERS_WRITE,
        "giftCardAdjust": Permission.GIFT_CARDS_WRITE,
        "giftCardDisable": Permission.GIFT_CARDS_WRITE,
        "giftCardEnable": Permission.GIFT_CARDS_WRITE,
        "giftCardIssue": Permission.GIFT_CARDS_WRITE,
        "giftCardResend": Permission.GIFT_CARDS_WRITE,
        "storeCreditDebit": Permission.GIFT_CARDS_WRITE,
        "storeCreditGrant": Permission.GIFT_CARDS_WRITE,
        "inventoryAdjust": Permission.INVENTORY_WRITE,
        "jobDownloadCreate": ANY_STAFF,  # who may do what the job does
        "logout": PUBLIC,  # ends the session of its own token
        "logoutEverywhere": PUBLIC,  # ends the sessions of whose token it is
        "marketingSettingsUpdate": Permission.MARKETING_WRITE,
        "messageResend": Permission.OPERATIONS,
        "newsletterSubscribe": PUBLIC,
        "orderCancel": Permission.ORDERS_WRITE,
        "orderPickupReady": Permission.ORDERS_WRITE,
        "orderPickupComplete": Permission.ORDERS_WRITE,
        "orderHoldRelease": Permission.ORDERS_WRITE,
        "orderEdit": Permission.ORDERS_WRITE,
        "orderManualPaymentCreate": Permission.ORDERS_WRITE,
        "orderMarkAsPaid": Permission.ORDERS_WRITE,
        "orderNoteAdd": Permission.ORDERS_WRITE,
        "orderShippingAddressUpdate": PUBLIC,  # likewise
        "orderApprovalApprove": PUBLIC,  # as an approver of the company, or for staff with COMPANIES_WRITE
        "orderApprovalCancel": CUSTOMER,
        "orderApprovalReject": PUBLIC,  # likewise
        "orderApprovalRequest": CUSTOMER,
        "orderPaymentCreate": PUBLIC,  # with the token from the receipt, or for the customer who placed it
        "paymentDiscrepancyClose": Permission.REFUNDS_WRITE,
        "paymentSettingsUpdate": Permission.SETTINGS_WRITE,
        "refundCreate": Permission.REFUNDS_WRITE,
        "invoiceSeriesUpdate": Permission.SETTINGS_WRITE,
        "invoiceSettingsUpdate": Permission.SETTINGS_WRITE,
        "priceDropSubscribe": PUBLIC,
        "productAlertCancel": PUBLIC,
        "productCreate": Permission.PRODUCTS_WRITE,
        "productsExport": Permission.PRODUCTS_READ,
        "productsImport": Permission.PRODUCTS_WRITE,
        "productUpdate": Permission.PRODUCTS_WRITE,
        "profileUpdate": Permission.CUSTOMERS_WRITE,
        "referralCodeCreate": PUBLIC,  # with the token of one's own mail, or for staff with CUSTOMERS_WRITE
        "referralProgramUpdate": Permission.MARKETING_WRITE,
        "segmentCreate": Permission.MARKETING_WRITE,
        "segmentDelete": Permission.MARKETING_WRITE,
        "segmentUpdate": Permission.MARKETING_WRITE,
        "shippingZoneCreate": Permission.SHIPPING_WRITE,
        "shippingZoneDelete": Permission.SHIPPING_WRITE,
        "shippingZoneUpdate": Permission.SHIPPING_WRITE,
        "shopUpdate": Permission.SETTINGS_WRITE,
        "staffDeactivate": Permission.STAFF_WRITE,
        "staffInvitationAccept": PUBLIC,  # with the token from the mailed link
        "staffInvitationRevoke": Permission.STAFF_WRITE,
        "staffInvite": Permission.STAFF_WRITE,
        "staffLogin": PUBLIC,
        "staffPasswordReset": PUBLIC,  # with the token from the mailed link
        "staffPasswordResetSend": PUBLIC,
        "staffPasswordUpdate": ANY_MEMBER,
        "staffReactivate": Permission.STAFF_WRITE,
        "staffRecoveryCodesRenew": ANY_MEMBER,
        "staffRoleCreate": Permission.STAFF_WRITE,
        "staffRoleDelete": Permission.STAFF_WRITE,
        "staffRoleUpdate": Permission.STAFF_WRITE,
        "staffSecondFactorConfirm": ANY_MEMBER,
        "staffSecondFactorDisable": ANY_MEMBER,
        "staffSecondFactorReset": Permission.STAFF_WRITE,
        "staffSecondFactorSetUp": ANY_MEMBER,
        "staffSessionRevoke": ANY_MEMBER,
        "staffUpdate": Permission.STAFF_WRITE,
        "suppressionAdd": Permission.CUSTOMERS_WRITE,
        "suppressionLift": Permission.CUSTOMERS_WRITE,
        "surveyRespond": PUBLIC,  # with the signed token from the message
        "taxClassCreate": Permission.TAXES_WRITE,
        "taxClassDelete": Permission.TAXES_WRITE,
        "taxClassUpdate": Permission.TAXES_WRITE,
        "taxExemptionCreate": Permission.TAXES_WRITE,
        "taxExemptionDelete": Permission.TAXES_WRITE,
        "taxSettingsUpdate": Permission.TAXES_WRITE,
        "taxZoneCreate": Permission.TAXES_WRITE,
        "taxZoneDelete": Permission.TAXES_WRITE,
        "taxZoneUpdate": Permission.TAXES_WRITE,
        "templatePublish": Permission.MARKETING_WRITE,
        "templateSave": Permission.MARKETING_WRITE,
        "templateTestSend": Permission.MARKETING_WRITE,
        "tokenRefresh": PUBLIC,
        "trackingEventAdd": Permission.ORDERS_WRITE,
        "visitorCreate": PUBLIC,
        "warehouseCreate": Permission.SETTINGS_WRITE,
        "productTermsUpdate": Permission.PRODUCTS_WRITE,
        "warehouseUpdate": Permission.SETTINGS_WRITE,
        "webhookEndpointCreate": Permission.INTEGRATIONS_WRITE,
        "webhookEndpointDelete": Permission.INTEGRATIONS_WRITE,
        "webhookEndpointSecretRotate": Permission.INTEGRATIONS_WRITE,
        "webhookEndpointUpdate": Permission.INTEGRATIONS_WRITE,
        "webhookReplay": Permission.INTEGRATIONS_WRITE,
        "webhookReplayFailed": Permission.INTEGRATIONS_WRITE,
        "webhookTest": Permission.INTEGRATIONS_WRITE,
    },
    "Subscription": {"job": ANY_STAFF, "orderTracking": PUBLIC},
}
GUARDED = [
    (root, field, needed)
    for root, fields in MATRIX.items()
    for field, needed in fields.items()
    if needed is not PUBLIC and root != "Subscription"
]


def test_every_root_field_is_in_the_matrix() -> None:
    schema = build_schema(development=True)
    found: dict[str, dict[str, str]] = {root: {} for root in MATRIX}
    for root, fields in found.items():
        definition: Any = schema.get_type_by_name(root)
        for field in definition.fields:
            access: Access = field.metadata["access"]
            name = schema.config.name_converter.get_graphql_name(field)
            anybody = ANY_MEMBER if access.person else ANY_STAFF
            signed_in = anybody if access.staff else CUSTOMER if access.customer else PUBLIC
            fields[name] = access.staff_permission or signed_in
    assert found == MATRIX, "say in MATRIX who may use a new root field, and in matrix/table.py what its ids name"


@pytest.fixture(scope="module")
def graphql() -> GraphQLSchema:
    return build_graphql(build_schema(development=True).as_str())


def some(kind: GraphQLInputType) -> Any:
    """A value of the type, only what it has to have."""
    if isinstance(kind, GraphQLNonNull):
        return some(kind.of_type)
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: some(field.type) for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    examples = {"Int": 1, "Boolean": True, "Decimal": "1", "CountryCode": "US", "CurrencyCode": "USD"}
    return {**examples, "DateTime": "2026-05-01T12:00:00Z"}.get(kind.name, "x")


def operation(graphql: GraphQLSchema, root: str, field: str) -> tuple[str, dict[str, Any]]:
    roots = {"Query": graphql.query_type, "Mutation": graphql.mutation_type}
    definition = roots[root].fields[field]  # type: ignore[union-attr]
    needed = {name: one.type for name, one in definition.args.items() if isinstance(one.type, GraphQLNonNull)}
    declared = ", ".join(f"${name}: {kind}" for name, kind in needed.items())
    passed = ", ".join(f"{name}: ${name}" for name in needed)
    below = "{ userErrors { code } }" if root == "Mutation" else "{ __typename }"
    document = f"{root.lower()} ({declared}) {{ {field} ({passed}) {below} }}".replace("()", "")
    return document, {name: some(kind) for name, kind in needed.items()}


async def everything() -> dict[str, str]:
    """A digest of each table, but the log of who was refused."""
    tables = await db.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'audit_entries' ORDER BY 1"
    )
    parts = [
        f"SELECT '{row['tablename']}' AS name, md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) AS digest "
        f'FROM "{row["tablename"]}" t'
        for row in tables
    ]
    return {row["name"]: row["digest"] for row in await db.fetch(" UNION ALL ".join(parts))}


def codes_of(result: Any, field: str) -> list[str]:
    if result.codes:
        return list(result.codes)
    return [error["code"] for error in result.data[field]["userErrors"]]


async def test_who_lacks_the_permission_is_refused_and_nothing_changes(api: Api, graphql: GraphQLSchema) -> None:
    await checkout.shop_that_ships()
    await checkout.placed(api)
    permissions = set(Permission)
    lacking = {needed: await staff.signed_in(permissions - {needed}) for needed in permissions}
    all_staff = await staff.signed_in(permissions)
    before = await everything()
    refused: list[tuple[str, str, str]] = []
    for root, field, needed in GUARDED:
        document, variables = operation(graphql, root, field)
        anonymous = await api.query(document, variables)
        assert codes_of(anonymous, field) == ["UNAUTHENTICATED"], field
        stranger = await api.query(document, variables, token="not-a-token")
        assert codes_of(stranger, field) == ["UNAUTHENTICATED"], field
        if needed == CUSTOMER:
            # Staff who may do everything have no account here.
            assert codes_of(await api.query(document, variables, token=all_staff), field) == ["UNAUTHENTICATED"], field
            refused += [(field, "REFUSED", '["UNAUTHENTICATED"]')] * (root == "Mutation")
        elif needed not in (ANY_STAFF, ANY_MEMBER):
            without = await api.query(document, variables, token=lacking[Permission(needed)])
            assert codes_of(without, field) == ["FORBIDDEN"], field
            refused += [(field, "REFUSED", '["FORBIDDEN"]')] * (root == "Mutation")
    assert await everything() == before
    noted = await db.fetch("SELECT action, outcome, error_codes FROM audit_entries ORDER BY id")
    assert [tuple(row.values()) for row in noted] == refused


@pytest.mark.parametrize("rest", ["", "_", "_0", "_" + "G" * 32, "_" + "0" * 31, "_" + "0" * 32 + "_", "_\x00"])
async def test_a_malformed_id_of_any_kind_is_a_typed_error(api: Api, rest: str, staff_token: str) -> None:
    for prefix in _loaders:
        result = await api.query("query ($id: ID!) { node(id: $id) { id } }", {"id": prefix + rest}, token=staff_token)
        assert result.codes == ["INVALID_ID"], prefix
