"""From a cart as it was read to the types that a request selects of it."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import strawberry

from app.cart.costs import discounts_of, made_to_order, price_cart
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.cart.taxes import is_estimated
from app.cart.warnings import cart_warnings, line_warnings, terms_warnings
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import MAX_PAGE, PageRequest, encode_cursor, page_of, page_request
from app.markets.current import MARKETS
from app.pricing.results import PricingResult
from app.terms.dates import availability
from schema.cart.costs import CartCost, CartLineCost
from schema.cart.discounts import AppliedDiscount, CartDiscountCode
from schema.cart.gift_cards import CartGiftCard, CartStoreCredit
from schema.cart.inputs import CART_PREFIX, LINE_PREFIX
from schema.cart.types import Attribute, Cart, CartBuyerIdentity, CartLine, PageArguments
from schema.catalogue import ProductVariant, known_variants, load_variants
from schema.connections import Connection
from schema.context import Info
from schema.gifting import GiftOptions
from schema.scalars import CountryCode
from schema.selection import Selection
from schema.terms.types import Availability, LineCustomization
from schema.warnings import WarningType

_ORDER = "cart_lines"

Variants = Mapping[uuid.UUID, ProductVariant]


@dataclass(frozen=True, slots=True)
class CartView:
    """What is wanted of carts, checked before anything is read or changed.

    Args:
        variant: what is wanted of the lines' variants; None when they are not asked for.
    """

    pages: Mapping[PageArguments, PageRequest]
    variant: Selection | None

    @classmethod
    def of(cls, selection: Selection) -> "CartView":
        """`selection` is below a Cart. Raises DomainError for a page that cannot be had."""
        pages: dict[PageArguments, PageRequest] = {}
        for field in selection.fields("lines"):
            arguments = (field.arguments.get("first"), field.arguments.get("after"))
            pages[arguments] = _page(*arguments)
        lines = selection.below("lines").nodes()
        return cls(pages, lines.below("variant") if "variant" in lines else None)

    async def show(self, info: Info, cart: CartSnapshot, checked_out: PricingResult | None = None) -> Cart:
        """
        Args:
            checked_out: what its checkout comes to: its lines' parts of the taxes are those that the order will have.
        """
        return self._cart(cart, await self._variants(info, [cart]), checked_out)

    async def show_all(self, info: Info, carts: Sequence[CartSnapshot]) -> list[Cart]:
        """One statement at most for the variants of all lines that are shown, where they are asked for."""
        variants = await self._variants(info, carts)
        return [self._cart(cart, variants) for cart in carts]

    async def _variants(self, info: Info, carts: Sequence[CartSnapshot]) -> Variants:
        shown = [line for cart in carts for page in self.pages.values() for line in _cut(cart.lines, page)]
        if self.variant is None or not shown:
            return {}
        markets = {cart.versions.get(MARKETS.name) for cart in carts}
        if len(markets) == 1:
            known = known_variants(info, shown, self.variant, markets=markets.pop())
            if known is not None:
                return known
        return await load_line_variants(info, shown, self.variant)

    def _cart(self, cart: CartSnapshot, variants: Variants, checked_out: PricingResult | None = None) -> Cart:
        lines = LineView(cart, variants, checked_out)
        return Cart(
            id=strawberry.ID(ids.encode_with_secret(CART_PREFIX, cart.id, cart.secret)),
            state=cart.state,
            created_at=cart.created_at,
            updated_at=cart.updated_at,
            total_quantity=cart.total_quantity,
            cost=CartCost.of(lines.priced, tax_estimated=is_estimated(cart)),
            note=cart.note,
            attributes=Attribute.all_of(cart.attributes),
            buyer_identity=CartBuyerIdentity(
                email=cart.email,
                phone=cart.phone,
                country_code=CountryCode(cart.country_code) if cart.country_code else None,
                tax_id=cart.tax_id,
                tax_id_status=cart.tax_facts.status(cart.tax_id),
            ),
            discount_codes=[CartDiscountCode.of(entered) for entered in lines.applied.codes],
            discounts=AppliedDiscount.all_of(
                ((off.label, off.code, off.amount_minor, off.target) for off in lines.priced.discounts),
                cart.currency_code,
            ),
            gift_options=GiftOptions.of(cart.gift_options),
            gift_cards=CartGiftCard.all_of(cart, lines.priced),
            store_credit=CartStoreCredit.of(cart, lines.priced),
            warnings=[WarningType.of(warning) for warning in cart_warnings(cart)],
            pages={arguments: lines.page(request) for arguments, request in self.pages.items()},
        )


class LineView:
    """Shows the lines of one cart."""

    def __init__(self, cart: CartSnapshot, variants: Variants, checked_out: PricingResult | None = None) -> None:
        self.cart = cart
        self.variants = variants
        self.applied = discounts_of(cart)
        self.priced = price_cart(cart, applied=self.applied)
        self._costs = {line.id: line for line in (checked_out or self.priced).lines}
        self._units: Counter[uuid.UUID] = Counter()
        for line in cart.lines:
            self._units[line.variant_id] += line.quantity
            self._units[line.product_id] += line.quantity

    def page(self, request: PageRequest) -> Connection[CartLine]:
        rows = _cut(self.cart.lines, request)
        cursors = [encode_cursor([line.id.hex], _ORDER) for line in rows]
        page = page_of(rows, cursors, request, len(self.cart.lines))
        return Connection[CartLine].of(page, [self.show(line) for line in page.items])

    def show(self, line: CartLineSnapshot) -> CartLine:
        status, expected_at = availability(line, self._units[line.variant_id], self.cart.read_at)
        return CartLine(
            id=strawberry.ID(ids.encode_with_secret(LINE_PREFIX, line.id, self.cart.secret)),
            quantity=line.quantity,
            # Nobody asks for it where it was not loaded.
            variant=self.variants.get(line.variant_id, strawberry.UNSET),
            cost=CartLineCost.of(self._costs[str(line.id)], self.cart.currency_code),
            attributes=Attribute.all_of(line.attributes),
            gift_options=GiftOptions.of(line.gift_options),
            customizations=[
                LineCustomization.of(chosen, self.cart.currency_code) for chosen in made_to_order(self.cart, line)
            ],
            availability=Availability(status=status, expected_at=expected_at),
            warnings=[
                WarningType.of(warning)
                for warning in (
                    *line_warnings(line, self._units[line.variant_id]),
                    *terms_warnings(line, self._units[line.product_id], self.cart.destination),
                )
            ],
        )


async def load_line_variants(info: Info, lines: Sequence[CartLineSnapshot], wanted: Selection | None) -> Variants:
    if wanted is None or not lines:
        return {}
    return await load_variants(info, list({line.variant_id for line in lines}), wanted, off_sale_too=True)


def _page(first: int | None, after: str | None) -> PageRequest:
    page = page_request(first, after, order=_ORDER, default=MAX_PAGE)
    if page.cursor is not None and not isinstance(page.cursor[0], str):
        raise DomainError(CommonErrorCode.INVALID, "The cursor does not belong to this list and order.", ["after"])
    return page


def _cut(lines: Sequence[CartLineSnapshot], page: PageRequest) -> list[CartLineSnapshot]:
    """One more than the page has, to know whether more follow."""
    if page.cursor is not None:
        after = str(page.cursor[0])
        lines = [line for line in lines if line.id.hex > after]
    return list(lines[: page.fetch_limit])
