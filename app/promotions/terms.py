"""What goes into deciding on discounts, and what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from app.pricing.amounts import Discount, LineToPrice
from app.promotions.definition import Rule


class DiscountCodeReason(StrEnum):
    """Why a code takes nothing off."""

    NOT_FOUND = "NOT_FOUND"
    DISABLED = "DISABLED"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    USED_UP = "USED_UP"
    ALREADY_USED = "ALREADY_USED"
    BUYER_UNKNOWN = "BUYER_UNKNOWN"
    NOT_YOURS = "NOT_YOURS"
    SELF_REFERRAL = "SELF_REFERRAL"
    EXISTING_CUSTOMER = "EXISTING_CUSTOMER"
    NOT_FIRST_ORDER = "NOT_FIRST_ORDER"
    NOT_IN_SEGMENT = "NOT_IN_SEGMENT"
    NOT_IN_CUSTOMER_GROUP = "NOT_IN_CUSTOMER_GROUP"
    OTHER_MARKET = "OTHER_MARKET"
    OTHER_COUNTRY = "OTHER_COUNTRY"
    OTHER_CURRENCY = "OTHER_CURRENCY"
    MINIMUM_NOT_REACHED = "MINIMUM_NOT_REACHED"
    MINIMUM_QUANTITY_NOT_REACHED = "MINIMUM_QUANTITY_NOT_REACHED"
    NO_ELIGIBLE_ITEMS = "NO_ELIGIBLE_ITEMS"
    NO_SHIPPING = "NO_SHIPPING"
    SHIPPING_TOO_EXPENSIVE = "SHIPPING_TOO_EXPENSIVE"
    NOT_COMBINABLE = "NOT_COMBINABLE"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a discount does not apply; the message is for the shopper."""

    reason: DiscountCodeReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountTerms:
    """A discount that a cart may get, by itself or by a code, as it was read together with the cart.

    Attributes:
        code, code_id: None for one that applies by itself.
        minimum_subtotal_minor: of all that discounts can touch.
        owner_id: the living profile that a personal code belongs to, with its addresses (the email in lower case).
        referrer_id: who recommended the shop with this code, with their addresses; it is for new customers then.
        blocked: why nobody can use it now.
        limit_per_customer: how often one buyer may use it.
    """

    discount_id: UUID
    name: str
    rule: Rule
    currency_code: str | None = None
    minimum_subtotal_minor: int | None = None
    limit_per_customer: int | None = None
    code_id: UUID | None = None
    code: str | None = None
    owner_id: UUID | None = None
    owner_email: str | None = None
    owner_phone: str | None = None
    referrer_id: UUID | None = None
    referrer_email: str | None = None
    referrer_phone: str | None = None
    blocked: DiscountCodeReason | None = None

    @property
    def automatic(self) -> bool:
        return self.code is None

    @property
    def order(self) -> tuple[bool, str, str]:
        """Sorts discounts the same way whoever asks, and however codes were typed: those by themselves first."""
        return not self.automatic, self.discount_id.hex, same(self.code or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """Where a product stands, read where a discount on offer asks for it; tags in lower case."""

    collection_ids: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerFacts:
    """What the books say of who buys, looked up where a discount on offer asks for it.

    Attributes:
        uses: how often this buyer has used discounts, by the discounts' ids.
        has_used_first_order: one for a first order, whichever, also while that order is being paid for.
        segment_ids, customer_group_ids: of those that discounts ask for, the ones that the buyer is in.
    """

    uses: Mapping[UUID, int] = field(default_factory=dict)
    has_ordered: bool = False
    has_used_first_order: bool = False
    segment_ids: frozenset[UUID] = frozenset()
    customer_group_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """All that a cart may get, whatever it asks for."""

    terms: tuple[DiscountTerms, ...] = ()
    products: Mapping[UUID, ProductFacts] = field(default_factory=dict)
    buyer: BuyerFacts = field(default_factory=BuyerFacts)


NOTHING_OFFERED = Offered()


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who buys, as far as is known. `profile_id` counts only while nobody has given an address; `customer_id` is the
    account that the cart belongs to."""

    email: str | None
    phone: str | None
    profile_id: UUID | None = None
    customer_id: UUID | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.email or self.phone or self.profile_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionLine:
    """A line of a cart. One whose price is `fixed` is touched by no discount, and meets no requirement."""

    to_price: LineToPrice
    product_id: UUID
    variant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionContext:
    """Where and how a cart is bought.

    Attributes:
        country_code: where it ships to, or where the buyer says to be.
        ships: whether anything in it is sent.
        shipping_minor: what the chosen way to ship costs; None before there is one.
        shop_currency_code, exchange: what amounts in the shop's currency are in the cart's, minor units both.
    """

    market_id: UUID | None = None
    country_code: str | None = None
    ships: bool = True
    shipping_minor: int | None = None
    shop_currency_code: str | None = None
    exchange: Callable[[int], int] | None = None


@dataclass(frozen=True, slots=True)
class EnteredCode:
    """A code as the shopper typed it; without a reason, it applies."""

    code: str
    reason: DiscountCodeReason | None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """`terms` are what applies, in the order in which it does; `discounts` are theirs, for pricing, by their ids."""

    terms: tuple[DiscountTerms, ...]
    codes: tuple[EnteredCode, ...]
    discounts: tuple[Discount, ...] = ()


NOTHING_APPLIED = Applied((), ())


def same(code: str) -> str:
    """What two spellings of one code have in common; as the index on `upper(code)` has it."""
    return code.strip().upper()
