"""What a product of the file changes in the shop. Pure, but for the ids of new rows.

The rules: what the file has a column for is set, an empty cell empties; what it has no column for stays. A product is
known by its handle, a variant by the product and its option values. Variants and images that the file does not name
stay too, since staff may have added them; only where the file states options of another number than the shop has do
its variants take the place of the shop's.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.catalogue.rows import ImageRow, OptionRow, ProductRow, StoredProduct, VariantRow
from app.catalogue.shopify_csv import Columns, ProductDraft, RowProblem, VariantDraft
from app.kit.ids import new_id

Row = TypeVar("Row", OptionRow, ImageRow, VariantRow)


@dataclass(slots=True)
class PreparedProduct:
    """A draft with its description made safe, which costs too much to be done inside a transaction."""

    draft: ProductDraft
    description: str
    description_html: str
    tax_class_id: uuid.UUID | None = None


@dataclass(slots=True)
class ProductChange:
    """Rows to insert or overwrite, each complete; all empty where the shop has everything already."""

    product: ProductRow
    is_new: bool = False
    left_out: bool = False
    product_changed: bool = False
    options: list[OptionRow] = field(default_factory=list)
    images: list[ImageRow] = field(default_factory=list)
    variants: list[VariantRow] = field(default_factory=list)
    removed_variants: list[uuid.UUID] = field(default_factory=list)
    dropped_options: list[uuid.UUID] = field(default_factory=list)
    created_variants: int = 0
    updated_variants: int = 0
    unchanged_variants: int = 0
    first_stock: dict[uuid.UUID, int] = field(default_factory=dict)
    """Quantity by variant: for those without any stock level."""
    restated_stock: dict[uuid.UUID, int] = field(default_factory=dict)
    """Quantity by variant: for those that have one, and may have been sold from since."""
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def touches_product(self) -> bool:
        return bool(self.product_changed or self.options or self.images or self.variants or self.removed_variants)


def merge(prepared: PreparedProduct, stored: StoredProduct | None, columns: Columns) -> ProductChange:
    """`left_out` where there is nothing to sell and nothing to update; a problem says so."""
    draft = prepared.draft
    known = stored or StoredProduct(ProductRow(new_id(), draft.handle, draft.title))
    change = ProductChange(_product(known.product, prepared, columns, is_new=stored is None), is_new=stored is None)
    names, order = _match_options(draft, known, columns, change)
    variants, drafts = _variants(draft, known, columns, order, change)
    if stored is None and not variants:
        change.left_out = True
        if not draft.variants and "price" not in columns:
            message = "The product is new and the file has no column for its price; the product is left out."
            change.problems.append(RowProblem(draft.row, columns.header("title"), message))
        return change
    images = _images(draft, known, columns)
    _set_variant_images(drafts, images, columns)
    for variant in variants:
        variant.name = " / ".join(variant.option_values) or change.product.name
    if variants:
        _summarise(change.product, draft, variants, columns, is_new=change.is_new)
    if order is not None:
        shown = [draft.option_values[place] for place in order]
        change.options = _changed(_options(names, variants, known, shown), known.options)
        change.dropped_options = [option.id for option in known.options if option.position > len(names)]
    change.images = _changed(images, known.images)
    change.variants = _changed(variants, known.variants)
    kept = {variant.id for variant in variants}
    change.removed_variants = [variant.id for variant in _on_sale(known) if variant.id not in kept]
    change.product_changed = change.is_new or change.product != known.product
    _count(change, drafts, known)
    _stock(change, drafts, known, columns)
    return change


def _on_sale(known: StoredProduct) -> list[VariantRow]:
    return sorted((row for row in known.variants if row.removed_at is None), key=lambda row: row.position)


def _changed(rows: Sequence[Row], stored: Sequence[Row]) -> list[Row]:
    before = {row.id: row for row in stored}
    return [row for row in rows if row != before.get(row.id)]


def _product(known: ProductRow, prepared: PreparedProduct, columns: Columns, *, is_new: bool) -> ProductRow:
    draft = prepared.draft
    product = replace(known, name=draft.title, metadata=dict(known.metadata))
    if is_new or "status" in columns or "published" in columns:
        product.status = draft.status
    if "body_html" in columns and known.description_html not in (draft.body_html, prepared.description_html):
        # Staff may have given the plain text, which then is not made from the HTML.
        product.description, product.description_html = prepared.description, prepared.description_html
    for column, name in (("vendor", "vendor"), ("product_type", "product_type"), ("tags", "tags")):
        if column in columns:
            setattr(product, name, getattr(draft, name))
    if "tax_class" in columns:
        product.tax_class_id = prepared.tax_class_id
    if "seo_title" in columns:
        product.seo_title = draft.seo_title
    if "seo_description" in columns:
        product.seo_description = draft.seo_description
    for key in columns.metadata_keys:
        if key in draft.metadata:
            product.metadata[key] = draft.metadata[key]
        else:
            product.metadata.pop(key, None)
    if "other_metadata" in columns:
        product.metadata = dict(draft.metadata)
    return product


def _match_options(
    draft: ProductDraft, known: StoredProduct, columns: Columns, change: ProductChange
) -> tuple[list[str], list[int] | None]:
    """The product's option names, and for each the place of its value in the draft.

    No order (None) where the file's variants cannot be told apart by the options that the shop has.
    """
    stored = [option.name for option in sorted(known.options, key=lambda option: option.position)]
    if not draft.variants:
        return stored, None
    as_in_the_file = list(range(len(draft.option_names)))
    differs = len(stored) != len(draft.option_names)
    if not _on_sale(known) or (differs and draft.states_options and "price" in columns):
        return draft.option_names, as_in_the_file
    if differs:
        here, there = ", ".join(stored) or "no options", ", ".join(draft.option_names) or "none"
        message = f"The product has {here} in the shop and {there} in the file; its variants are left as they are."
        change.problems.append(RowProblem(draft.row, columns.header("option1_name"), message))
        return stored, None
    plain = [name.casefold() for name in draft.option_names]
    if set(plain) == {name.casefold() for name in stored}:
        order = [plain.index(name.casefold()) for name in stored]
    else:
        order = as_in_the_file  # other names for the same options
    return [draft.option_names[index] for index in order], order


def _variants(
    draft: ProductDraft, known: StoredProduct, columns: Columns, order: list[int] | None, change: ProductChange
) -> tuple[list[VariantRow], list[tuple[VariantRow, VariantDraft]]]:
    """All variants that the product will have, and those of the file beside their drafts."""
    on_sale = _on_sale(known)
    if order is None:
        return [replace(variant) for variant in on_sale], []
    # One that was removed comes back under its old id, as carts and orders know it.
    stored = {_identity(row.option_values): row for row in [*known.variants, *on_sale]}
    drafts: list[tuple[VariantRow, VariantDraft]] = []
    for variant_draft in draft.variants:
        option_values = [variant_draft.option_values[index] for index in order]
        before = stored.pop(_identity(option_values), None)
        if variant_draft.price_minor is None and (before is None or before.removed_at is not None):
            message = "The variant is new and the file has no column for its price; the variant is left out."
            change.problems.append(RowProblem(variant_draft.row, None, message))
            continue
        row = _variant(change.product.id, before, variant_draft, columns)
        row.option_values = option_values
        drafts.append((row, variant_draft))
    variants = [row for row, _ in drafts]
    named = {row.id for row in variants}
    variants += [replace(row) for row in on_sale if row.id not in named and len(row.option_values) == len(order)]
    for position, variant in enumerate(variants, start=1):
        variant.position = position
    return variants, drafts


def _identity(option_values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value.casefold() for value in option_values)


def _variant(product_id: uuid.UUID, before: VariantRow | None, draft: VariantDraft, columns: Columns) -> VariantRow:
    row = replace(before, removed_at=None) if before else VariantRow(new_id(), product_id, 0, "", [], 0)
    if before is None:
        # A file that counts stock without naming a tracker means it to be counted.
        row.track_inventory = "inventory_quantity" in columns
        row.requires_shipping, row.taxable = draft.requires_shipping, draft.taxable
    if draft.price_minor is not None:
        row.price_minor = draft.price_minor
    if "sku" in columns:
        row.sku = draft.sku
    if "barcode" in columns:
        row.barcode = draft.barcode
    if "compare_at_price" in columns and (draft.compare_at_price_minor or row.compare_at_price_minor):
        row.compare_at_price_minor = draft.compare_at_price_minor
    if "cost" in columns:
        row.cost_minor = draft.cost_minor
    if "weight_grams" in columns:
        row.weight_grams = draft.weight_grams
    if "requires_shipping" in columns:
        row.requires_shipping = draft.requires_shipping
    if "taxable" in columns:
        row.taxable = draft.taxable
    if "inventory_tracker" in columns:
        row.track_inventory = draft.tracked
    if "inventory_policy" in columns:
        row.inventory_policy = "CONTINUE" if draft.continue_selling else "DENY"
    return row


def _images(draft: ProductDraft, known: StoredProduct, columns: Columns) -> list[ImageRow]:
    """The file's images in its order, then those that it does not name."""
    stored = {image.url: image for image in known.images}
    images = []
    for image_draft in draft.images:
        before = stored.pop(image_draft.url, None)
        image = replace(before) if before else ImageRow(new_id(), known.product.id, 0, image_draft.url)
        if "image_alt" in columns:
            image.alt_text = image_draft.alt_text
        if "image_size" in columns:
            image.width, image.height = image_draft.width, image_draft.height
        images.append(image)
    images += [replace(image) for image in sorted(stored.values(), key=lambda image: image.position)]
    for position, image in enumerate(images, start=1):
        image.position = position
    return images


def _set_variant_images(
    drafts: Sequence[tuple[VariantRow, VariantDraft]], images: Sequence[ImageRow], columns: Columns
) -> None:
    if "variant_image" in columns:
        ids = {image.url: image.id for image in images}
        for row, draft in drafts:
            row.image_id = ids.get(draft.image_url or "")


def _options(
    names: Sequence[str], variants: Sequence[VariantRow], known: StoredProduct, shown: Sequence[Sequence[str]]
) -> list[OptionRow]:
    """`shown` by option: values in the order that the file gives them, also some that no variant has."""
    stored = {option.position: option for option in known.options}
    options = []
    for index, name in enumerate(names):
        used = list(dict.fromkeys(variant.option_values[index] for variant in variants))
        spelled = {value.casefold(): value for value in used}
        values = list(dict.fromkeys([*(spelled.get(value.casefold(), value) for value in shown[index]), *used]))
        before = stored.get(index + 1)
        option_id = before.id if before else new_id()
        options.append(OptionRow(option_id, known.product.id, index + 1, name, values))
    return options


def _summarise(
    product: ProductRow, draft: ProductDraft, variants: Sequence[VariantRow], columns: Columns, *, is_new: bool
) -> None:
    product.min_price_minor = min(variant.price_minor for variant in variants)
    product.max_price_minor = max(variant.price_minor for variant in variants)
    if draft.kind:
        product.kind = draft.kind
    elif draft.gift_card:
        product.kind = "GIFT_CARD"
    elif product.kind == "GIFT_CARD" and "gift_card" not in columns:
        pass
    elif any(variant.requires_shipping for variant in variants):
        product.kind = "PHYSICAL"
    elif is_new or product.kind not in ("DIGITAL", "SERVICE"):
        # Shopify's file does not tell the two apart; its type often does.
        product.kind = "SERVICE" if "service" in (draft.product_type or "").casefold() else "DIGITAL"


def _count(change: ProductChange, drafts: Sequence[tuple[VariantRow, VariantDraft]], known: StoredProduct) -> None:
    stored = {variant.id for variant in _on_sale(known)}
    changed = {variant.id for variant in change.variants}
    for row, _ in drafts:
        if row.id not in stored:
            change.created_variants += 1
        elif row.id in changed:
            change.updated_variants += 1
        else:
            change.unchanged_variants += 1


def _stock(
    change: ProductChange,
    drafts: Sequence[tuple[VariantRow, VariantDraft]],
    known: StoredProduct,
    columns: Columns,
) -> None:
    if "inventory_quantity" not in columns:
        return
    for row, draft in drafts:
        if row.track_inventory and draft.quantity is not None:
            target = change.restated_stock if row.id in known.stocked else change.first_stock
            target[row.id] = draft.quantity
