"""Every place where a client sends an id: what it names, and who of those that pass the field's guard gets at it.

A plain word is the kind of thing (`things.py`) and says: whoever passes the guard, which is in MATRIX of
`test_access_matrix.py`. The others say it themselves. Whoever is not
among them is answered as if the id had never been.
"""

from dataclasses import dataclass, replace

from app.staff.permissions import Permission

P = Permission


@dataclass(frozen=True, slots=True)
class Id:
    kind: str
    """Of `things.py`; its owner is the account or the member of staff whom it was made for."""
    owner: bool = False
    """The account that it belongs to gets at it."""
    staff: frozenset[P] | None = None
    """Staff with all of these (and what the guard asks for) get at it; None where staff do not."""
    anybody: bool = False
    """Whoever passes the guard and sends it; of a thing with a secret, the secret included."""
    refusal: str = "NOT_FOUND"
    """What the others hear; of several words, each one of them."""
    instead: P | None = None
    """Another permission that does as well."""
    undone: bool = False
    """Also what is refused leaves something (a sign-in without the cart, an attempt under its key): answers are alike,
    and what they leave is no more than that."""


def owned(kind: str, *staff: P, refusal: str = "NOT_FOUND", undone: bool = False) -> Id:
    return Id(kind, owner=True, staff=frozenset(staff) if staff else None, refusal=refusal, undone=undone)


def for_staff(kind: str, *staff: P, refusal: str = "NOT_FOUND", instead: P | None = None) -> Id:
    return Id(kind, staff=frozenset(staff), refusal=refusal, instead=instead)


def secret(kind: str, refusal: str = "NOT_FOUND", *, undone: bool = False) -> Id:
    return Id(kind, anybody=True, refusal=refusal, undone=undone)


def nobodys(kind: str, refusal: str = "NOT_FOUND") -> Id:
    """Hidden from everybody here, such as a draft that somebody puts into a cart."""
    return Id(kind, refusal=refusal)


CART, CHECKOUT, LINE, VISITOR = secret("cart"), secret("chk"), secret("cline"), secret("vis", "INVALID_ID")
TEXT = Id("ctext", anybody=True)
"""The wordings are public."""
SAVED = owned("cadd", refusal="NOT_FOUND UNAUTHENTICATED")
"""Of the address book: who has no account hears to sign in, whether or not there is such an address."""
IMPORT = for_staff("job", P.PRODUCTS_WRITE, instead=P.OPERATIONS)
SOMEBODY = for_staff("prof", P.CUSTOMERS_READ, refusal="FORBIDDEN")
"""Whose data is shown or sent: a permission of marketing alone does not do."""

_ITEM_IDS = {
    "productIds": "prod", "variantIds": "var", "collectionIds": "coll", "excludedProductIds": "prod",
    "excludedVariantIds": "var", "excludedCollectionIds": "coll",
}  # fmt: skip
DISCOUNT_IDS = {
    "appliesTo.": _ITEM_IDS,
    "buyXGetY.buys.": _ITEM_IDS,
    "buyXGetY.gets.": _ITEM_IDS,
    "requires.": {"customerGroupIds": "cgrp", "marketIds": "mkt", "segmentIds": "seg"},
}
"""What discounts name: by where it is in the input."""

IDS: dict[str, str | Id] = {
    "Query.auditLog.actorId": "actor",
    "Query.auditLog.subjectId": "ful",
    "Query.campaign.id": "camp",
    "Query.cart.id": CART,
    "Query.checkout.id": CHECKOUT,
    "Query.collection.id": for_staff("coll", P.PRODUCTS_READ),
    "Query.consents.profileId": "prof",
    "Query.crmConnectionCheck.id": "crm",
    "Query.customer.id": "cus",
    "Query.discountCodes.discountId": "disc",
    "Query.discountCodes.jobId": "job drawing",
    "Query.discountCodes.profileId": "prof",
    "Query.company.id": "comp",
    "Query.myOrderApprovals.companyId": owned("comp"),
    "Query.orderApprovals.companyId": "comp",
    "Query.draftOrder.id": owned("draft", P.DRAFT_ORDERS_WRITE),
    "Query.flow.id": "flow",
    "Query.flowRun.id": "frun",
    "Query.flowRuns.profileId": "prof",
    "Query.giftCard.id": "gc",
    "Query.job.id": IMPORT,
    "Query.messages.campaignId": "camp",
    "Query.messages.flowId": "flow",
    "Query.messages.orderId": "ord",
    "Query.messages.profileId": "prof",
    "Query.messages.runId": "frun",
    "Query.node.id": owned("ord", P.ORDERS_READ),  # and every other kind: NODES
    "Query.nodes.ids[]": owned("ord", P.ORDERS_READ),
    "Query.order.id": owned("ord", P.ORDERS_READ),
    "Query.privacyRequest.id": owned("priv", P.PRIVACY_WRITE),
    "Query.packingSlip.fulfillmentId": "ful",
    "Query.packingSlip.orderId": "ord",
    "Query.product.id": for_staff("prod", P.PRODUCTS_READ),
    "Query.profile.id": "prof",
    "Query.referrals.referrerId": "prof",
    "Query.segment.id": "seg",
    "Query.shippingQuotes.input.cartId": CART,
    "Query.shippingQuotes.input.lines[].variantId": nobodys("var"),
    "Query.taxExemptions.companyId": "comp",
    "Query.taxExemptions.customerId": "cus",
    "Query.template.id": "tmpl",
    "Query.templatePreview.about.cartId": for_staff("cart bare", P.CUSTOMERS_READ, refusal="FORBIDDEN"),
    "Query.templatePreview.about.profileId": SOMEBODY,
    "Query.templatePreview.about.runId": for_staff("frun", P.CUSTOMERS_READ, refusal="FORBIDDEN"),
    "Query.templatePreview.id": "tmpl",
    "Query.webhookDeliveries.endpointId": "whe",
    "Subscription.job.id": IMPORT,
    # --- carts, checkouts, visitors ---
    "Mutation.backInStockSubscribe.input.cartId": CART,
    "Mutation.backInStockSubscribe.input.variantId": nobodys("var"),
    "Mutation.backInStockSubscribe.input.visitorId": VISITOR,
    "Mutation.cartBuyerIdentityUpdate.buyerIdentity.marketingConsent[].textId": TEXT,
    "Mutation.cartBuyerIdentityUpdate.cartId": CART,
    "Mutation.cartClear.cartId": CART,
    "Mutation.cartCreate.input.buyerIdentity.marketingConsent[].textId": TEXT,
    "Mutation.cartCreate.input.lines[].variantId": nobodys("var"),
    "Mutation.cartDiscountCodesUpdate.cartId": CART,
    "Mutation.cartGiftCardCodesUpdate.cartId": CART,
    "Mutation.cartGiftOptionsUpdate.cartId": CART,
    "Mutation.cartGiftOptionsUpdate.lineId": LINE,
    "Mutation.cartStoreCreditUpdate.cartId": owned("cart", refusal="NOT_FOUND STORE_CREDIT_NOT_YOURS"),
    "Mutation.cartLinesAdd.cartId": CART,
    "Mutation.cartLinesAdd.lines[].variantId": nobodys("var"),
    "Mutation.cartLinesRemove.cartId": CART,
    "Mutation.cartLinesRemove.lineIds[]": LINE,
    "Mutation.cartLinesUpdate.cartId": CART,
    "Mutation.cartLinesUpdate.lines[].id": LINE,
    "Mutation.cartMerge.cartId": CART,
    "Mutation.cartMerge.intoCartId": CART,
    "Mutation.cartUpdate.cartId": CART,
    "Mutation.checkoutComplete.input.billingAddressId": replace(SAVED, undone=True),
    "Mutation.checkoutComplete.input.cartId": secret("cart", undone=True),
    "Mutation.checkoutComplete.input.checkoutId": secret("chk", undone=True),
    "Mutation.checkoutComplete.input.marketingConsent[].textId": Id("ctext", anybody=True, undone=True),
    "Mutation.checkoutComplete.input.payment.savedPaymentMethodId": owned(
        "pm", refusal="NOT_FOUND UNAUTHENTICATED", undone=True
    ),
    "Mutation.checkoutComplete.input.shippingAddressId": replace(SAVED, undone=True),
    "Mutation.checkoutComplete.input.shippingQuoteId": secret("quote", "QUOTE_NOT_APPLICABLE", undone=True),
    "Mutation.checkoutCreate.input.billingAddressId": SAVED,
    "Mutation.checkoutCreate.input.cartId": CART,
    "Mutation.checkoutCreate.input.marketingConsent[].textId": TEXT,
    "Mutation.checkoutCreate.input.shippingAddressId": SAVED,
    "Mutation.checkoutUpdate.checkoutId": CHECKOUT,
    "Mutation.checkoutUpdate.input.billingAddressId": SAVED,
    "Mutation.checkoutUpdate.input.marketingConsent[].textId": TEXT,
    "Mutation.checkoutUpdate.input.shippingAddressId": SAVED,
    "Mutation.checkoutUpdate.input.shippingQuoteId": secret("quote", "QUOTE_NOT_APPLICABLE"),
    "Mutation.consentUpdate.input.cartId": CART,
    "Mutation.consentUpdate.input.consent[].textId": TEXT,
    "Mutation.consentUpdate.input.visitorId": VISITOR,
    "Mutation.eventsTrack.input.cartId": CART,
    "Mutation.eventsTrack.input.events[].collectionId": nobodys("coll"),
    "Mutation.eventsTrack.input.events[].productId": nobodys("prod"),
    "Mutation.eventsTrack.input.visitorId": VISITOR,
    "Mutation.newsletterSubscribe.input.consent[].textId": TEXT,
    "Mutation.priceDropSubscribe.input.cartId": CART,
    "Mutation.priceDropSubscribe.input.variantId": nobodys("var"),
    "Mutation.priceDropSubscribe.input.visitorId": VISITOR,
    "Mutation.productAlertCancel.alertId": secret("alert", "INVALID_ID"),
    # --- accounts ---
    "Mutation.customerAddressDefaultUpdate.billingAddressId": owned("cadd"),
    "Mutation.customerAddressDefaultUpdate.shippingAddressId": owned("cadd"),
    "Mutation.customerAddressDelete.id": owned("cadd"),
    "Mutation.customerAddressUpdate.id": owned("cadd"),
    "Mutation.customerCreate.cartId": secret("cart", undone=True),
    "Mutation.customerDisable.id": "cus",
    "Mutation.customerEnable.id": "cus",
    "Mutation.customerLogin.cartId": secret("cart", undone=True),
    "Mutation.customerMarketingConsentUpdate.consent[].textId": TEXT,
    "Mutation.customerPaymentMethodDelete.id": owned("pm"),
    "Mutation.customerSessionRevoke.id": owned("sess"),
    "Mutation.customerSignInWithLink.cartId": secret("cart", undone=True),
    "Mutation.consentRecord.input.profileId": "prof",
    "Mutation.consentRecord.input.textId": "ctext",
    "Mutation.privacyErase.profileId": "prof",
    "Mutation.privacyExport.profileId": "prof",
    "Mutation.profileUpdate.id": "prof",
    "Mutation.referralCodeCreate.input.profileId": for_staff(
        "prof", P.CUSTOMERS_WRITE, refusal="UNAUTHENTICATED FORBIDDEN"
    ),
    "Mutation.suppressionLift.id": "supp",
    # --- the shop ---
    "Mutation.collectionDelete.id": "coll",
    "Mutation.collectionProductsAdd.id": "coll",
    "Mutation.collectionProductsAdd.productIds[]": "prod",
    "Mutation.collectionProductsRemove.id": "coll",
    "Mutation.collectionProductsRemove.productIds[]": Id("prod on sale", staff=frozenset(), undone=True),
    "Mutation.collectionProductsReorder.id": "coll",
    "Mutation.collectionProductsReorder.moves[].productId": "prod on sale",
    "Mutation.collectionUpdate.id": "coll",
    **{
        f"Mutation.{name}.input.{place}{ids}[]": kind
        for name in ("discountCreate", "discountUpdate")
        for place, kinds in DISCOUNT_IDS.items()
        for ids, kind in kinds.items()
    },
    "Mutation.discountCodesAdd.input.discountId": "disc",
    "Mutation.discountCodesDisable.ids[]": "code",
    "Mutation.discountCodesEnable.ids[]": "code",
    "Mutation.discountCodesGenerate.input.discountId": "disc",
    "Mutation.discountDisable.id": "disc",
    "Mutation.discountEnable.id": "disc",
    "Mutation.discountUpdate.id": "disc",
    "Mutation.fulfillmentCreate.input.lines[].orderLineId": "oline",
    "Mutation.fulfillmentCreate.input.orderId": "ord unpaid",
    "Mutation.giftCardAdjust.id": "gc",
    "Mutation.giftCardDisable.id": "gc",
    "Mutation.giftCardEnable.id": "gc",
    "Mutation.giftCardResend.id": "gc",
    "Mutation.storeCreditDebit.input.customerId": "cus",
    "Mutation.storeCreditGrant.input.customerId": "cus",
    "Mutation.inventoryAdjust.input.variantId": "var",
    "Mutation.inventoryAdjust.input.warehouseId": "wh",
    "Mutation.jobDownloadCreate.jobId": for_staff("job export", P.PRODUCTS_READ),
    "Mutation.orderCancel.orderId": "ord unpaid",
    "Mutation.invoiceSeriesUpdate.input.marketId": "mkt",
    "Mutation.orderHoldRelease.orderId": "ord held",
    "Mutation.orderEdit.input.addLines[].variantId": "var",
    "Mutation.orderEdit.input.lines[].orderLineId": "oline",
    "Mutation.orderEdit.orderId": "ord unpaid",
    "Mutation.orderManualPaymentCreate.input.orderId": "ord unpaid",
    "Mutation.orderMarkAsPaid.orderId": "ord unpaid",
    "Mutation.orderNoteAdd.orderId": "ord",
    "Mutation.orderPaymentCreate.input.orderId": owned("ord unpaid"),
    "Mutation.orderShippingAddressUpdate.orderId": owned("ord unpaid"),
    "Mutation.orderPaymentCreate.input.payment.savedPaymentMethodId": owned("pm", refusal="NOT_FOUND UNAUTHENTICATED"),
    "Mutation.paymentDiscrepancyClose.id": for_staff("pdis", P.REFUNDS_WRITE),
    "Mutation.refundCreate.input.lines[].orderLineId": "oline",
    "Mutation.refundCreate.input.orderId": "ord",
    "Mutation.orderPickupComplete.orderId": "ord",
    "Mutation.orderPickupReady.orderId": "ord",
    "Mutation.productCreate.input.collectionIds[]": "coll",
    "Mutation.productCreate.input.options[].id": nobodys("option"),  # of another product
    "Mutation.productCreate.input.variants[].id": nobodys("var"),
    "Mutation.productUpdate.id": "prod",
    "Mutation.productUpdate.input.collectionIds[]": "coll",
    "Mutation.productUpdate.input.options[].id": nobodys("option"),
    "Mutation.productUpdate.input.variants[].id": nobodys("var"),
    "Mutation.productsExport.input.collectionId": "coll",
    "Mutation.productsImport.input.uploadId": "upload",
    "Mutation.shippingZoneCreate.input.methods[].id": nobodys("smethod"),  # of another zone
    "Mutation.shippingZoneDelete.id": "szone",
    "Mutation.shippingZoneUpdate.id": "szone",
    "Mutation.shippingZoneUpdate.input.methods[].id": "smethod",
    "Mutation.trackingEventAdd.input.fulfillmentId": "ful",
    "Mutation.trackingEventAdd.input.shipmentId": "shp",
    "Mutation.productTermsUpdate.productId": "prod",
    "Mutation.warehouseUpdate.id": "wh",
    # --- marketing ---
    "Mutation.campaignCancel.id": "camp",
    "Mutation.campaignCreate.input.segmentId": "seg",
    "Mutation.campaignDelete.id": "camp",
    "Mutation.campaignPause.id": "camp",
    "Mutation.campaignResume.id": "camp",
    "Mutation.campaignSchedule.id": "camp",
    "Mutation.campaignSend.id": "camp",
    "Mutation.campaignTestSend.id": "camp",
    "Mutation.campaignTestSend.profileId": SOMEBODY,
    "Mutation.campaignUpdate.id": "camp",
    "Mutation.campaignUpdate.input.segmentId": "seg",
    "Mutation.flowBackfill.id": "flow",
    "Mutation.flowMigrate.id": "flow",
    "Mutation.flowPause.id": "flow",
    "Mutation.flowPublish.id": "flow",
    "Mutation.flowResume.id": "flow",
    "Mutation.flowRunEnd.id": "frun",
    "Mutation.flowSave.input.id": "flow",
    "Mutation.flowSimulate.id": "flow",
    "Mutation.segmentDelete.id": "seg",
    "Mutation.segmentUpdate.id": "seg",
    "Mutation.productCreate.input.taxClassId": "tclass",
    "Mutation.productUpdate.input.taxClassId": "tclass",
    "Mutation.taxClassDelete.id": "tclass unused",
    "Mutation.taxClassUpdate.id": "tclass",
    "Mutation.taxExemptionCreate.input.companyId": "comp",
    "Mutation.taxExemptionCreate.input.customerId": "cus",
    "Mutation.taxExemptionDelete.id": "texm",
    "Mutation.taxSettingsUpdate.input.giftWrapClassId": "tclass",
    "Mutation.taxSettingsUpdate.input.shippingClassId": "tclass",
    "Mutation.taxZoneCreate.input.rates[].taxClassId": "tclass",
    "Mutation.taxZoneDelete.id": "tzone",
    "Mutation.taxZoneUpdate.id": "tzone",
    "Mutation.taxZoneUpdate.input.rates[].taxClassId": "tclass",
    "Mutation.templatePublish.id": "tmpl",
    "Mutation.templateTestSend.about.cartId": for_staff("cart bare", P.CUSTOMERS_READ, refusal="FORBIDDEN"),
    "Mutation.templateTestSend.about.profileId": SOMEBODY,
    "Mutation.templateTestSend.about.runId": for_staff("frun", P.CUSTOMERS_READ, refusal="FORBIDDEN"),
    "Mutation.templateTestSend.id": "tmpl",
    # --- machinery and staff ---
    "Mutation.apiKeyRevoke.id": "key",
    "Mutation.crmConnectionDelete.id": "crm",
    "Mutation.crmConnectionSwitch.id": "crm",
    "Mutation.crmConnectionSync.id": "crm",
    "Mutation.crmConnectionUpdate.id": "crm",
    "Mutation.customerGroupCreate.input.priceListIds[]": "plist",
    "Mutation.customerGroupDelete.id": "cgrp",
    "Mutation.customerGroupMembersAdd.customerIds[]": "cus",
    "Mutation.customerGroupMembersAdd.id": "cgrp",
    "Mutation.customerGroupMembersRemove.customerIds[]": "cus",
    "Mutation.customerGroupMembersRemove.id": "cgrp",
    "Mutation.customerGroupUpdate.id": "cgrp",
    "Mutation.customerGroupUpdate.input.priceListIds[]": "plist",
    "Mutation.marketCreate.input.priceListId": "plist",
    "Mutation.marketDelete.id": "mkt",
    "Mutation.marketProductsHide.id": "mkt",
    "Mutation.marketProductsHide.productIds[]": "prod",
    "Mutation.marketProductsShow.id": "mkt",
    "Mutation.marketProductsShow.productIds[]": "prod",
    "Mutation.marketUpdate.id": "mkt",
    "Mutation.marketUpdate.input.priceListId": "plist",
    "Mutation.priceListDelete.id": "plist unused",
    "Mutation.priceListPricesSet.delete[].variantId": "var",
    "Mutation.priceListPricesSet.id": "plist",
    "Mutation.priceListPricesSet.set[].variantId": "var",
    "Mutation.priceListUpdate.id": "plist",
    "Query.customerGroup.id": "cgrp",
    "Query.customerGroupMembers.id": "cgrp",
    "Query.market.id": Id("mkt", anybody=True),
    "Query.priceList.id": "plist",
    "Mutation.draftOrderCreate.input.customerId": "cus",
    "Mutation.draftOrderCreate.input.lines[].taxClassId": "tclass",
    "Mutation.draftOrderCreate.input.lines[].variantId": "var",
    "Mutation.draftOrderCreate.input.marketId": "mkt",
    "Mutation.draftOrderCreate.input.shippingQuoteId": Id("quote", refusal="QUOTE_INVALID"),
    "Mutation.draftOrderCreate.input.companyId": "comp",
    "Mutation.draftOrderUpdate.input.customerId": "cus",
    "Mutation.draftOrderUpdate.input.lines[].taxClassId": "tclass",
    "Mutation.draftOrderUpdate.input.lines[].variantId": "var",
    "Mutation.draftOrderUpdate.input.marketId": "mkt",
    "Mutation.draftOrderUpdate.input.shippingQuoteId": Id("quote", refusal="QUOTE_INVALID"),
    "Mutation.draftOrderUpdate.input.companyId": "comp",
    "Mutation.draftOrderDelete.id": "draft",
    "Mutation.draftOrderMarkComplete.input.id": "draft",
    "Mutation.draftOrderSend.input.id": "draft",
    "Mutation.draftOrderUpdate.id": "draft",
    "Mutation.draftOrderComplete.input.payment.savedPaymentMethodId": owned("pm", refusal="NOT_FOUND UNAUTHENTICATED"),
    "Mutation.cartCompanyUpdate.cartId": CART,
    "Mutation.cartCompanyUpdate.companyId": owned("comp", refusal="NOT_A_MEMBER"),
    "Mutation.companyCreate.input.priceListId": "plist",
    "Mutation.companyMemberInvite.input.companyId": "comp",
    "Mutation.companyMemberRemove.id": "cmem",
    "Mutation.companyMemberUpdate.id": "cmem",
    "Mutation.orderApprovalApprove.id": owned("oapr", P.COMPANIES_WRITE, refusal="NOT_FOUND UNAUTHENTICATED FORBIDDEN"),
    "Mutation.orderApprovalCancel.id": owned("oapr own"),
    "Mutation.orderApprovalReject.id": owned("oapr", P.COMPANIES_WRITE, refusal="NOT_FOUND UNAUTHENTICATED FORBIDDEN"),
    "Mutation.orderApprovalRequest.input.cartId": CART,
    "Mutation.companyUpdate.id": "comp",
    "Mutation.companyUpdate.input.priceListId": "plist",
    "Mutation.quotationRequest.input.cartId": CART,
    "Mutation.deadLetterReplay.id": "dead",
    "Mutation.messageResend.id": "msg",
    "Mutation.staffDeactivate.id": "staff",
    "Mutation.staffInvitationRevoke.id": "inv",
    "Mutation.staffInvite.input.roleId": "role",
    "Mutation.staffReactivate.id": "staff",
    "Mutation.staffRoleDelete.id": "role",
    "Mutation.staffRoleUpdate.id": "role",
    "Mutation.staffSecondFactorReset.id": nobodys("staff", "FORBIDDEN"),
    "Mutation.staffSessionRevoke.id": nobodys("sess of staff"),  # of a colleague
    "Mutation.staffUpdate.id": "staff",
    "Mutation.staffUpdate.input.roleId": "role",
    "Mutation.webhookEndpointDelete.id": "whe",
    "Mutation.webhookEndpointSecretRotate.id": "whe",
    "Mutation.webhookEndpointUpdate.id": "whe",
    "Mutation.webhookReplay.deliveryId": "whd",
    "Mutation.webhookReplayFailed.endpointId": "whe",
    "Mutation.webhookTest.endpointId": "whe",
}

NODES: dict[str, Id] = {
    "camp": for_staff("camp", P.MARKETING_READ),
    "cadd": owned("cadd", P.CUSTOMERS_READ),
    "cart": CART,
    "chk": CHECKOUT,
    "cline": LINE,
    "code": for_staff("code", P.MARKETING_READ),
    "coll": for_staff("coll", P.PRODUCTS_READ),  # a published one: anybody
    "comp": for_staff("comp", P.COMPANIES_READ),
    "cus": owned("cus", P.CUSTOMERS_READ),
    "dead": for_staff("dead", P.OPERATIONS),
    "disc": for_staff("disc", P.MARKETING_READ),
    "draft": owned("draft", P.DRAFT_ORDERS_WRITE),
    "flow": for_staff("flow", P.MARKETING_READ),
    "frun": for_staff("frun", P.MARKETING_READ),
    "ful": for_staff("ful", P.ORDERS_READ),  # a shopper finds them in their order
    "gc": for_staff("gc", P.GIFT_CARDS_READ),
    "fver": for_staff("fver", P.MARKETING_READ),
    "invc": owned("invc", P.ORDERS_READ),
    "job": IMPORT,  # who may do what it does; OPERATIONS sees all
    "cgrp": for_staff("cgrp", P.MARKETS_WRITE),
    "mkt": Id("mkt", anybody=True),
    "msg": for_staff("msg", P.OPERATIONS),
    "plist": for_staff("plist", P.MARKETS_WRITE),
    "oline": owned("oline", P.ORDERS_READ),
    "oapr": owned("oapr", P.COMPANIES_READ),
    "ord": owned("ord", P.ORDERS_READ),
    "pm": owned("pm"),
    "priv": owned("priv", P.PRIVACY_WRITE),
    "prod": for_staff("prod", P.PRODUCTS_READ),  # one on sale: anybody
    "prof": for_staff("prof", P.CUSTOMERS_READ),
    "ref": for_staff("ref", P.ORDERS_READ),  # a shopper finds them in their order
    "scred": owned("scred", P.GIFT_CARDS_READ),
    "seg": for_staff("seg", P.MARKETING_READ),
    "staff": for_staff("staff", P.STAFF_WRITE),  # and oneself
    "survey": for_staff("survey", P.CUSTOMERS_READ),
    "szone": for_staff("szone", P.SHIPPING_WRITE),
    "tmpl": for_staff("tmpl", P.MARKETING_READ),
    "var": for_staff("var", P.PRODUCTS_READ),
    "wh": for_staff("wh", P.PRODUCTS_READ),
    "whd": for_staff("whd", P.INTEGRATIONS_WRITE),
    "whe": for_staff("whe", P.INTEGRATIONS_WRITE),
}
"""`node` and `nodes`, by the prefix of the id."""
