"""What was adjusted for the shopper, or should be known before going on. Unlike errors, warnings stop nothing."""

import strawberry

from app.cart.warnings import CartWarning, WarningCode
from schema.enums import describe_enum

describe_enum(
    WarningCode,
    "What was adjusted, or what to look at.",
    QUANTITY_CLAMPED="Less is in stock than was asked for; the line has what there is.",
    QUANTITY_UNAVAILABLE="Less is in stock now than the line has.",
    OUT_OF_STOCK="Nothing of it is in stock now.",
    NOT_FOR_SALE="The product was taken off sale since it was put into the cart; it cannot be ordered.",
    COUNTRY_NOT_SERVED="The shop does not ship to this country.",
    MARKET_CHANGED="The cart is in another market now: its prices, currency and what can be bought are those of there.",
    CART_NOT_FOUND="There is no such open cart that could become the account's.",
    CART_NOT_MERGED="The cart and the account's own could not become one; both stay, and are the account's.",
    QUANTITY_NOT_ALLOWED="The product is sold in other quantities only; it cannot be ordered like this.",
    CUSTOMIZATION_UNAVAILABLE="What was chosen is not made any more, or something else is needed; change the line.",
    CUSTOMIZATION_REPRICED="What is made to order costs something else now; the cart is charged what it costs now.",
    REGION_RESTRICTED="The product is not sold where the order would go to.",
    NOT_RESERVED="The items are not kept for the shopper this time; the checkout can be completed while there are any.",
    CHECKOUT_NOT_MERGED="Where the merged cart was to go to, or how, does not fit the cart that it is in now.",
    COMPANY_LEFT="The cart is bought for a company that its account is no member of now: prices and taxes are those of "
    "anybody, and it cannot be ordered before another company, or none, is chosen.",
)


@strawberry.type(
    name="Warning", description="Something that was adjusted for you, or that you should know. It stops nothing."
)
class WarningType:
    code: WarningCode = strawberry.field(description="What it is, for programs.")
    message: str = strawberry.field(description="What it is, for people.")
    field: list[str] | None = strawberry.field(
        description="Path of the argument that it is about, such as `lines`, `0`, `quantity`."
    )
    available_quantity: int | None = strawberry.field(
        description="Where stock is the reason: units that the cart could have altogether."
    )

    @classmethod
    def of(cls, warning: CartWarning) -> "WarningType":
        return cls(
            code=warning.code,
            message=warning.message,
            field=warning.field,
            available_quantity=warning.available_quantity,
        )
