"""Files as they come: encodings, delimiters, line ends, broken rows; and that good rows come through all of it."""

import csv
import io
import tracemalloc
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalogue.shopify_csv import FileRefused, ProductRows, check_file, read_products
from app.catalogue.shopify_csv.records import MAX_BROKEN_ROWS

HEADER = "Handle,Title,Variant Price\n"


def read(content: bytes | str, *, encoding: str | None = None, after_row: int = 0) -> list[ProductRows]:
    source = io.BytesIO(content.encode() if isinstance(content, str) else content)
    check = check_file(source, encoding)
    source.seek(0)
    return list(read_products(source, check, "USD", after_row=after_row))


def titles(products: Iterable[ProductRows]) -> list[str]:
    return [product.draft.title for product in products if product.draft is not None]


def problems(products: Iterable[ProductRows]) -> list[tuple[int | None, str | None]]:
    return [(problem.row, problem.column) for product in products for problem in product.problems]


def refusal(content: bytes | str, encoding: str | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(content, encoding=encoding)
    return caught.value


TEXT = "Handle,Title,Variant Price\r\ncafe,Café crème à 1 €,3.50\r\nshirt,Shirt,20\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_with_and_without_its_mark(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    products = read(mark + TEXT.encode(encoding))
    assert titles(products) == ["Café crème à 1 €", "Shirt"]
    assert problems(products) == []


def test_windows_1252_is_named_with_the_row_and_nothing_is_read() -> None:
    error = refusal(TEXT.encode("cp1252"))
    assert error.row == 2
    assert "Windows-1252" in error.message
    assert "CSV UTF-8" in error.message


def test_a_wrong_byte_far_behind_is_found_before_anything_is_read() -> None:
    body = "".join(f'p{n},"A body\nof two lines",5\n' for n in range(5000))
    error = refusal((HEADER + body).encode() + b"last,Caf\xe9,5\n")
    assert error.row == 5002


def test_windows_1252_is_read_when_it_is_named() -> None:
    assert titles(read(TEXT.encode("cp1252"), encoding="windows-1252")) == ["Café crème à 1 €", "Shirt"]


def test_cyrillic_code_pages_are_named() -> None:
    text = HEADER + "".join(f"kniga{n},Мастер и Маргарита это роман Михаила Булгакова,5\n" for n in range(5))
    assert "Windows-1251" in refusal(text.encode("cp1251")).message


@pytest.mark.parametrize("name", ["windows-9999", "rot13", "base64", "unicode_escape", "idna", "a\0b", ""])
def test_an_encoding_that_is_none(name: str) -> None:
    assert "windows-1252" in refusal(TEXT.encode(), encoding=name).message


@pytest.mark.parametrize(
    "name", ["windows-1252", "ISO-8859-1", "shift_jis", "utf8", "latin-1", "UTF-16LE", "gbk", "cp866"]
)
def test_encodings_by_their_common_names(name: str) -> None:
    assert titles(read("Handle,Title,Variant Price\na,Mug,5\n".encode(name), encoding=name)) == ["Mug"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b"  \r\n", "empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        ("Handle,Title\n", "no products"),
        (TEXT.replace(",", ";"), "semicolons"),
        (TEXT.replace(",", "\t"), "tabs"),
        ('"Handle";"Title"\n"a";"b"\n', "semicolons"),
        ("Title,Variant Price\nMug,5\n", "“Handle”"),
        ("Handle,Variant Price\nmug,5\n", "“Title”"),
        ("Name,Price\nMug,5\n", "“Handle” and “Title”"),
        ('{"products": []}\n', "“Handle” and “Title”"),
        ('Handle,"Title\nmug,Mug\n', "header cannot be read"),
        (b"Handle,Title\n" + b"x" * 5_000_000, "longer than"),
    ],
)
def test_files_that_are_no_product_csv_say_what_they_are(content: bytes | str, named: str) -> None:
    assert named in refusal(content).message


def test_both_generations_of_the_header_in_any_order_and_case() -> None:
    new = "Price,TITLE,URL  handle,Inventory quantity,Inventory tracker,SKU,Compare-at price,Description\n"
    (product,) = read(new + "9.50,Mug,mug,3,shopify,M-1,12,<p>Blue</p>\n")
    assert product.draft is not None
    variant = product.draft.variants[0]
    assert (variant.price_minor, variant.compare_at_price_minor, variant.quantity) == (950, 1200, 3)
    assert (variant.sku, variant.tracked, product.draft.body_html) == ("M-1", True, "<p>Blue</p>")


def test_columns_that_are_not_known_are_kept_or_named() -> None:
    content = (
        "Handle,Title,Variant Price,Fabric (product.metafields.custom.fabric),Google Shopping / MPN,"
        "Included / Australia,Price / International,Compare At Price / International,Option1 Linked To,Handle\n"
        "mug,Mug,5,Cotton,M1,true,6,7,x,other\n"
    )
    source = io.BytesIO(content.encode())
    check = check_file(source)
    assert check.columns.ignored == [
        "Included / Australia",
        "Price / International",
        "Compare At Price / International",
        "Option1 Linked To",
        "Handle",
    ]
    (product,) = read(content)
    assert product.draft is not None
    assert product.draft.metadata == {"custom.fabric": "Cotton", "Google Shopping / MPN": "M1"}
    assert product.problems == []


def test_rows_are_counted_as_a_spreadsheet_does() -> None:
    content = HEADER + 'a,"One\nin three\nlines",5\n\n,,\nb,Two,wrong\n'
    products = read(content)
    assert problems(products) == [(5, "Variant Price")]


def test_a_row_whose_quotation_mark_never_ends_does_not_swallow_the_file() -> None:
    content = HEADER + 'a,One,5\nb,"Two,5\nc,Three,5\nd,"Four ""4""",5\n'
    products = read(content)
    assert titles(products) == ["One", "Three", 'Four "4"']
    assert [row for row, _ in problems(products)] == [3]


def test_a_misplaced_quotation_mark_costs_its_row_only() -> None:
    products = read(HEADER + 'a,"One" mug,5\nb,Two,5\n')
    assert titles(products) == ["Two"]
    assert products[0].problems[0].message.startswith("A quotation mark inside a quoted cell")


def test_an_unquoted_comma_is_seen_as_a_cell_too_many() -> None:
    products = read(HEADER + "a,One, or two,5\nb,Two,5\n")
    assert titles(products) == ["Two"]
    assert problems(products) == [(2, None)]


def test_a_row_that_ends_early_has_empty_cells() -> None:
    content = "Handle,Title,Variant Price,Vendor,Tags\na,One,5\n"
    assert titles(read(content)) == ["One"]


def test_a_file_of_broken_rows_is_refused_instead_of_read_for_ever() -> None:
    assert "quotation marks" in refusal(HEADER + '"x\n' * (MAX_BROKEN_ROWS + 2)).message


def test_rows_of_a_product_that_stand_apart_are_reported() -> None:
    content = "Handle,Title,Option1 Name,Option1 Value,Variant Price\na,A,Size,S,5\nb,B,,,5\na,,,M,5\n"
    products = read(content)
    assert titles(products) == ["A", "B"]
    assert problems(products) == [(4, "Handle")]
    assert "row 2" in products[-1].problems[0].message


def test_reading_goes_on_behind_a_row_exactly_once() -> None:
    content = HEADER + 'a,One,5\n,Lost,5\nb,"Two,5\nb,Two,5\nc,Three,no\nd,Four,5\n'
    everything = read(content)
    for product in everything:
        rest = read(content, after_row=product.last_row)
        done = [entry for entry in everything if entry.last_row <= product.last_row]
        assert titles(done) + titles(rest) == titles(everything)
        assert problems(done) + problems(rest) == problems(everything)


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.RawIOBase):
        """Ten megabytes of products with bodies, made while they are read."""

        def __init__(self) -> None:
            self.chunks = (f'p{n},Mug,5,"{"x" * 10_000}"\n'.encode() for n in range(1000))
            self.rest = header.encode()

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return False

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            while not self.rest:
                self.rest = next(self.chunks, b"")
                if not self.rest:
                    return 0
            size = min(len(buffer), len(self.rest))
            buffer[:size], self.rest = self.rest[:size], self.rest[size:]
            return size

    header = "Handle,Title,Variant Price,Body (HTML)\n"
    check = check_file(io.BytesIO((header + "a,A,5,\n").encode()))
    tracemalloc.start()
    count = sum(1 for product in read_products(io.BufferedReader(Endless()), check, "USD") if product.draft)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1000
    assert peak < 2_000_000


# --- whatever the cells hold ---------------------------------------------------------------------------------------

cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_row_ends_as_a_product_or_as_a_problem(rows: list[tuple[str, str, str]], line_end: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(["Handle", "Title", "Variant Price"])
    writer.writerows([*rows, ("the-last", "The last", "5")])
    products = read(buffer.getvalue())
    used = {product.draft.row for product in products if product.draft is not None}
    used |= {variant.row for product in products if product.draft for variant in product.draft.variants}
    reported = {row for row, _ in problems(products)}
    filled = {number for number, row in enumerate(rows, start=2) if any(text.strip() for text in row[1:])}
    covered = set()  # rows that repeat the product's title and say nothing else
    for product in products:
        if product.draft is not None:
            title = product.draft.title
            covered |= {
                n for n, row in enumerate(rows, start=2) if " ".join(row[1].split()) == title and not row[2].strip()
            }
        if product.draft is None and product.problems:  # one report stands for all the rows of a product left out
            covered |= set(range(product.problems[0].row or 0, product.last_row + 1))
    assert len(rows) + 2 in used
    assert filled <= used | reported | covered
    assert all(problem.message.endswith(".") for product in products for problem in product.problems)


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_no_bytes_whatever_raise_anything_but_a_refusal(content: bytes) -> None:
    for start in (b"", b"Handle,Title,Variant Price\n", b"\xff\xfe", b"\xef\xbb\xbf"):
        with suppress(FileRefused):
            read(start + content)


@given(st.text(alphabet='abc",\n\r', max_size=80))
@settings(deadline=None)
def test_no_tangle_of_quotation_marks_hides_the_next_good_rows(tangle: str) -> None:
    content = HEADER + tangle + '\n\nlast,"Last one",5\n'
    assert "Last one" in titles(read(content)) or tangle.count('"') % 2 == 1
