"""Gift options: wrapping with a price, a greeting, a slip without prices."""

from typing import Annotated, Any

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.gifting import printing, settings, slips
from app.gifting.options import GiftChange
from app.gifting.options import GiftOptions as Chosen
from app.gifting.settings import GiftSettings as Settings
from app.gifting.settings import WrapPrice
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.money import Money, MoneyInput


@strawberry.type(description="What is wanted done with a gift.")
class GiftOptions:
    wrap: bool = strawberry.field(description="Whether it is wrapped.")
    message: str | None = strawberry.field(description="The giver's words, for a card in the parcel.")
    hide_prices: bool = strawberry.field(description="Whether the slip in the parcel leaves prices out.")

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> "GiftOptions | None":
        return cls.always(Chosen.of(stored)) if stored else None

    @classmethod
    def always(cls, chosen: Chosen) -> "GiftOptions":
        return cls(wrap=chosen.wrap, message=chosen.message, hide_prices=chosen.hide_prices)


@strawberry.input(description="What is wanted done with a gift. What is left out stays as it is; null takes it away.")
class GiftOptionsInput:
    wrap: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether to wrap it, at the shop's price: the whole order at once, or each unit of a line.",
    )
    message: str | None = strawberry.field(
        default=strawberry.UNSET, description="For a card in the parcel, up to 500 characters."
    )
    hide_prices: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the slip in the parcel leaves prices out."
    )

    def given(self) -> GiftChange:
        change = GiftChange()
        if self.wrap is not strawberry.UNSET:
            change["wrap"] = self.wrap
        if self.message is not strawberry.UNSET:
            change["message"] = self.message
        if self.hide_prices is not strawberry.UNSET:
            change["hide_prices"] = self.hide_prices
        return change


@strawberry.type(description="What gift wrapping costs in one currency.")
class GiftWrapPrice:
    order: Money = strawberry.field(description="For a whole order in one wrap.")
    unit: Money = strawberry.field(description="For each unit of a line that is wrapped by itself.")


@strawberry.type(description="Gift wrapping as the shop offers it.")
class GiftSettings:
    wrapping_enabled: bool = strawberry.field(description="Whether the shop wraps gifts.")
    label: str = strawberry.field(description="How it is called on the bill.")
    prices: list[GiftWrapPrice] = strawberry.field(
        description="By currency; what sells in another one converts the price in the shop's."
    )

    @classmethod
    async def now(cls) -> "GiftSettings":
        kept = await settings.current()
        return cls(
            wrapping_enabled=kept.wrapping_enabled,
            label=kept.wrapping_label,
            prices=[
                GiftWrapPrice(
                    order=Money.of(one.order.amount_minor, one.order.currency),
                    unit=Money.of(one.unit.amount_minor, one.unit.currency),
                )
                for one in kept.prices
            ],
        )


@strawberry.input(description="What gift wrapping costs in one currency.")
class GiftWrapPriceInput:
    order: MoneyInput = strawberry.field(description="For a whole order in one wrap.")
    unit: MoneyInput = strawberry.field(description="For each unit of a line that is wrapped by itself.")


@strawberry.input(description="Gift wrapping, all of it: what is left out is as if it had never been set.")
class GiftSettingsInput:
    wrapping_enabled: bool = strawberry.field(description="Whether the shop wraps gifts.")
    label: str = strawberry.field(
        default=settings.DEFAULT_LABEL, description="How it is called on the bill, up to 80 characters."
    )
    prices: list[GiftWrapPriceInput] | None = strawberry.field(
        default=strawberry.UNSET, description="By currency, one of them the shop's own where it wraps."
    )


@strawberry.type(description="Answer to `giftSettingsUpdate`.")
class GiftSettingsPayload:
    settings: GiftSettings | None = strawberry.field(default=None, description="As they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Something that was made to order.")
class PackingSlipText:
    label: str = strawberry.field(description="Such as Engraving.")
    value: str = strawberry.field(description="The text, or what was chosen.")


@strawberry.type(description="Some units in a parcel.")
class PackingSlipLine:
    product_name: str = strawberry.field(description="As it was sold.")
    variant_name: str = strawberry.field(description="As it was sold.")
    sku: str | None = strawberry.field(description="The shop's own number of it.")
    quantity: int = strawberry.field(description="How many are in the parcel.")
    unit_price: Money | None = strawberry.field(description="Null where the slip hides prices.")
    gift_options: GiftOptions = strawberry.field(description="Whether it is wrapped by itself, and with which words.")
    customizations: list[PackingSlipText] = strawberry.field(description="What was made to order of each unit.")


@strawberry.type(description="What is printed for a parcel, to be packed by and put into it.")
class PackingSlip:
    order_number: str = strawberry.field(description="The order's number.")
    recipient: list[str] = strawberry.field(
        description="Where it goes, as on the label; of what is fetched, the name on the bill. Empty where neither is "
        "known."
    )
    pickup: list[str] = strawberry.field(
        description="The store that it is fetched from, with its address; empty for what is shipped."
    )
    hides_prices: bool = strawberry.field(description="Whether prices are left out, as this is a gift.")
    gift_options: GiftOptions = strawberry.field(description="Whether the whole is wrapped, and with which words.")
    lines: list[PackingSlipLine] = strawberry.field(description="What is in it.")
    url: str = strawberry.field(
        description="The slip as a PDF, to be printed. The address is good for 15 minutes, and as long as whoever "
        "asked for it may read orders."
    )

    @classmethod
    def of(cls, slip: slips.PackingSlip, url: str) -> "PackingSlip":
        return cls(
            order_number=slip.order_number,
            recipient=slip.recipient,
            pickup=slip.pickup,
            url=url,
            hides_prices=slip.hides_prices,
            gift_options=GiftOptions.always(slip.options),
            lines=[
                PackingSlipLine(
                    product_name=line.product_name,
                    variant_name=line.variant_name,
                    sku=line.sku,
                    quantity=line.quantity,
                    unit_price=Money.of(line.unit_price.amount_minor, line.unit_price.currency)
                    if line.unit_price
                    else None,
                    gift_options=GiftOptions.always(line.options),
                    customizations=[PackingSlipText(label=label, value=text) for label, text in line.made_to_order],
                )
                for line in slip.lines
            ],
        )


@strawberry.type
class GiftingQueries:
    @query(
        access=STAFF(Permission.ORDERS_READ),
        description="The slip for a fulfilment's parcel, or for all that is still to be packed of an order; without "
        "prices where it is a gift. Null for what there is not.",
    )
    async def packing_slip(
        self,
        info: Info,
        fulfillment_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Id of the fulfilment; this, or the order's.")
        ] = strawberry.UNSET,
        order_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Id of the order, such as one that is fetched.")
        ] = strawberry.UNSET,
    ) -> PackingSlip | None:
        staff = info.context.staff
        if bool(fulfillment_id) == bool(order_id) or staff is None:
            message = "Give the id of either a fulfilment or an order."
            raise DomainError(CommonErrorCode.INVALID, message, ["orderId" if fulfillment_id else "fulfillmentId"])
        if fulfillment_id:
            kind, subject = printing.OF_FULFILLMENT, ids.decode("ful", fulfillment_id, ["fulfillmentId"])
            slip = await slips.of_fulfillment(subject)
        else:
            kind, subject = printing.OF_ORDER, ids.decode("ord", order_id or "", ["orderId"])
            slip = await slips.of_order(subject)
        return PackingSlip.of(slip, printing.slip_url(kind, subject, staff.id)) if slip else None

    @query(access=STAFF(Permission.SETTINGS_WRITE), description="Gift wrapping as the shop offers it.")
    async def gift_settings(self) -> GiftSettings:
        return await GiftSettings.now()


@strawberry.type
class GiftingMutations:
    @mutation(
        access=STAFF(Permission.SETTINGS_WRITE),
        description="Set gift wrapping; how it is taxed is in `taxSettings`. Open carts get new prices, orders keep "
        "theirs.",
    )
    async def gift_settings_update(
        self, input: Annotated[GiftSettingsInput, strawberry.argument(description="All of it.")]
    ) -> GiftSettingsPayload:
        await settings.update(
            Settings(
                wrapping_enabled=input.wrapping_enabled,
                wrapping_label=input.label,
                prices=[
                    WrapPrice(
                        one.order.parsed(["input", "prices", place, "order", "amount"]),
                        one.unit.parsed(["input", "prices", place, "unit", "amount"]),
                    )
                    for place, one in enumerate(input.prices or [])
                ],
            )
        )
        return GiftSettingsPayload(settings=await GiftSettings.now())
