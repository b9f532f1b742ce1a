"""The lines of an order, which orders and fulfilments show."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from app.kit import ids
from app.orders import queries
from app.terms.customizations import Chosen
from schema.cart import Attribute, OrderLineCost
from schema.catalogue import ProductVariant, SelectedOption, load_variants
from schema.context import Info
from schema.gifting import GiftOptions
from schema.nodes import Node
from schema.selection import Selection
from schema.terms.types import LineCustomization

LINE_PREFIX = "oline"

Variants = Mapping[uuid.UUID, ProductVariant]
"""What the catalogue says of them now, by id; empty where nobody asks."""


@strawberry.type(description="Some quantity of a variant, with everything as it was when it was sold.")
class OrderLine(Node):
    product_id: strawberry.ID = strawberry.field(description="The product, which may have changed or gone since.")
    variant_id: strawberry.ID = strawberry.field(description="The variant, which may have changed or gone since.")
    variant: ProductVariant | None = strawberry.field(
        description="The variant as it is in the catalogue now; null when it is gone."
    )
    product_name: str = strawberry.field(description="The product's name at that time.")
    variant_name: str = strawberry.field(description='The variant\'s name, such as "M / Navy".')
    sku: str | None = strawberry.field(description="The shop's own number of the variant.")
    image_url: str | None = strawberry.field(description="Its picture.")
    selected_options: list[SelectedOption] = strawberry.field(description="Which options were chosen.")
    attributes: list[Attribute] = strawberry.field(description="The storefront's own, such as a colour's name.")
    customizations: list[LineCustomization] = strawberry.field(
        description="What is made to order, as it was offered and priced then; in the unit price."
    )
    expected_at: dt.datetime | None = strawberry.field(
        description="When what was ordered ahead, or is back-ordered, was said to be there; null for at once."
    )
    quantity: int = strawberry.field(description="Units sold.")
    fulfilled_quantity: int = strawberry.field(description="Units shipped so far.")
    requires_shipping: bool = strawberry.field(description="Whether it has to be shipped.")
    cost: OrderLineCost = strawberry.field(description="What it cost.")
    gift_options: GiftOptions | None = strawberry.field(
        description="What is wanted done with it as a gift; null for nothing."
    )


class LineView:
    """Shows lines of one order."""

    def __init__(self, currency: str, variants: Variants, public_url: str) -> None:
        self.currency = currency
        self.variants = variants
        self.public_url = public_url

    def show(self, line: dict[str, Any]) -> OrderLine:
        variant_id = uuid.UUID(line["variant_id"])
        return OrderLine(
            id=strawberry.ID(ids.encode(LINE_PREFIX, uuid.UUID(line["id"]))),
            product_id=strawberry.ID(ids.encode("prod", uuid.UUID(line["product_id"]))),
            variant_id=strawberry.ID(ids.encode("var", variant_id)),
            variant=self.variants.get(variant_id),
            product_name=line["product_name"],
            variant_name=line["variant_name"],
            sku=line["sku"],
            image_url=self._url(line["image_url"]),
            selected_options=[SelectedOption(name=one["name"], value=one["value"]) for one in line["selected_options"]],
            attributes=Attribute.all_of(line["attributes"]),
            customizations=[LineCustomization.of(Chosen(**one), self.currency) for one in line["customizations"]],
            expected_at=dt.datetime.fromisoformat(line["expected_at"]) if line["expected_at"] else None,
            quantity=line["quantity"],
            fulfilled_quantity=line["fulfilled_quantity"],
            requires_shipping=line["requires_shipping"],
            cost=OrderLineCost.of(line, self.currency),
            gift_options=GiftOptions.of(line["gift_options"]),
        )

    def _url(self, url: str | None) -> str | None:
        """Pictures that the API itself serves are kept as paths."""
        return self.public_url + url if url and url.startswith("/") else url


async def load_lines(
    info: Info, line_ids: Sequence[uuid.UUID], selection: Selection, *, owner: uuid.UUID | None
) -> dict[uuid.UUID, OrderLine]:
    """Lines by their own ids; `selection` is below a line.

    Args:
        owner: only those of this account's orders; None for all, where the caller knows that they may be seen.
    """
    order_of = await queries.order_ids_of_lines(line_ids)
    found = await queries.by_ids(list(set(order_of.values())))
    orders = {order_id: row for order_id, row in found.items() if owner is None or row["customer_id"] == owner}
    variants: Variants = {}
    if "variant" in selection and orders:
        wanted = {uuid.UUID(line["variant_id"]) for order in orders.values() for line in order["lines"]}
        variants = await load_variants(info, list(wanted), selection.below("variant"))
    views = {
        order_id: LineView(row["currency_code"], variants, info.context.settings.public_url)
        for order_id, row in orders.items()
    }
    return {
        line_id: views[order_id].show(line)
        for line_id, order_id in order_of.items()
        if order_id in orders
        for line in orders[order_id]["lines"]
        if line["id"] == str(line_id)
    }
