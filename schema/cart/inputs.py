"""What storefronts send about carts."""

import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

import strawberry

from app.cart.attributes import Attribute
from app.cart.details import CartDetails
from app.cart.identity import BuyerIdentity
from app.cart.rules import MAX_LINES, LineToAdd, LineToUpdate
from app.cart.service import CartKey
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit import ids
from app.kit.ids import new_id
from schema.consent_inputs import ConsentInput
from schema.gifting import GiftOptionsInput
from schema.lines import AttributeInput, CartLineInput, CustomizationInput
from schema.scalars import CountryCode

CART_PREFIX = "cart"
LINE_PREFIX = "cline"

T = TypeVar("T")
U = TypeVar("U")


@strawberry.input(description="A line's new quantity, and what else changes of it.")
class CartLineUpdateInput:
    id: strawberry.ID = strawberry.field(description="Which line.")
    quantity: int = strawberry.field(
        description="How many there are to be, up to 10,000; 0 removes the line. More than is in stock becomes what is "
        "in stock, with the warning QUANTITY_CLAMPED."
    )
    attributes: list[AttributeInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Take the place of all that the line has; left out or null, they stay. When two lines become "
        "alike, they turn into one.",
    )
    customizations: list[CustomizationInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Take the place of all that the line has, at today's prices; left out or null, they stay.",
    )
    gift_options: GiftOptionsInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What changes of its gift options; left out or null, all stay. As in `cartGiftOptionsUpdate`.",
    )


@strawberry.input(description="Who buys. What is left out stays as it is; null takes it out of the cart.")
class BuyerIdentityInput:
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Where the order's mail goes.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="In international form (`+44 20 7946 0018`), or as it is dialled within `countryCode`.",
    )
    country_code: CountryCode | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where the buyer is. A country that the shop does not ship to is kept, with the warning "
        "COUNTRY_NOT_SERVED.",
    )
    tax_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The VAT number of a business, or the like: with its country's code, or as one of `countryCode`. "
        "INVALID_TAX_ID where its form or its check digits are wrong.",
    )
    marketing_consent: list[ConsentInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="For the addresses in the cart, by channel. An empty box (`granted: false`) takes back what was "
        "given in this cart, and nothing that holds from elsewhere: for that there is `consentUpdate`.",
    )

    def given(self) -> BuyerIdentity:
        identity = BuyerIdentity()
        if self.email is not strawberry.UNSET:
            identity["email"] = self.email
        if self.phone is not strawberry.UNSET:
            identity["phone"] = self.phone
        if self.country_code is not strawberry.UNSET:
            identity["country_code"] = self.country_code
        if self.tax_id is not strawberry.UNSET:
            identity["tax_id"] = self.tax_id
        return identity


@strawberry.input(description="What a new cart has from the start. When any of it is refused, no cart is made.")
class CartInput:
    lines: list[CartLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 250 lines, as in `cartLinesAdd`."
    )
    buyer_identity: BuyerIdentityInput | None = strawberry.field(default=strawberry.UNSET, description="Who buys.")
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="The buyer's words to the shop, up to 5,000 characters."
    )
    attributes: list[AttributeInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 25 keys and values of the storefront's own."
    )
    discount_codes: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 10 codes, as in `cartDiscountCodesUpdate`."
    )
    gift_options: GiftOptionsInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What is wanted done with the whole of it as a gift; its lines can have their own.",
    )


@strawberry.input(description="What is left out stays as it is; null takes it out of the cart.")
class CartUpdateInput:
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="The buyer's words to the shop, up to 5,000 characters."
    )
    attributes: list[AttributeInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 25 keys and values; they take the place of all that the cart has."
    )


def cart_key(cart_id: str, field: str = "cartId") -> CartKey:
    """Raises DomainError(INVALID_ID)."""
    return CartKey(*ids.decode_with_secret(CART_PREFIX, cart_id, [field]))


def lines_to_add(lines: Sequence[CartLineInput], *at: str) -> list[LineToAdd]:
    """Raises DomainErrors with INVALID_ID, DomainError(TOO_MANY)."""

    def parse(index: int, line: CartLineInput) -> LineToAdd:
        variant_id = line.variant_uuid([*at, "lines", index])
        made = [one.given() for one in line.customizations or ()]
        gift = line.gift_options.given() if line.gift_options else None
        return LineToAdd(new_id(), variant_id, line.quantity, _attributes(line.attributes), made, gift)

    return _each(lines, parse, *at, "lines")


def lines_to_update(key: CartKey, lines: Sequence[CartLineUpdateInput]) -> list[LineToUpdate]:
    """Raises DomainErrors with INVALID_ID, DomainError(TOO_MANY)."""

    def parse(index: int, line: CartLineUpdateInput) -> LineToUpdate:
        stay = line.attributes is None or line.attributes is strawberry.UNSET
        attributes = None if stay else _attributes(line.attributes)
        stays = line.customizations is None or line.customizations is strawberry.UNSET
        made = None if stays else [one.given() for one in line.customizations or ()]
        gift = line.gift_options.given() if line.gift_options else None
        return LineToUpdate(line_of(key, line.id, ["lines", index, "id"]), line.quantity, attributes, made, gift)

    return _each(lines, parse, "lines")


def lines_to_remove(key: CartKey, line_ids: Sequence[strawberry.ID]) -> list[uuid.UUID | None]:
    """Raises DomainErrors with INVALID_ID, DomainError(TOO_MANY)."""
    return _each(line_ids, lambda index, line_id: line_of(key, line_id, ["lineIds", index]), "lineIds")


def line_of(key: CartKey, line_id: str, field: list[str | int]) -> uuid.UUID | None:
    """None for another cart's line: the ids of a cart's lines end in its own secret. Raises DomainError(INVALID_ID)."""
    row_id, secret = ids.decode_with_secret(LINE_PREFIX, line_id, field)
    return row_id if secret == key.secret else None


def _each(items: Sequence[T], parse: Callable[[int, T], U], *argument: str) -> list[U]:
    """All of them parsed, or all that is wrong with them."""
    if len(items) > MAX_LINES:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines at once.", argument)
    parsed: list[U] = []
    errors: list[DomainError] = []
    for index, item in enumerate(items):
        try:
            parsed.append(parse(index, item))
        except DomainError as error:
            errors.append(error)
    if errors:
        raise DomainErrors(errors)
    return parsed


def details_of(input: CartInput | CartUpdateInput) -> CartDetails:
    details = CartDetails()
    if input.note is not strawberry.UNSET:
        details["note"] = input.note
    if input.attributes is not strawberry.UNSET:
        details["attributes"] = _attributes(input.attributes)
    return details


def _attributes(attributes: list[AttributeInput] | None) -> list[Attribute]:
    return [Attribute(attribute.key, attribute.value) for attribute in attributes or []]
