"""What staff write into draft orders, as clients send it."""

import uuid
from decimal import Decimal
from typing import Any

import strawberry

from app.assisted.content import DraftContent, DraftLine, Pickup, ShippingLine, StaffDiscount
from app.errors import DomainError
from app.gifting.options import GiftOptions
from app.kit import ids
from app.kit.ids import new_id
from app.tax.tax_ids import normalise_tax_id
from schema.addresses import AddressInput
from schema.gifting import GiftOptionsInput
from schema.lines import AttributeInput, CustomizationInput
from schema.money import MoneyInput
from schema.taxes.classes import CLASS_PREFIX

_Path = list[str | int]


@strawberry.input(description="Some units of a variant, or of something that the catalogue does not have.")
class DraftOrderLineInput:
    quantity: int = strawberry.field(description="From 1 to 100,000.")
    variant_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The variant; left out for a custom line, which has a title and a price."
    )
    unit_price: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What was negotiated, in the market's currency; left out, the variant costs what the catalogue "
        "says.",
    )
    title: str | None = strawberry.field(default=strawberry.UNSET, description="Of a custom line.")
    sku: str | None = strawberry.field(default=strawberry.UNSET, description="Of a custom line.")
    taxable: bool = strawberry.field(default=True, description="Whether a custom line bears tax.")
    tax_class_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Of a custom line; left out, the shop's default class."
    )
    requires_shipping: bool = strawberry.field(default=False, description="Whether a custom line is shipped.")
    attributes: list[AttributeInput] = strawberry.field(
        default_factory=list, description="The storefront's own, such as a table's number."
    )
    customizations: list[CustomizationInput] = strawberry.field(
        default_factory=list,
        description="What is made to order: of the variant's product's `customizations`, at their prices unless "
        "`unitPrice` is given, which is for all of it.",
    )
    gift_options: GiftOptionsInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is wanted done with each unit as a gift."
    )


@strawberry.input(description="What staff take off all lines: a percentage or an amount.")
class DraftOrderDiscountInput:
    reason: str = strawberry.field(description="As the buyer and the invoice have it.")
    percentage: Decimal | None = strawberry.field(default=strawberry.UNSET, description="Above 0, up to 100.")
    amount: MoneyInput | None = strawberry.field(default=strawberry.UNSET, description="In the market's currency.")


@strawberry.input(description="How it is shipped, by the word of staff.")
class DraftOrderShippingInput:
    title: str = strawberry.field(description="As the buyer sees it.")
    price: MoneyInput = strawberry.field(description="In the market's currency.")


@strawberry.input(description="A draft order as a whole.")
class DraftOrderInput:
    lines: list[DraftOrderLineInput] = strawberry.field(description="Up to 100.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Whose account it is for; its address is written to unless `email` is."
    )
    company_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The company that buys, with its prices, terms and exemptions."
    )
    market_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Where it is sold; left out, by where it goes."
    )
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Whom the link is mailed to.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="In international form; the link is sent there by text message where no `email` is known.",
    )
    tax_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The buyer's VAT number or the like; left out, the company's."
    )
    shipping_address: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="Where it goes.")
    billing_address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Who pays; the shipping address where left out."
    )
    discount: DraftOrderDiscountInput | None = strawberry.field(
        default=strawberry.UNSET, description="Taken off by staff."
    )
    shipping: DraftOrderShippingInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Needed before it is sent, where anything ships; this, or `shippingQuoteId`.",
    )
    shipping_quote_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="One of `shippingQuotes` for the same variants and address. Its price is kept with the draft.",
    )
    pickup_location_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="One of `pickupLocations`, where it is fetched and not shipped: in the place of an address and a "
        "way to ship. Its taxes are due, and its stock is taken; it is sold in the store's market unless `marketId` "
        "is given.",
    )
    gift_options: GiftOptionsInput | None = strawberry.field(
        default=strawberry.UNSET, description="What is wanted done with all of it as a gift, at the shop's prices."
    )
    note: str | None = strawberry.field(default=strawberry.UNSET, description="On the order, up to 2,000 characters.")
    purchase_order_number: str | None = strawberry.field(
        default=strawberry.UNSET, description="The buyer's own number, where staff settle it by hand."
    )
    deposit: MoneyInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="To be paid when it is placed, the rest being due later. The goods are on hold until it has come "
        "in; or give `depositPercentage`.",
    )
    deposit_percentage: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="The same as a part of the total: above 0, up to 100."
    )
    days_to_pay: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="When what is left after a deposit, or settling by hand, has to be paid: from 0 to 365 days after "
        "it is placed; left out for no date.",
    )
    needs_guarantee: bool = strawberry.field(
        default=False, description="The order is on hold until staff confirm a guarantee, such as a bank's."
    )

    def parsed(self) -> tuple[DraftContent, frozenset[str]]:
        """What was written, and the currencies of its amounts. Raises DomainErrors."""
        currencies: set[str] = set()

        def minor(money: MoneyInput | None, *path: str | int) -> int | None:
            if not money:
                return None
            parsed = money.parsed(["input", *path, "amount"])
            currencies.add(parsed.currency)
            return parsed.amount_minor

        shipping, discount = self.shipping, self.discount
        store_id = _id("wh", self.pickup_location_id, "pickupLocationId")
        country = (self.billing_address or self.shipping_address or None) and (
            self.billing_address or self.shipping_address
        )
        content = DraftContent(
            email=self.email or None,
            phone=self.phone or None,
            customer_id=_id("cus", self.customer_id, "customerId"),
            company_id=_id("comp", self.company_id, "companyId"),
            market_id=_id("mkt", self.market_id, "marketId"),
            tax_id=normalise_tax_id(self.tax_id, country.country_code if country else None, ["input", "taxId"])
            if self.tax_id
            else None,
            lines=tuple(
                DraftLine(
                    id=new_id(),
                    quantity=line.quantity,
                    variant_id=_id("var", line.variant_id, "lines", place, "variantId"),
                    unit_price_minor=minor(line.unit_price or None, "lines", place, "unitPrice"),
                    title=line.title or None,
                    sku=line.sku or None,
                    taxable=line.taxable,
                    tax_class_id=_id(CLASS_PREFIX, line.tax_class_id, "lines", place, "taxClassId"),
                    requires_shipping=line.requires_shipping,
                    attributes=[{"key": one.key, "value": one.value} for one in line.attributes],
                    customizations=[{"key": one.key, "value": one.value} for one in line.customizations],
                    gift_options=_gift(line.gift_options, "lines", place),
                )
                for place, line in enumerate(self.lines)
            ),
            discount=StaffDiscount(
                reason=discount.reason,
                percentage=discount.percentage or None,
                amount_minor=minor(discount.amount or None, "discount", "amount"),
            )
            if discount
            else None,
            shipping=ShippingLine(title=shipping.title, price_minor=minor(shipping.price, "shipping", "price") or 0)
            if shipping
            else None,
            shipping_quote_id=self.shipping_quote_id or None,
            pickup=Pickup(location_id=store_id) if store_id else None,
            gift_options=_gift(self.gift_options),
            shipping_address=_address(self.shipping_address, "shippingAddress"),
            billing_address=_address(self.billing_address, "billingAddress"),
            note=self.note or None,
            purchase_order_number=self.purchase_order_number or None,
            deposit_minor=minor(self.deposit or None, "deposit"),
            deposit_percentage=self.deposit_percentage if isinstance(self.deposit_percentage, Decimal) else None,
            days_to_pay=self.days_to_pay if isinstance(self.days_to_pay, int) else None,
            needs_guarantee=self.needs_guarantee,
        )
        return content, frozenset(currencies)


def _id(prefix: str, text: str | None, *path: str | int) -> uuid.UUID | None:
    at: _Path = ["input", *path]
    return ids.decode(prefix, text, at) if text else None


def _gift(asked: GiftOptionsInput | None, *path: str | int) -> dict[str, Any] | None:
    """Raises DomainError."""
    if not asked:
        return None
    try:
        return GiftOptions().changed(asked.given()).to_json()
    except DomainError as wrong:
        raise wrong.under("input", *path, "giftOptions") from None


def _address(address: AddressInput | None, name: str) -> dict[str, str] | None:
    return address.parsed(["input", name]).to_json() if address else None
