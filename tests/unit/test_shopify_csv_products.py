"""What the rows of one handle come to: options, variants, images, and the exact report of what is wrong."""

import csv
import io
from pathlib import Path

import pytest

from app.catalogue.shopify_csv import ProductDraft, RowProblem, check_file, read_products

FIXTURES = Path(__file__).parent.parent / "fixtures" / "shopify"


def build(*rows: dict[str, str]) -> tuple[ProductDraft | None, list[RowProblem]]:
    """The first product of a file with these rows; `Handle` is filled in."""
    columns = ["Handle", *dict.fromkeys(name for row in rows for name in row)]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="")
    writer.writeheader()
    writer.writerows({"Handle": "mug", **row} for row in rows)
    source = io.BytesIO(buffer.getvalue().encode())
    check = check_file(source)
    source.seek(0)
    (product,) = read_products(source, check, "USD")
    return product.draft, product.problems


def built(*rows: dict[str, str]) -> ProductDraft:
    draft, problems = build(*rows)
    assert problems == []
    assert draft is not None
    return draft


def reported(*rows: dict[str, str]) -> list[tuple[int | None, str | None]]:
    return [(problem.row, problem.column) for problem in build(*rows)[1]]


MUG = {"Title": "Mug", "Variant Price": "5"}
SIZES = {"Title": "Mug", "Option1 Name": "Size", "Option1 Value": "S", "Variant Price": "5"}


def test_no_options_are_written_as_default_title() -> None:
    draft = built({**MUG, "Option1 Name": "Title", "Option1 Value": "Default Title"})
    assert draft.option_names == []
    assert [variant.option_values for variant in draft.variants] == [()]


def test_options_and_values_across_rows() -> None:
    draft = built(
        {**SIZES, "Option2 Name": "Colour", "Option2 Value": "Red", "Option3 Name": "Lid", "Option3 Value": "Yes"},
        {"Option1 Value": "M", "Option2 Value": "Red", "Option3 Value": "No", "Variant Price": "6"},
    )
    assert draft.option_names == ["Size", "Colour", "Lid"]
    assert [variant.option_values for variant in draft.variants] == [("S", "Red", "Yes"), ("M", "Red", "No")]
    assert [variant.price_minor for variant in draft.variants] == [500, 600]


def test_a_row_with_only_an_image_is_no_variant() -> None:
    draft = built(
        {**MUG, "Image Src": "https://c.example/2.jpg", "Image Position": "2", "Image Alt Text": "Side"},
        {"Image Src": "https://c.example/1.jpg", "Image Position": "1"},
        {"Image Src": "https://c.example/2.jpg"},
        {"Image Src": "https://c.example/3.jpg"},
    )
    assert len(draft.variants) == 1
    assert [image.url[-5] for image in draft.images] == ["1", "2", "3"]
    assert [image.alt_text for image in draft.images] == [None, "Side", None]


def test_a_variant_s_image_is_one_of_the_product_s_images() -> None:
    draft = built(
        {**SIZES, "Image Src": "https://c.example/1.jpg", "Variant Image": "https://c.example/1.jpg"},
        {"Option1 Value": "M", "Variant Price": "5", "Variant Image": "https://c.example/2.jpg"},
    )
    assert [variant.image_url for variant in draft.variants] == ["https://c.example/1.jpg", "https://c.example/2.jpg"]
    assert [image.url for image in draft.images] == ["https://c.example/1.jpg", "https://c.example/2.jpg"]


def test_every_cell_of_a_variant() -> None:
    variant = built(
        {
            **MUG,
            "Variant SKU": "'0042",
            "Variant Barcode": "'4006381333931",
            "Variant Compare At Price": "7.50",
            "Cost per item": "1,000.25",
            "Variant Grams": "350.4",
            "Variant Inventory Tracker": "shopify",
            "Variant Inventory Qty": "12",
            "Variant Inventory Policy": "continue",
            "Variant Requires Shipping": "TRUE",
            "Variant Taxable": "false",
        }
    ).variants[0]
    assert (variant.sku, variant.barcode) == ("0042", "4006381333931")
    assert (variant.price_minor, variant.compare_at_price_minor, variant.cost_minor) == (500, 750, 100025)
    assert (variant.weight_grams, variant.tracked, variant.quantity, variant.continue_selling) == (350, True, 12, True)
    assert (variant.requires_shipping, variant.taxable) == (True, False)


def test_blank_cells_mean_what_they_mean_at_shopify() -> None:
    blank = built(
        {
            **MUG,
            "Variant Requires Shipping": "",
            "Variant Taxable": "",
            "Variant Inventory Tracker": "",
            "Variant Compare At Price": "0.00",
            "Published": "",
            "Gift Card": "",
        }
    )
    variant = blank.variants[0]
    assert (variant.requires_shipping, variant.taxable, variant.tracked) == (False, False, False)
    assert variant.compare_at_price_minor is None
    assert (blank.status, blank.gift_card) == ("ACTIVE", False)
    absent = built(MUG).variants[0]
    assert (absent.requires_shipping, absent.taxable) == (True, True)


@pytest.mark.parametrize(
    ("status", "published", "outcome"),
    [
        ("active", "true", "ACTIVE"),
        ("Active", "false", "DRAFT"),
        ("draft", "true", "DRAFT"),
        ("archived", "TRUE", "ARCHIVED"),
        ("archived", "false", "ARCHIVED"),
        ("", "FALSE", "DRAFT"),
    ],
)
def test_status_and_published_together(status: str, published: str, outcome: str) -> None:
    assert built({**MUG, "Status": status, "Published": published}).status == outcome


def test_an_unlisted_product_becomes_a_draft_and_is_named() -> None:
    draft, problems = build({**MUG, "Status": "unlisted"})
    assert draft is not None
    assert draft.status == "DRAFT"
    assert [(problem.row, problem.column) for problem in problems] == [(2, "Status")]


def test_the_row_with_the_title_need_not_be_the_first() -> None:
    draft = built({"Image Src": "https://c.example/1.jpg"}, MUG)
    assert (draft.title, draft.row, len(draft.images)) == ("Mug", 3, 1)


def test_a_second_title_under_one_handle_is_reported_and_a_repeated_one_is_not() -> None:
    assert reported(SIZES, {"Title": "Mug", "Option1 Value": "M", "Variant Price": "5"}) == []
    assert reported(SIZES, {"Title": "Cup", "Option1 Value": "M", "Variant Price": "5"}) == [(3, "Title")]


# --- the report ----------------------------------------------------------------------------------------------------


def test_a_wrong_cell_costs_its_variant_and_names_row_and_column() -> None:
    draft, problems = build(
        SIZES,
        {"Option1 Value": "M", "Variant Price": "12,50", "Variant Grams": "heavy"},
        {"Option1 Value": "L", "Variant Price": "6"},
    )
    assert draft is not None
    assert [variant.option_values for variant in draft.variants] == [("S",), ("L",)]
    assert problems == [
        RowProblem(
            3,
            "Variant Price",
            "“12,50” has a decimal comma; write it with a point, such as 1299.90; the variant of this row is left out.",
        ),
        RowProblem(3, "Variant Grams", "“heavy” is not a weight in grams; the variant of this row is left out."),
    ]


def test_a_wrong_cell_of_the_product_costs_the_product_and_counts_its_rows() -> None:
    draft, problems = build({**SIZES, "Status": "maybe"}, {"Option1 Value": "M", "Variant Price": "5"})
    assert draft is None
    assert problems == [
        RowProblem(
            2,
            "Status",
            "“maybe” is none of active, draft and archived; the product is left out, with the other row of “mug”.",
        )
    ]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("Variant Price", ""),
        ("Variant Price", "free"),
        ("Variant Compare At Price", "1.299"),
        ("Cost per item", "-1"),
        ("Variant Inventory Qty", "many"),
        ("Variant Inventory Policy", "sometimes"),
        ("Variant Taxable", "perhaps"),
        ("Variant SKU", "x" * 256),
        ("Option1 Value", ""),
        ("Option2 Value", "Red"),
    ],
)
def test_faults_of_one_variant(column: str, text: str) -> None:
    second = {"Option1 Value": "M", "Variant Price": "5", "Option2 Value": "", column: text}
    draft, problems = build(SIZES, second)
    assert draft is not None
    assert [variant.option_values for variant in draft.variants] == [("S",)]
    assert [(problem.row, problem.column) for problem in problems] == [(3, column)]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({**MUG, "Title": ""}, "Title"),
        ({**MUG, "Title": "x" * 256}, "Title"),
        ({**MUG, "Published": "perhaps"}, "Published"),
        ({**MUG, "Gift Card": "7"}, "Gift Card"),
        ({**MUG, "Tags": ",".join(f"t{n}" for n in range(251))}, "Tags"),
        ({**MUG, "Option1 Name": "", "Option1 Value": "S"}, "Option1 Name"),
        ({**SIZES, "Option2 Name": "", "Option3 Name": "Lid", "Option3 Value": "Yes"}, "Option2 Name"),
        ({**SIZES, "Option2 Name": "size", "Option2 Value": "x"}, "Option2 Name"),
    ],
)
def test_faults_of_the_whole_product(row: dict[str, str], column: str) -> None:
    draft, problems = build(row)
    assert draft is None
    assert [(problem.row, problem.column) for problem in problems] == [(2, column)]


def test_the_same_options_twice_are_one_variant() -> None:
    assert reported(SIZES, {"Option1 Value": "s", "Variant Price": "9"}) == [(3, "Option1 Value")]
    assert reported(MUG, {"Variant Price": "9"}) == [(3, "Option1 Value")]


def test_a_bad_image_costs_only_itself() -> None:
    draft, problems = build({**MUG, "Image Src": "mug.jpg"}, {"Image Src": "https://c.example/1.jpg"})
    assert draft is not None
    assert (len(draft.variants), len(draft.images)) == (1, 1)
    assert [(problem.row, problem.column) for problem in problems] == [(2, "Image Src")]


def test_more_variants_than_are_possible_are_reported_one_by_one() -> None:
    rows = [{"Option1 Value": f"S{number}", "Variant Price": "5"} for number in range(2050)]
    draft, problems = build(SIZES, *rows)
    assert draft is not None
    assert len(draft.variants) == 2048
    assert [problem.row for problem in problems] == [2050, 2051, 2052]


# --- Shopify's own sample files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "products", "variants", "images"), [("apparel", 20, 22, 20), ("jewelery", 20, 23, 41)]
)
def test_shopify_s_samples_are_read_without_a_problem(name: str, products: int, variants: int, images: int) -> None:
    with (FIXTURES / f"{name}.csv").open("rb") as source:
        check = check_file(source)
        source.seek(0)
        found = list(read_products(source, check, "USD"))
    assert [problem for product in found for problem in product.problems] == []
    drafts = [product.draft for product in found if product.draft is not None]
    assert len(drafts) == products
    assert sum(len(draft.variants) for draft in drafts) == variants
    assert sum(len(draft.images) for draft in drafts) == images
