"""Codes of fulfilment and tracking."""

from app.errors import ErrorCode


class FulfillmentErrorCode(ErrorCode):
    NOTHING_TO_FULFILL = "Nothing of the order is still to be shipped."
    FULFILLMENT_EXCEEDS_ORDER = "More units than are still to be shipped of this line."
    ORDER_NOT_FULFILLABLE = "The order is cancelled, so nothing of it can be shipped."
    ORDER_ON_HOLD = "Something that was agreed on has to be met before the goods leave: see the order's holds."
    ORDER_UNPAID = "Money is missing that was not agreed to come later; `allowUnpaid` ships all the same."
    SHIPMENT_REQUIRED = "The fulfilment has several parcels: say which one by `shipmentId`."
