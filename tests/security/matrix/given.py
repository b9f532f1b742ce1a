"""What an operation needs besides the id that is tried, so that it gets as far as looking it up."""

from typing import Any

from tests.factories import checkout
from tests.security.matrix.things import PASSWORD, Shop

CONSENT = [{"channel": "EMAIL", "granted": True}]
LONG_AGO = "2020-01-01T00:00:00Z"
VARIANT = {"price": "10"}
CREDIT = {"amount": {"amount": "1", "currencyCode": "USD"}, "reason": "Sorry"}
DOLLAR = {"amount": "1", "currencyCode": "USD"}
OPTION, CHOSEN = {"name": "Size", "values": ["S"]}, {"name": "Size", "value": "S"}


def given(path: str, shop: Shop) -> dict[str, Any]:
    """Arguments of the path's field; of the path itself, where it takes others than its siblings."""
    of, things = shop.given, {kind: thing.id for kind, thing in shop.things.items()}
    field = path.split(".")[1]
    line = [{"variantId": of["var"], "quantity": 1}]
    complete = {
        "idempotencyKey": "key", "email": "guest@shopper.example", "shippingAddress": checkout.ADDRESS,
        "shippingQuoteId": of["quote"], "payment": checkout.CARD,
    }  # fmt: skip
    rate = {"name": "GST", "percentage": "5"}
    method = {"carrier": "UPS", "service": "Air", "rate": {"kind": "FLAT", "price": "5"}, "active": True}
    by_path: dict[str, dict[str, Any]] = {
        "Mutation.cartCreate.input.lines[].variantId": {"input": {"lines": [{"quantity": 1}]}},
        "Mutation.cartLinesRemove.cartId": {"lineIds": [things["cline"]]},
        "Mutation.cartLinesUpdate.cartId": {"lines": [{"id": things["cline"], "quantity": 1}]},
        "Mutation.productCreate.input.options[].id": {
            "input": {"name": "Hat", "options": [OPTION], "variants": [{**VARIANT, "selectedOptions": [CHOSEN]}]}
        },
        "Mutation.productUpdate.input.options[].id": {"id": of["prod"], "input": {"options": [OPTION]}},
        "Mutation.checkoutComplete.input.cartId": {"input": complete},
        "Mutation.checkoutComplete.input.checkoutId": {"input": complete},
        "Mutation.checkoutComplete.input.shippingAddressId": {
            "input": {**complete, "cartId": of["cart"], "shippingAddress": None}
        },
        "Mutation.checkoutComplete.input.payment.savedPaymentMethodId": {
            "input": {**complete, "cartId": of["cart"], "payment": {"method": "CARD", "gateway": "test"}}
        },
        "Mutation.consentUpdate.input.consent[].textId": {"input": {"cartId": of["cart"], "consent": CONSENT}},
        "Mutation.backInStockSubscribe.input.cartId": {"input": {"variantId": of["var sold out"]}},
        "Mutation.backInStockSubscribe.input.variantId": {"input": {"email": "guest@shopper.example"}},
        "Mutation.priceDropSubscribe.input.cartId": {"input": {"variantId": of["var"]}},
        "Mutation.priceDropSubscribe.input.variantId": {"input": {"email": "guest@shopper.example"}},
        "Mutation.eventsTrack.input.events[].collectionId": {
            "input": {"visitorId": of["visitor"], "events": [{"type": "COLLECTION_VIEWED"}]}
        },
        "Mutation.eventsTrack.input.events[].productId": {
            "input": {"visitorId": of["visitor"], "events": [{"type": "PRODUCT_VIEWED"}]}
        },
        "Mutation.fulfillmentCreate.input.lines[].orderLineId": {
            "input": {"orderId": things["ord unpaid"], "lines": [{"orderLineId": "", "quantity": 1}]}
        },
        "Mutation.orderEdit.input.lines[].orderLineId": {
            "orderId": things["ord unpaid"],
            "input": {"lines": [{"orderLineId": "", "quantity": 1}]},
        },
        "Mutation.orderEdit.input.addLines[].variantId": {
            "orderId": things["ord unpaid"],
            "input": {"addLines": [{"variantId": "", "quantity": 1}]},
        },
        "Mutation.draftOrderCreate.input.shippingQuoteId": {
            "input": {"lines": line, "shippingAddress": checkout.ADDRESS}
        },
        "Mutation.draftOrderUpdate.input.shippingQuoteId": {
            "id": things["draft"],
            "input": {"lines": line, "shippingAddress": checkout.ADDRESS},
        },
        "Mutation.orderPaymentCreate.input.payment.savedPaymentMethodId": {
            "input": {
                "orderId": things["ord unpaid"],
                "idempotencyKey": "key",
                "payment": {"method": "CARD", "gateway": "test"},
            }
        },
        "Mutation.refundCreate.input.lines[].orderLineId": {
            "input": {
                "orderId": things["ord unpaid"],
                "idempotencyKey": "key",
                "lines": [{"orderLineId": "", "quantity": 1}],
            }
        },
        "Mutation.invoiceSeriesUpdate.input.marketId": {"input": {"kind": "INVOICE", "prefix": "RE-"}},
        "Mutation.cartLinesUpdate.lines[].id": {"cartId": things["cart"], "lines": [{"id": "", "quantity": 1}]},
        "Mutation.cartGiftOptionsUpdate.lineId": {"cartId": things["cart"], "giftOptions": {"message": "Hello"}},
        "Mutation.cartLinesRemove.lineIds[]": {"cartId": things["cart"]},
        "Mutation.cartMerge.intoCartId": {"cartId": of["cart"]},
        "Mutation.cartMerge.cartId": {"intoCartId": of["cart"]},
        "Mutation.customerGroupCreate.input.priceListIds[]": {"input": {"name": "Dealers"}},
        "Mutation.customerGroupUpdate.input.priceListIds[]": {"id": things["cgrp"], "input": {"name": "Dealers"}},
        "Mutation.marketUpdate.input.priceListId": {"id": things["mkt"], "input": {"name": "North"}},
        "Mutation.marketCreate.input.priceListId": {"input": {"name": "North", "code": "north"}},
        "Mutation.priceListPricesSet.set[].variantId": {"id": things["plist"], "set": [{"price": DOLLAR}]},
        "Mutation.priceListPricesSet.delete[].variantId": {"id": things["plist"], "delete": [{}]},
        "Mutation.marketProductsHide.productIds[]": {"id": things["mkt"]},
        "Mutation.marketProductsShow.productIds[]": {"id": things["mkt"]},
        "Mutation.customerGroupMembersAdd.customerIds[]": {"id": things["cgrp"]},
        "Mutation.customerGroupMembersRemove.customerIds[]": {"id": things["cgrp"]},
        "Mutation.collectionProductsReorder.moves[].productId": {"id": of["coll"], "moves": [{"position": 1}]},
        "Mutation.taxZoneCreate.input.rates[].taxClassId": {
            "input": {"name": "North", "locations": [{"country": "CA"}], "rates": [rate]}
        },
        "Mutation.taxZoneUpdate.input.rates[].taxClassId": {"id": things["tzone"], "input": {"rates": [rate]}},
        "Query.shippingQuotes.input.cartId": {"input": {"address": checkout.DESTINATION}},
        "Mutation.staffUpdate.input.roleId": {"id": things["staff"]},
        "Mutation.customerAddressUpdate.id": {"address": checkout.ADDRESS},
    }
    by_field: dict[str, dict[str, Any]] = {
        "backInStockSubscribe": {"input": {"variantId": of["var sold out"], "email": "guest@shopper.example"}},
        "priceDropSubscribe": {"input": {"variantId": of["var"], "email": "guest@shopper.example"}},
        "campaignCreate": {"input": {"name": "News", "templateKey": "news"}},
        "campaignSchedule": {"input": {"sendAt": "2027-06-01T00:00:00Z", "inLocalTime": False}},
        "campaignTestSend": {"id": things["camp"], "to": "me@shop.example"},
        "campaignUpdate": {"id": things["camp"], "input": {"name": "Others"}},
        "cartBuyerIdentityUpdate": {"cartId": of["cart"], "buyerIdentity": {"marketingConsent": CONSENT}},
        "cartCreate": {
            "input": {
                "buyerIdentity": {"email": "guest@shopper.example", "marketingConsent": CONSENT},
            }
        },
        "cartLinesAdd": {"cartId": of["cart"], "lines": line},
        "cartGiftOptionsUpdate": {"giftOptions": {"message": "Hello"}},
        "cartUpdate": {"input": {"note": "Ring twice"}},
        "checkoutComplete": {"input": {**complete, "cartId": of["cart"], "marketingConsent": CONSENT}},
        "checkoutCreate": {"input": {"cartId": of["cart"], "marketingConsent": CONSENT}},
        "checkoutUpdate": {"checkoutId": of["chk"], "input": {"marketingConsent": CONSENT}},
        "collectionProductsAdd": {"id": of["coll"], "productIds": [of["prod"]]},
        "collectionProductsRemove": {"id": of["coll"], "productIds": [of["prod"]]},
        "collectionProductsReorder": {"moves": [{"productId": of["prod"], "position": 1}]},
        "collectionUpdate": {"input": {"name": "Caps"}},
        "consentRecord": {"input": {"profileId": things["prof"], "channel": "EMAIL", "granted": True}},
        "consentUpdate": {"input": {"consent": CONSENT}},
        "crmConnectionUpdate": {"input": {"name": "Other"}},
        "customerCreate": {"input": {"email": "new@shopper.example", "password": PASSWORD}},
        "customerLogin": {"input": {"email": shop.owner.email, "password": PASSWORD}},
        "customerSignInWithLink": {"token": of["sign-in token"]},
        "customerMarketingConsentUpdate": {"consent": CONSENT},
        "discountCodesAdd": {"input": {"codes": ["MORE"]}},
        "discountCodesGenerate": {"input": {"count": 1, "length": 8}},
        "discountCreate": {"input": {"name": "Eleven", "percentage": "11"}},
        "discountUpdate": {"id": things["disc"], "input": {"name": "Eleven"}},
        "eventsTrack": {
            "input": {"visitorId": of["visitor"], "events": [{"type": "PRODUCT_VIEWED", "productId": of["prod"]}]}
        },
        "cartCompanyUpdate": {"cartId": of["cart"]},
        "companyCreate": {"input": {"name": "Acme"}},
        "companyMemberInvite": {"input": {"email": "buyer@company.example"}},
        "companyMemberUpdate": {"input": {"role": "APPROVER"}},
        "companyUpdate": {"id": things["comp"], "input": {"name": "Acme"}},
        "quotationRequest": {"input": {"email": "buyer@company.example"}},
        "draftOrderComplete": {
            "input": {
                "token": of["draft token"],
                "idempotencyKey": "key",
                "payment": {"method": "CARD", "gateway": "test"},
            }
        },
        "draftOrderCreate": {"input": {"lines": [{"title": "Work", "quantity": 1, "unitPrice": DOLLAR}]}},
        "draftOrderMarkComplete": {"input": {}},
        "draftOrderSend": {"input": {}},
        "draftOrderUpdate": {
            "id": things["draft"],
            "input": {"lines": [{"title": "Work", "quantity": 1, "unitPrice": DOLLAR}]},
        },
        "flowSave": {"input": {"definition": {"trigger": {"event": "order.placed"}, "steps": []}}},
        "giftCardAdjust": {"id": things["gc"], "delta": "1", "reason": "Sorry"},
        "orderEdit": {"input": {"shippingMethod": "By hand"}},
        "orderShippingAddressUpdate": {"shippingAddress": checkout.ADDRESS},
        "orderPaymentCreate": {
            "input": {"orderId": things["ord unpaid"], "idempotencyKey": "key", "payment": checkout.CARD}
        },
        "orderManualPaymentCreate": {"input": {"method": "BANK_TRANSFER", "idempotencyKey": "key"}},
        "orderHoldRelease": {"hold": "GUARANTEE", "reason": "Confirmed"},
        "refundCreate": {"input": {"idempotencyKey": "key", "amount": {"amount": "1", "currencyCode": "USD"}}},
        "storeCreditDebit": {"input": CREDIT},
        "storeCreditGrant": {"input": CREDIT},
        "inventoryAdjust": {"input": {"variantId": of["var"], "delta": 1}},
        "newsletterSubscribe": {"input": {"email": "guest@shopper.example", "consent": CONSENT}},
        "productCreate": {"input": {"name": "Hat", "variants": [VARIANT]}},
        "productUpdate": {"id": of["prod"], "input": {"name": "Hat"}},
        "productsExport": {"input": {"format": "SHOPIFY_CSV"}},
        "profileUpdate": {"input": {"firstName": "Grace"}},
        "segmentUpdate": {"input": {"name": "Others"}},
        "shippingQuotes": {"input": {"address": checkout.DESTINATION, "lines": line}},
        "shippingZoneCreate": {"input": {"name": "North", "locations": [{"country": "CA"}], "methods": [method]}},
        "shippingZoneUpdate": {"id": things["szone"], "input": {"methods": [method]}},
        "staffInvite": {"input": {"email": "nell@shop.example", "name": "Nell"}},
        "staffRoleUpdate": {"input": {"name": "Packer"}},
        "staffUpdate": {"input": {"name": "Nell"}},
        "taxClassUpdate": {"input": {"name": "Other"}},
        "taxExemptionCreate": {"input": {"certificateNumber": "ST-120"}},
        "taxZoneCreate": {"input": {"name": "North", "locations": [{"country": "CA"}]}},
        "taxZoneUpdate": {"id": things["tzone"], "input": {"name": "South"}},
        "templatePreview": {"id": things["tmpl"]},
        "templateTestSend": {"id": things["tmpl"], "to": "me@shop.example"},
        "trackingEventAdd": {"input": {"fulfillmentId": things["ful"], "status": "IN_TRANSIT"}},
        "productTermsUpdate": {"input": {"minimumAge": 18}},
        "warehouseUpdate": {"input": {"name": "Far east"}},
        "webhookEndpointUpdate": {"input": {"name": "Other"}},
        "webhookReplayFailed": {"since": LONG_AGO},
    }
    if "buyXGetY" in path:
        offer = {"buyQuantity": 1, "getQuantity": 1, "percentage": "50"}
        return {**by_field[field], "input": {"name": "Eleven", "percentage": None, "buyXGetY": offer}}
    return by_path.get(path) or by_field.get(field, {})
