"""A product before and after a change: what staff gave, checked, as the rows that are to be stored."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from app.catalogue.editing.descriptions import both_forms
from app.catalogue.editing.given import ImageGiven, ProductGiven
from app.catalogue.editing.options import plan_options
from app.catalogue.editing.problems import CatalogueProblems
from app.catalogue.editing.variants import VariantPlanner
from app.catalogue.rows import ImageRow, OptionRow, ProductRow, StoredProduct, VariantRow
from app.catalogue.rules import MAX_IMAGES, MAX_TAGS, slug_of
from app.errors import CommonErrorCode
from app.kit.ids import new_id

MAX_SEO_DESCRIPTION_CHARS = 5_000
MAX_ALT_TEXT_CHARS = 1_000
MAX_METADATA_BYTES = 50_000


@dataclass(slots=True)
class EditedProduct:
    """The product as it will be, complete, and what follows from that."""

    product: ProductRow
    options: list[OptionRow]
    images: list[ImageRow]
    variants: list[VariantRow]
    stock: dict[uuid.UUID, int] = field(default_factory=dict)
    """Units that can be sold at the default warehouse, by variant; only those that were given."""
    made_slug: bool = False
    """The slug comes from the name, so that another will do when it is taken."""


def prepared(given: ProductGiven) -> ProductGiven:
    """With the description in both of its forms. Apart from `edited` since large HTML takes its time.

    Raises:
        DomainErrors: TOO_LONG, INVALID for control characters and where both forms are given.
    """
    problems = CatalogueProblems()
    result = given.copy()
    if "description" in given or "description_html" in given:
        text, markup = given.get("description"), given.get("description_html")
        result["description"], result["description_html"] = both_forms(problems, text, markup)
    problems.raise_if_any()
    return result


def edited(stored: StoredProduct | None, given: ProductGiven, currency: str) -> EditedProduct:
    """The product after the change.

    Args:
        stored: as it is now; None for a new one.
        given: as `prepared` returns it.

    Raises:
        DomainErrors: everything that is wrong, with paths below `input`.
    """
    problems = CatalogueProblems()
    known = stored or StoredProduct(ProductRow(new_id(), "", ""))
    product = _fields(problems, known.product, given, is_new=stored is None)
    made_slug = not product.slug
    if made_slug:
        product.slug = slug_of(product.name) or f"product-{product.id.hex[-8:]}"
    images = _images(problems, product.id, known.images, given.get("images"))
    given_variants, noted = given.get("variants"), len(problems)
    options = plan_options(problems, product.id, known.options, given.get("options"), given_variants)
    if len(problems) > noted:
        problems.raise_if_any()  # what variants need is not clear then
    planner = VariantPlanner(problems, product, known.variants, options, currency)
    plan = planner.keep() if given_variants is None else planner.replace_by(given_variants)
    variants = _with_images(problems, product.id, images, plan.rows, plan.image_urls)
    problems.raise_if_any()
    product.min_price_minor = min(row.price_minor for row in variants)
    product.max_price_minor = max(row.price_minor for row in variants)
    return EditedProduct(product, options.rows, images, variants, plan.stock, made_slug)


def _fields(problems: CatalogueProblems, before: ProductRow, given: ProductGiven, *, is_new: bool) -> ProductRow:
    product = replace(before)
    if "name" in given or is_new:
        product.name = problems.required_line(given.get("name"), "A name", "name")
    if "slug" in given and not (is_new and given["slug"] is None):
        product.slug = problems.slug(given["slug"], "slug")
    if "description" in given:
        product.description, product.description_html = given["description"] or "", given["description_html"] or ""
    if (status := given.get("status")) is not None:
        product.status = status.value
    if (kind := given.get("kind")) is not None:
        product.kind = kind.value
    if "vendor" in given:
        product.vendor = problems.line(given["vendor"], "vendor")
    if "product_type" in given:
        product.product_type = problems.line(given["product_type"], "productType")
    if "tax_class_id" in given:
        product.tax_class_id = given["tax_class_id"]
    if "tags" in given:
        product.tags = _tags(problems, given["tags"] or [])
    if "seo_title" in given:
        product.seo_title = problems.line(given["seo_title"], "seo", "title")
    if "seo_description" in given:
        description = problems.text(given["seo_description"], MAX_SEO_DESCRIPTION_CHARS, "seo", "description")
        product.seo_description = description
    if "metadata" in given:
        product.metadata = _metadata(problems, given["metadata"])
    return product


def _tags(problems: CatalogueProblems, given: Sequence[str]) -> list[str]:
    problems.not_too_many(given, MAX_TAGS, "tags", "tags")
    tags: dict[str, str] = {}
    for index, text in enumerate(given[:MAX_TAGS]):
        if tag := problems.line(text, "tags", index):
            tags.setdefault(tag.casefold(), tag)
    return list(tags.values())


def _metadata(problems: CatalogueProblems, given: object) -> dict[str, object]:
    if given is None:
        return {}
    try:
        encoded = orjson.dumps(given)
    except TypeError:
        encoded = b""
    if not isinstance(given, dict) or not encoded or b"\\u0000" in encoded:
        problems.add(CommonErrorCode.INVALID, "Metadata is a JSON object, its texts without control codes.", "metadata")
    elif len(encoded) > MAX_METADATA_BYTES:
        problems.add(CommonErrorCode.TOO_LONG, f"Metadata can have {MAX_METADATA_BYTES:,} bytes.", "metadata")
    else:
        return given
    return {}


def _images(
    problems: CatalogueProblems, product_id: uuid.UUID, stored: Sequence[ImageRow], given: Sequence[ImageGiven] | None
) -> list[ImageRow]:
    if given is None:
        return sorted(stored, key=lambda row: row.position)
    problems.not_too_many(given, MAX_IMAGES, "images", "images")
    known = {row.url: row for row in stored}
    images: list[ImageRow] = []
    for index, image in enumerate(given[:MAX_IMAGES]):
        url = problems.url(image["url"], "images", index, "url")
        if url is None:
            if not image["url"].strip():
                problems.add(CommonErrorCode.REQUIRED, "An address is needed.", "images", index, "url")
            continue
        if any(row.url == url for row in images):
            problems.add(CommonErrorCode.INVALID, "The image is given twice.", "images", index, "url")
            continue
        row = replace(known.get(url) or ImageRow(new_id(), product_id, 0, url), position=len(images) + 1)
        if "alt_text" in image:
            row.alt_text = problems.text(image["alt_text"], MAX_ALT_TEXT_CHARS, "images", index, "altText")
        for name in ("width", "height"):
            if name in image:
                size = image[name]
                setattr(row, name, None if size is None else problems.count(size, "images", index, name))
        images.append(row)
    return images


def _with_images(
    problems: CatalogueProblems,
    product_id: uuid.UUID,
    images: list[ImageRow],
    variants: Sequence[VariantRow],
    urls: dict[uuid.UUID, str | None],
) -> list[VariantRow]:
    """The variants with their pictures; one that the product lacks becomes its last."""
    by_url = {row.url: row for row in images}
    kept = {row.id for row in images}
    result = []
    for variant in variants:
        image_id = variant.image_id if variant.image_id in kept else None
        if variant.id in urls:
            url = urls[variant.id]
            if url is not None and url not in by_url:
                by_url[url] = ImageRow(new_id(), product_id, len(images) + 1, url)
                images.append(by_url[url])
            image_id = by_url[url].id if url is not None else None
        result.append(replace(variant, image_id=image_id))
    problems.not_too_many(images, MAX_IMAGES, "images", "variants")
    return result
