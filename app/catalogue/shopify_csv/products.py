"""The rows of one handle become a product: what belongs to the product, to a variant, to an image."""

from collections.abc import Sequence

from app.catalogue.rules import MAX_IMAGES, MAX_TAGS, MAX_VARIANTS
from app.catalogue.shopify_csv import values
from app.catalogue.shopify_csv.cells import Cells
from app.catalogue.shopify_csv.columns import CATEGORY_KEY, Columns
from app.catalogue.shopify_csv.drafts import CollectionDraft, ImageDraft, ProductDraft, RowProblem, VariantDraft
from app.catalogue.shopify_csv.records import Record

MAX_NAME_CHARACTERS = 255
MAX_ALT_TEXT_CHARACTERS = 1000
MAX_SEO_DESCRIPTION_CHARACTERS = 5000

_STATUSES = {"active": "ACTIVE", "draft": "DRAFT", "archived": "ARCHIVED", "unlisted": "DRAFT", "": "ACTIVE"}
_OPTION_VALUES = ("option1_value", "option2_value", "option3_value")
_VARIANT_FIELDS = ("price", "sku", "barcode", "inventory_quantity")
"""What only a variant's row carries; rows for a further image leave all of these empty."""

_PRODUCT_OUT = "the product is left out"
_VARIANT_OUT = "the variant of this row is left out"
_IMAGE_OUT = "the image is left out"
_COLLECTION_OUT = "the product is not put into it"


def build_product(
    handle: str, rows: Sequence[Record], columns: Columns, currency: str
) -> tuple[ProductDraft | None, list[RowProblem]]:
    """One product, and everything in its rows that could not be used.

    A fault in a variant's row costs that variant, one in the product's own cells the product: half a price list is
    of use, a product under a wrong name or status is not.
    """
    cells = [Cells(row, columns) for row in rows]
    main = next((row for row in cells if row.text("title")), cells[0])
    option_names = _option_names(main)
    draft = _product(handle, main, columns, option_names or [])
    if draft is not None and option_names is not None:
        if main.text("status").casefold() == "unlisted":
            main.report("status", "Products that only a link finds are not known here", "the product becomes a draft")
        for row in cells:
            _report_other_title(row, draft)
        _add_collections(draft, cells)
        _add_images(draft, cells)
        _add_variants(draft, cells, main, columns, currency)
    else:
        draft = None
        others = len(cells) - 1
        if others and main.problems:
            first = main.problems[0]
            left = "the other row" if others == 1 else f"the other {others} rows"
            main.problems[0] = RowProblem(first.row, first.column, f"{first.message[:-1]}, with {left} of “{handle}”.")
    return draft, [problem for row in cells for problem in row.problems]


def _report_other_title(cells: Cells, draft: ProductDraft) -> None:
    """Repeating the title in every row is common; another title means that two products share a handle."""
    title = " ".join(cells.text("title").split())
    if title and title != draft.title:
        cells.report(
            "title", f"“{draft.handle}” is called “{draft.title}” in row {draft.row}", "this title is not used"
        )


def _product(handle: str, main: Cells, columns: Columns, option_names: list[str]) -> ProductDraft | None:
    if not main.text("title"):
        main.report("title", "The title is missing", _PRODUCT_OUT)
    if len(handle) > MAX_NAME_CHARACTERS:
        main.report("handle", f"The handle has more than {MAX_NAME_CHARACTERS} characters", _PRODUCT_OUT)

    def short(field: str) -> str | None:
        return main.line(field, MAX_NAME_CHARACTERS, _PRODUCT_OUT) or None

    draft = ProductDraft(
        row=main.row,
        handle=handle,
        title=short("title") or "",
        body_html=main.text("body_html"),
        plain_text=main.text("plain_text") or None,
        vendor=short("vendor"),
        product_type=short("product_type"),
        tags=main.parse("tags", _tags, [], _PRODUCT_OUT),
        status=_status(main),
        gift_card=main.parse("gift_card", values.boolean, False, _PRODUCT_OUT),
        seo_title=short("seo_title"),
        seo_description=main.paragraph("seo_description", MAX_SEO_DESCRIPTION_CHARACTERS, _PRODUCT_OUT) or None,
        kind=main.parse("kind", values.kind, None, _PRODUCT_OUT),
        tax_class=(short("tax_class") or "").lower() or None,
        option_names=option_names,
        option_values=[
            main.parse(f"option{n}_values", values.tags, [], _PRODUCT_OUT) for n, _ in enumerate(option_names, start=1)
        ],
        states_options=bool(main.text("option1_name") or main.text("option1_value")),
        metadata={key: text for index, key in columns.metadata if (text := main.at(index))},
    )
    if category := main.text("category"):
        draft.metadata[CATEGORY_KEY] = category
    no_more: dict[str, object] = {}
    draft.metadata |= main.parse("other_metadata", values.json_object, no_more, _PRODUCT_OUT)
    return None if main.problems else draft


def _tags(text: str) -> list[str]:
    tags = values.tags(text)
    if len(tags) > MAX_TAGS:
        raise ValueError(f"There are {len(tags)} tags; {MAX_TAGS} are possible")
    if any(len(tag) > MAX_NAME_CHARACTERS for tag in tags):
        raise ValueError(f"A tag has more than {MAX_NAME_CHARACTERS} characters")
    return tags


def _status(main: Cells) -> str:
    """`Published` false hides what is active. An empty cell publishes, as it does at Shopify."""
    text = main.text("status").casefold()
    status = _STATUSES.get(text)
    if status is None:
        main.report("status", f"“{text[:40]}” is none of active, draft and archived", _PRODUCT_OUT)
        return "DRAFT"
    published = main.parse("published", values.boolean, True, _PRODUCT_OUT)
    return "DRAFT" if status == "ACTIVE" and not published else status


def _option_names(main: Cells) -> list[str] | None:
    """The names in order, none for a product of one form; None, with a problem, where they make no sense."""
    names = [main.line(f"option{n}_name", MAX_NAME_CHARACTERS, _PRODUCT_OUT) for n in (1, 2, 3)]
    first_value = main.text("option1_value").casefold()
    if names[0].casefold() in ("", "title") and first_value in ("", "default title") and not any(names[1:]):
        return []
    while names and not names[-1]:
        names.pop()
    if "" in names or not names:
        missing = names.index("") + 1 if names else 1
        main.report(f"option{missing}_name", "The name of the option is missing", _PRODUCT_OUT)
        return None
    if len({name.casefold() for name in names}) < len(names):
        main.report(f"option{len(names)}_name", "Two options have the same name", _PRODUCT_OUT)
        return None
    return names


def _add_variants(draft: ProductDraft, rows: list[Cells], main: Cells, columns: Columns, currency: str) -> None:
    if not any(field in columns for field in (*_OPTION_VALUES, *_VARIANT_FIELDS)):
        return
    row_of: dict[tuple[str, ...], int] = {}
    for cells in rows:
        has_values = any(cells.text(field) for field in _OPTION_VALUES)
        has_data = any(cells.text(field) for field in _VARIANT_FIELDS)
        sole = cells is main and not draft.option_names
        if not (has_values or has_data or sole):
            continue
        option_values = _option_values(cells, draft, main)
        if option_values is None:
            continue
        variant = _variant(cells, option_values, columns, currency)
        if variant is None:
            continue
        identity = tuple(value.casefold() for value in option_values)
        if identity in row_of:
            named = f"“{' / '.join(option_values)}”" if option_values else "A product without options"
            fault = f"{named} is already in row {row_of[identity]}"
            cells.report("option1_value", fault, _VARIANT_OUT)
        elif len(draft.variants) >= MAX_VARIANTS:
            cells.report(None, f"The product has more than {MAX_VARIANTS:,} variants", _VARIANT_OUT)
        else:
            row_of[identity] = cells.row
            draft.variants.append(variant)
            _add_variant_image(draft, variant, cells)


def _option_values(cells: Cells, draft: ProductDraft, main: Cells) -> tuple[str, ...] | None:
    before = len(cells.problems)
    found = [cells.line(field, MAX_NAME_CHARACTERS, _VARIANT_OUT) for field in _OPTION_VALUES]
    if len(cells.problems) > before:
        return None
    count = len(draft.option_names)
    if not count and found[0].casefold() == "default title":
        found[0] = ""
    for index, text in enumerate(found):
        field = _OPTION_VALUES[index]
        if index < count and not text:
            cells.report(field, f"The value for “{draft.option_names[index]}” is missing", _VARIANT_OUT)
            return None
        if index >= count and text:
            fault = f"“{text}” belongs to no option: row {main.row} has no Option{index + 1} Name"
            cells.report(field, fault, _VARIANT_OUT)
            return None
    return tuple(found[:count])


def _variant(cells: Cells, option_values: tuple[str, ...], columns: Columns, currency: str) -> VariantDraft | None:
    """None, with problems, where any cell of it is wrong: a wrong weight or stock would sell on wrong terms."""
    before = len(cells.problems)

    def price(text: str) -> int:
        return values.price_minor(text, currency)

    def blank_is_false(field: str) -> bool:
        # Shopify: leaving Requires Shipping or Taxable blank is the same as FALSE.
        return cells.parse(field, values.boolean, field not in columns, _VARIANT_OUT)

    variant = VariantDraft(
        row=cells.row,
        option_values=option_values,
        sku=cells.line("sku", MAX_NAME_CHARACTERS, _VARIANT_OUT, values.sku) or None,
        barcode=cells.line("barcode", MAX_NAME_CHARACTERS, _VARIANT_OUT, values.sku) or None,
        price_minor=cells.parse("price", price, None, _VARIANT_OUT),
        # Exports write 0 for what was never set.
        compare_at_price_minor=cells.parse("compare_at_price", price, None, _VARIANT_OUT) or None,
        cost_minor=cells.parse("cost", price, None, _VARIANT_OUT),
        weight_grams=cells.parse("weight_grams", values.grams, 0, _VARIANT_OUT),
        tracked=bool(cells.text("inventory_tracker")),
        quantity=cells.parse("inventory_quantity", values.quantity, None, _VARIANT_OUT),
        continue_selling=cells.parse("inventory_policy", values.continues_selling, False, _VARIANT_OUT),
        requires_shipping=blank_is_false("requires_shipping"),
        taxable=blank_is_false("taxable"),
    )
    if variant.price_minor is None and "price" in columns and not cells.text("price"):
        cells.report("price", "The price is missing", _VARIANT_OUT)
    if len(cells.problems) > before:
        return None
    variant.image_url = cells.parse("variant_image", values.image_url, None, _IMAGE_OUT)
    return variant


def _add_variant_image(draft: ProductDraft, variant: VariantDraft, cells: Cells) -> None:
    if variant.image_url is None or any(image.url == variant.image_url for image in draft.images):
        return
    if len(draft.images) < MAX_IMAGES:
        draft.images.append(ImageDraft(variant.row, variant.image_url))
    else:
        cells.report("variant_image", f"The product has more than {MAX_IMAGES} images", _IMAGE_OUT)
        variant.image_url = None


def _add_collections(draft: ProductDraft, rows: list[Cells]) -> None:
    """Any row may name one; the first place in a collection counts."""
    known: dict[str, CollectionDraft] = {}
    for cells in rows:
        name = cells.line("collection", MAX_NAME_CHARACTERS, _COLLECTION_OUT)
        handle = cells.parse("collection_handle", values.handle, None, _COLLECTION_OUT)
        position = cells.parse("collection_position", values.quantity, None, "the product is put at its end")
        if name or handle:
            known.setdefault(handle or name, CollectionDraft(name or handle or "", handle, position))
    draft.collections = list(known.values())


def _add_images(draft: ProductDraft, rows: list[Cells]) -> None:
    """Every image once, by position and then as the file has them; a variant's image is one of the product's."""
    images: dict[str, ImageDraft] = {}
    for cells in rows:
        url = cells.parse("image_src", values.image_url, None, _IMAGE_OUT)
        if url is None:
            continue
        if url not in images and len(images) >= MAX_IMAGES:
            cells.report("image_src", f"The product has more than {MAX_IMAGES} images", _IMAGE_OUT)
            continue
        image = images.setdefault(url, ImageDraft(cells.row, url))
        alt_text = cells.paragraph("image_alt", MAX_ALT_TEXT_CHARACTERS, "it is not kept")
        image.alt_text = image.alt_text or alt_text or None
        if size := cells.parse("image_size", values.image_size, None, "it is not kept"):
            image.width, image.height = image.width or size[0], image.height or size[1]
        image.position = image.position or cells.parse(
            "image_position", values.position, None, "the image is put where the file has it"
        )
    # Sorting is stable, so images without a position keep the file's order behind the others.
    draft.images = sorted(images.values(), key=lambda image: image.position or 1_000_000)
