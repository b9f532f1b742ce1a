"""The variants of a product after a change: which stay, which come, which leave."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.catalogue.editing.given import VariantGiven
from app.catalogue.editing.options import OptionPlan
from app.catalogue.editing.problems import CatalogueProblems
from app.catalogue.errors import CatalogueErrorCode
from app.catalogue.models import InventoryPolicy, ProductKind
from app.catalogue.rows import ProductRow, VariantRow
from app.catalogue.rules import MAX_VARIANTS
from app.errors import CommonErrorCode
from app.kit.ids import new_id


@dataclass(slots=True)
class VariantPlan:
    """The variants as they will be, in order; stock and image URLs by variant, where they were given."""

    rows: list[VariantRow] = field(default_factory=list)
    stock: dict[uuid.UUID, int] = field(default_factory=dict)
    image_urls: dict[uuid.UUID, str | None] = field(default_factory=dict)


class VariantPlanner:
    """For one product and currency.

    Args:
        stored: every variant, removed ones too: they come back when their options are given again.
    """

    def __init__(
        self,
        problems: CatalogueProblems,
        product: ProductRow,
        stored: Sequence[VariantRow],
        options: OptionPlan,
        currency: str,
    ) -> None:
        self.problems = problems
        self.product = product
        self.options = options
        self.currency = currency
        self.on_sale = sorted((row for row in stored if row.removed_at is None), key=lambda row: row.position)
        self.by_id = {row.id: row for row in self.on_sale}
        self.by_values = {
            _identity(row.option_values): row
            for row in sorted(stored, key=lambda row: row.removed_at is None)  # those on sale last: they win
            if row.removed_at is not None
        } | {_identity(self.options.carried(row.option_values)): row for row in self.on_sale}
        self.plan = VariantPlan()

    def keep(self) -> VariantPlan:
        """No variants were given: those that there are fit themselves to the options."""
        if not self.on_sale and self.options.rows:
            self.problems.add(CommonErrorCode.REQUIRED, "A product with options needs its variants.", "variants")
            return self.plan
        if not self.on_sale:
            self.plan.rows.append(replace(self._new(), price_minor=0))
        seen: set[tuple[str, ...]] = set()
        for row in self.on_sale:
            values = self.options.carried(row.option_values)
            if lost := self._lost(values):
                message = f"The variant {row.name} has the value {lost}."
                self.problems.add(CatalogueErrorCode.OPTION_VALUE_IN_USE, message, "options")
            elif _identity(values) in seen:
                message = "Without the option, variants of the product would be alike."
                self.problems.add(CatalogueErrorCode.DUPLICATE_VARIANT, message, "options")
                break
            seen.add(_identity(values))
            self.plan.rows.append(replace(row, option_values=values))
        return self._finished()

    def replace_by(self, given: Sequence[VariantGiven]) -> VariantPlan:
        """These are the variants from now on."""
        if not given:
            self.problems.add(CommonErrorCode.REQUIRED, "A product has one variant at least.", "variants")
        if not self.problems.not_too_many(given, MAX_VARIANTS, "variants", "variants"):
            return self.plan
        seen_values: set[tuple[str, ...]] = set()
        seen_ids: set[uuid.UUID] = set()
        for index, variant in enumerate(given):
            values, before = self._matched(variant, index)
            if values is None:
                continue
            if _identity(values) in seen_values or (before is not None and before.id in seen_ids):
                message = "Another variant has the same options." if values else "Only one variant can have no options."
                self.problems.add(CatalogueErrorCode.DUPLICATE_VARIANT, message, "variants", index)
                continue
            seen_values.add(_identity(values))
            row = self._edited(before, variant, index)
            seen_ids.add(row.id)
            self.plan.rows.append(replace(row, option_values=values, removed_at=None))
        return self._finished()

    def _finished(self) -> VariantPlan:
        self.plan.rows = [
            replace(row, position=position, name=" / ".join(row.option_values) or self.product.name)
            for position, row in enumerate(self.plan.rows, start=1)
        ]
        return self.plan

    def _lost(self, values: Sequence[str]) -> str | None:
        """A value that its option does not have."""
        return next((value for place, value in enumerate(values) if self.options.spelled(place, value) is None), None)

    # --- which one ----------------------------------------------------------------------------------------------------

    def _matched(self, variant: VariantGiven, index: int) -> tuple[list[str] | None, VariantRow | None]:
        """Its option values, and the stored variant that it changes; no values where an error was noted."""
        variant_id = variant.get("id")
        before = None
        if variant_id is not None:
            before = self.by_id.get(variant_id)
            if before is None:
                self.problems.add(
                    CommonErrorCode.NOT_FOUND, "The product has no such variant.", "variants", index, "id"
                )
                return None, None
        chosen = variant.get("selected_options")
        if chosen is None and before is not None:
            values = self.options.carried(before.option_values)
            if lost := self._lost(values):
                message = f"The variant has the value {lost}, which its option has no more."
                self.problems.add(CatalogueErrorCode.UNKNOWN_OPTION_VALUE, message, "variants", index)
                return None, None
            return values, before
        chosen_values = self._values(chosen or [], index)
        if chosen_values is None:
            return None, None
        return chosen_values, before or self.by_values.get(_identity(chosen_values))

    def _values(self, chosen: Sequence[tuple[str, str]], index: int) -> list[str] | None:
        values: dict[int, str] = {}
        valid = True
        for number, (name, value) in enumerate(chosen):
            path = ("variants", index, "selectedOptions", number)
            place = self.options.place(name)
            if place is None:
                self.problems.add(CatalogueErrorCode.UNKNOWN_OPTION, f"There is no option {name}.", *path, "name")
            elif (spelled := self.options.spelled(place, value)) is None:
                message = f"{self.options.rows[place].name} has no value {value}."
                self.problems.add(CatalogueErrorCode.UNKNOWN_OPTION_VALUE, message, *path, "value")
            elif place in values:
                self.problems.add(CatalogueErrorCode.DUPLICATE_OPTION, f"{name} is given twice.", *path, "name")
            else:
                values[place] = spelled
                continue
            valid = False
        missing = [row.name for place, row in enumerate(self.options.rows) if place not in values]
        if valid and missing:
            message = f"The variant needs a value of {', '.join(missing)}."
            self.problems.add(CommonErrorCode.REQUIRED, message, "variants", index, "selectedOptions")
            valid = False
        return [values[place] for place in sorted(values)] if valid else None

    # --- what of it ---------------------------------------------------------------------------------------------------

    def _new(self) -> VariantRow:
        is_thing = self.product.kind == ProductKind.PHYSICAL
        row = VariantRow(new_id(), self.product.id, 0, "", [], 0)
        return replace(row, requires_shipping=is_thing, track_inventory=is_thing)

    def _edited(self, before: VariantRow | None, variant: VariantGiven, index: int) -> VariantRow:
        path = ("variants", index)
        row = before or self._new()
        changes = self._prices(before, variant, path)
        if "sku" in variant:
            changes["sku"] = self.problems.line(variant["sku"], *path, "sku")
        if "barcode" in variant:
            changes["barcode"] = self.problems.line(variant["barcode"], *path, "barcode")
        if "weight_grams" in variant:
            changes["weight_grams"] = self.problems.count(variant["weight_grams"] or 0, *path, "weightGrams")
        stock = variant.get("stock")
        if stock is not None:
            self.plan.stock[row.id] = self.problems.count(stock, *path, "stock")
            if before is None:
                changes["track_inventory"] = True
        for name in ("requires_shipping", "taxable", "track_inventory"):
            if (value := variant.get(name)) is not None:
                changes[name] = value
        policy: InventoryPolicy | None = variant.get("inventory_policy")
        if policy is not None:
            changes["inventory_policy"] = policy.value
        if "available_from" in variant:
            changes["available_from"] = variant["available_from"]
        if "restock_expected_at" in variant:
            changes["restock_expected_at"] = variant["restock_expected_at"]
        if "image_url" in variant:
            self.plan.image_urls[row.id] = self.problems.url(variant["image_url"], *path, "imageUrl")
        return replace(row, **changes)

    def _prices(self, before: VariantRow | None, variant: VariantGiven, path: tuple[str | int, ...]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if "price" in variant or before is None:
            if variant.get("price") is None:
                self.problems.add(CommonErrorCode.REQUIRED, "A price is needed.", *path, "price")
            changes["price_minor"] = self.problems.price(variant.get("price"), self.currency, *path, "price") or 0
        if "compare_at_price" in variant:
            compared = self.problems.price(variant["compare_at_price"], self.currency, *path, "compareAtPrice")
            changes["compare_at_price_minor"] = compared
        if "cost" in variant:
            changes["cost_minor"] = self.problems.price(variant["cost"], self.currency, *path, "cost")
        return changes


def _identity(option_values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value.casefold() for value in option_values)
