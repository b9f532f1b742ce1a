"""From what staff ask for to the rule of a discount; everything that is wrong is noted at its place in the input."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from app import db
from app.errors import CommonErrorCode
from app.kit.money import Money
from app.kit.problems import MAX_INT, Problems
from app.promotions.definition import (
    EVERYTHING,
    BuyXGetY,
    FreeShipping,
    Items,
    Requirements,
    Rule,
    Tier,
    Worth,
)
from app.promotions.requests import (
    WORTHS,
    BuyXGetYRequest,
    DiscountChange,
    ItemsRequest,
    RequirementsRequest,
    TierRequest,
)

PERCENTAGE_PLACES = 4
MAX_LISTED = 250
"""Products, collections and so on in one list: more make a collection or share a tag."""
MAX_TIERS = 20
MAX_TAG_CHARS = 255
MAX_PRIORITY = 1000
MAX_UNITS = 10_000

Path = tuple[str | int, ...]
_TABLES = {
    "products": "product", "product_variants": "variant", "collections": "collection", "segments": "segment",
    "customer_groups": "customer group", "markets": "market",
}  # fmt: skip


@dataclass(slots=True)
class RuleCheck:
    """Checks one discount's request; `rule` first, then `named` what it names."""

    problems: Problems
    currency: str
    """Of all its amounts."""
    _named: list[tuple[str, UUID, Path]] = field(default_factory=list)

    def rule(self, request: DiscountChange) -> Rule:
        """Something harmless where `problems` has noted anything."""
        given = [name for name in WORTHS if request.get(name) is not None]
        if len(given) != 1:
            message = (
                "Give one of `percentage`, `amount`, `fixedPrice`, `tiers`, `buyXGetY` and `freeShipping`, to say what "
                "comes off."
            )
            self.problems.add(CommonErrorCode.INVALID, message, "percentage")
        each = bool(request.get("applies_on_each_item"))
        worth = self._worth(request["percentage"], request["amount"], request["fixed_price"], each, ())
        tiers = self._tiers(request["tiers"] or (), each) if request["tiers"] is not None else ()
        offer, free = request["buy_x_get_y"], request["free_shipping"]
        in_amounts = request["amount"] is not None or any(tier.amount is not None for tier in request["tiers"] or ())
        if each and not in_amounts:
            self.problems.add(CommonErrorCode.INVALID, "This is for amounts alone.", "appliesOnEachItem")
        items = request["applies_to"]
        if items is not None and (offer or free):
            message = "What is bought and got is said in `buyXGetY`." if offer else "Shipping is of the whole order."
            self.problems.add(CommonErrorCode.INVALID, message, "appliesTo")
        if free and free.maximum_price is not None:
            self.amount(free.maximum_price, "freeShipping", "maximumPrice")
        priority = request["priority"] or 0
        if not 0 <= priority <= MAX_PRIORITY:
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 0 to {MAX_PRIORITY}.", "priority")
        return Rule(
            worth=worth if worth != Worth() else None,
            tiers=tiers,
            buy_x_get_y=self._buy_x_get_y(offer) if offer else None,
            free_shipping=FreeShipping(maximum_price_minor=_minor(free.maximum_price)) if free else None,
            items=self._items(items, "appliesTo"),
            requires=self._requirements(request["requires"], of_items=not (offer or free)),
            combines_with=request["combines_with"],
            priority=priority,
        )

    async def named(self) -> None:
        """Look up everything that the rule names; in the unit of work that writes it."""
        for table, what in _TABLES.items():
            wanted = {named for of, named, _ in self._named if of == table}
            if not wanted:
                continue
            rows = await db.fetch(f"SELECT id FROM {table} WHERE id = ANY($1)", list(wanted))
            missing = wanted - {row["id"] for row in rows}
            for of, named, path in self._named:
                if of == table and named in missing:
                    self.problems.add(CommonErrorCode.NOT_FOUND, f"There is no such {what}.", *path)

    def amount(self, money: Money, *path: str | int) -> None:
        if money.currency != self.currency:
            message = f"All amounts of a discount are in one currency, and this one is in {self.currency}."
            self.problems.add(CommonErrorCode.INVALID, message, *path)
        elif money.amount_minor == 0:
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, "The amount has to be above zero.", *path)

    def percentage(self, percentage: Decimal, *path: str | int) -> None:
        exponent = percentage.normalize().as_tuple().exponent
        if not 0 < percentage <= 100:
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, "A percentage is above 0 and at most 100.", *path)
        elif isinstance(exponent, int) and -exponent > PERCENTAGE_PLACES:
            message = f"A percentage has {PERCENTAGE_PLACES} digits after the point at most."
            self.problems.add(CommonErrorCode.INVALID, message, *path)

    def number(self, number: int | None, *path: str | int, most: int = MAX_INT) -> None:
        if number is not None and not 1 <= number <= most:
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 1 to {most:,}.", *path)

    def _worth(
        self, percentage: Decimal | None, amount: Money | None, fixed: Money | None, each: bool, at: Path
    ) -> Worth:
        if percentage is not None:
            self.percentage(percentage, *at, "percentage")
        if amount is not None:
            self.amount(amount, *at, "amount")
        if fixed is not None and fixed.currency != self.currency:
            self.amount(fixed, *at, "fixedPrice")
        return Worth(
            percentage=percentage,
            amount_minor=None if each else _minor(amount),
            each_minor=_minor(amount) if each else None,
            fixed_price_minor=_minor(fixed),
        )

    def _tiers(self, requests: Sequence[TierRequest], each: bool) -> tuple[Tier, ...]:
        if not 1 <= len(requests) <= MAX_TIERS:
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, f"From one to {MAX_TIERS} tiers.", "tiers")
            return ()
        by_quantity = requests[0].minimum_quantity is not None
        tiers = []
        for place, one in enumerate(requests):
            at: Path = ("tiers", place)
            if (one.minimum_quantity is None) == (one.minimum_subtotal is None):
                message = "A tier begins at a quantity or at a subtotal, one of the two."
                self.problems.add(CommonErrorCode.INVALID, message, *at, "minimumQuantity")
            elif (one.minimum_quantity is not None) != by_quantity:
                message = "All tiers begin at quantities, or all at subtotals."
                self.problems.add(CommonErrorCode.INVALID, message, *at, "minimumQuantity")
            self.number(one.minimum_quantity, *at, "minimumQuantity", most=MAX_UNITS)
            if one.minimum_subtotal is not None:
                self.amount(one.minimum_subtotal, *at, "minimumSubtotal")
            if sum(given is not None for given in (one.percentage, one.amount, one.fixed_price)) != 1:
                message = "Give one of `percentage`, `amount` and `fixedPrice`."
                self.problems.add(CommonErrorCode.INVALID, message, *at, "percentage")
            tiers.append(
                Tier(
                    minimum_quantity=one.minimum_quantity,
                    minimum_subtotal_minor=_minor(one.minimum_subtotal),
                    worth=self._worth(one.percentage, one.amount, one.fixed_price, each, at),
                )
            )
        starts = [tier.minimum_quantity or tier.minimum_subtotal_minor or 0 for tier in tiers]
        for place, (before, after) in enumerate(pairwise(starts), start=1):
            if after <= before:
                name = "minimumQuantity" if by_quantity else "minimumSubtotal"
                message = "Each tier begins above the one before it."
                self.problems.add(CommonErrorCode.INVALID, message, "tiers", place, name)
        return tuple(tiers)

    def _buy_x_get_y(self, request: BuyXGetYRequest) -> BuyXGetY:
        at = "buyXGetY"
        self.number(request.buy_quantity, at, "buyQuantity", most=MAX_UNITS)
        self.number(request.get_quantity, at, "getQuantity", most=MAX_UNITS)
        self.number(request.uses_per_order, at, "usesPerOrder", most=MAX_UNITS)
        self.percentage(request.percentage, at, "percentage")
        return BuyXGetY(
            buy_quantity=request.buy_quantity,
            buys=self._items(request.buys, at, "buys"),
            get_quantity=request.get_quantity,
            gets=self._items(request.gets, at, "gets"),
            percentage=request.percentage,
            uses_per_order=request.uses_per_order,
        )

    def _items(self, request: ItemsRequest | None, *at: str | int) -> Items:
        if request is None:
            return EVERYTHING
        return Items(
            product_ids=self._ids("products", request.product_ids, *at, "productIds"),
            variant_ids=self._ids("product_variants", request.variant_ids, *at, "variantIds"),
            collection_ids=self._ids("collections", request.collection_ids, *at, "collectionIds"),
            tags=self._tags(request.tags, *at, "tags"),
            excluded_product_ids=self._ids("products", request.excluded_product_ids, *at, "excludedProductIds"),
            excluded_variant_ids=self._ids("product_variants", request.excluded_variant_ids, *at, "excludedVariantIds"),
            excluded_collection_ids=self._ids(
                "collections", request.excluded_collection_ids, *at, "excludedCollectionIds"
            ),
            excluded_tags=self._tags(request.excluded_tags, *at, "excludedTags"),
        )

    def _requirements(self, request: RequirementsRequest | None, *, of_items: bool) -> Requirements:
        if request is None:
            return Requirements()
        at = "requires"
        self.number(request.minimum_quantity, at, "minimumQuantity", most=MAX_UNITS)
        if request.minimum_quantity is not None and not of_items:
            message = "This is for discounts on items; `buyXGetY` has quantities of its own."
            self.problems.add(CommonErrorCode.INVALID, message, at, "minimumQuantity")
        self._few(request.country_codes, at, "countryCodes")
        return Requirements(
            minimum_quantity=request.minimum_quantity,
            customer_group_ids=self._ids("customer_groups", request.customer_group_ids, at, "customerGroupIds"),
            segment_ids=self._ids("segments", request.segment_ids, at, "segmentIds"),
            first_order=request.first_order,
            market_ids=self._ids("markets", request.market_ids, at, "marketIds"),
            country_codes=frozenset(request.country_codes),
        )

    def _ids(self, table: str, ids: Sequence[UUID], *at: str | int) -> frozenset[UUID]:
        if self._few(ids, *at):
            self._named += [(table, one, (*at, place)) for place, one in enumerate(ids)]
        return frozenset(ids)

    def _tags(self, tags: Sequence[str], *at: str | int) -> frozenset[str]:
        self._few(tags, *at)
        return frozenset(
            self.problems.required_line(tag, "A tag", *at, place, max_chars=MAX_TAG_CHARS)
            for place, tag in enumerate(tags[:MAX_LISTED])
        )

    def _few(self, listed: Sequence[object], *at: str | int) -> bool:
        if len(listed) <= MAX_LISTED:
            return True
        self.problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_LISTED}; make a collection of them.", *at)
        return False


def _minor(money: Money | None) -> int | None:
    return None if money is None else money.amount_minor
