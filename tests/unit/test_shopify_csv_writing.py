"""What the writer writes, the reader reads: any product that a shop can hold comes back as it was."""

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.shopify_csv import (
    CollectionDraft,
    ImageDraft,
    ProductDraft,
    VariantDraft,
    check_file,
    read_products,
)
from app.catalogue.shopify_csv.columns import metadata_header
from app.catalogue.shopify_csv.writing import Writer

# No control characters and no halves of pairs: nobody can save those.
_letters = st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("=+-@'\",;\\\n\t|")
_texts = st.text(_letters, max_size=12).map(str.strip)
_lines = st.text(_letters, max_size=12).map(lambda text: " ".join(text.split()))
_names = _lines.filter(bool)
_maybe = _lines.map(lambda text: text or None)
_prices = st.none() | st.integers(1, 10**12)
_urls = st.integers(1, 99).map(lambda number: f"https://c.example/{number}.jpg")


def _folded(text: str) -> str:
    return text.casefold()


@st.composite
def products(draw: st.DrawFn, handle: str) -> ProductDraft:
    names = draw(st.lists(_names, max_size=3, unique_by=_folded))
    values = [draw(st.lists(_names, min_size=1, max_size=3, unique_by=_folded)) for _ in names]
    chosen = [tuple(draw(st.sampled_from(some)) for some in values) for _ in range(3 if names else 1)]
    urls = draw(st.lists(_urls, max_size=4, unique=True))
    size = st.none() | st.integers(1, 9000)
    return ProductDraft(
        row=0,
        handle=handle,
        title=draw(_names),
        body_html=draw(_texts),
        plain_text=draw(_texts.map(lambda text: text or None)),
        vendor=draw(_maybe),
        product_type=draw(_maybe),
        tags=draw(st.lists(_names, max_size=3, unique_by=_folded)),
        status=draw(st.sampled_from(["ACTIVE", "DRAFT", "ARCHIVED"])),
        kind=draw(st.sampled_from(["PHYSICAL", "DIGITAL", "SERVICE", "GIFT_CARD"])),
        seo_title=draw(_maybe),
        seo_description=draw(_texts.map(lambda text: text or None)),
        collections=[
            CollectionDraft(name, f"c-{number}", draw(st.none() | st.integers(0, 10**6)))
            for number, name in enumerate(draw(st.lists(_names, max_size=5)))
        ],
        option_names=names,
        option_values=[draw(st.permutations(some)) if draw(st.booleans()) else [] for some in values],
        variants=[_variant(draw, options, urls) for options in dict.fromkeys(chosen)],
        images=[
            ImageDraft(0, url, draw(_texts.map(lambda text: text or None)), None, draw(size), draw(size))
            for url in urls
        ],
        metadata=draw(st.dictionaries(_texts, _texts | st.integers(-5, 5) | st.lists(_texts, max_size=2), max_size=4)),
    )


def _variant(draw: st.DrawFn, options: tuple[str, ...], urls: list[str]) -> VariantDraft:
    return VariantDraft(
        row=0,
        option_values=options,
        sku=draw(_maybe),
        barcode=draw(_maybe),
        price_minor=draw(st.integers(0, 10**12)),
        compare_at_price_minor=draw(_prices),
        cost_minor=draw(_prices),
        weight_grams=draw(st.integers(0, 10**6)),
        tracked=draw(st.booleans()),
        quantity=draw(st.none() | st.integers(0, 10**6)),
        continue_selling=draw(st.booleans()),
        requires_shipping=draw(st.booleans()),
        taxable=draw(st.booleans()),
        image_url=draw(st.sampled_from(urls)) if draw(st.booleans()) and urls else None,
    )


def _is_written_as_none(product: ProductDraft) -> bool:
    """An option called Title with the value Default Title is how Shopify writes that there are none."""
    first = product.variants[0].option_values
    return (
        len(product.option_names) == 1
        and product.option_names[0].casefold() == "title"
        and first[0].casefold() == "default title"
    )


def _plain(value: Any) -> Any:
    """Without the rows of the file, and without what only an import asks for."""
    value.row = 0
    return value


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_any_product_comes_back(data: st.DataObject, currency: str) -> None:
    made = [data.draw(products(f"p-{number}")) for number in range(2)]
    keys = sorted({key for product in made for key in product.metadata})
    writer = Writer(currency, keys[::2])
    text, rows = writer.rows(made)
    file = io.BytesIO((writer.header() + text).encode())
    check = check_file(file)
    assert check.columns.ignored == []
    assert check.last_row == rows + 1
    file.seek(0)
    found = list(read_products(file, check, currency))
    assert [problem for one in found for problem in one.problems] == []
    for product, one in zip(made, found, strict=True):
        draft = one.draft
        assert draft is not None
        if _is_written_as_none(product):
            continue
        draft.states_options = product.states_options
        draft.gift_card = False
        for image in draft.images:
            image.position = None
        for part in (draft, *draft.images, *draft.variants):
            _plain(part)
        assert draft == product


def test_keys_that_no_column_can_be_named_after_have_none() -> None:
    for key in ("Title", "title ", "", "variant price", "Price / Australia", "Variant Tax Code", "category", "\ufeffx"):
        assert metadata_header(key) is None, key
    assert metadata_header("custom.fabric") == "custom.fabric (product.metafields.custom.fabric)"
    assert metadata_header("Google Shopping / MPN") == "Google Shopping / MPN"
