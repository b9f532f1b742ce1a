"""The two passes over a file: a look at the whole of it, then its products one after another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from app.catalogue.rules import MAX_IMAGES, MAX_VARIANTS
from app.catalogue.shopify_csv.columns import Columns, read_header, refuse_other_delimiters
from app.catalogue.shopify_csv.drafts import ProductDraft, RowProblem
from app.catalogue.shopify_csv.products import build_product
from app.catalogue.shopify_csv.records import BrokenRecord, Record, records
from app.catalogue.shopify_csv.text import FileRefused, encoding_of, lines_of
from app.catalogue.shopify_csv.values import handle as parse_handle

_MAX_ROWS_PER_PRODUCT = MAX_VARIANTS + MAX_IMAGES
_HEAD_BYTES = 64 * 1024
_MAX_STRAYS = 1000
"""Rows without a product that are collected before they are handed on."""


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What the first pass learned."""

    encoding: str
    columns: Columns
    last_row: int
    """Rows as a spreadsheet counts them, the header included: the measure of progress."""


@dataclass(slots=True)
class ProductRows:
    """What consecutive rows of one handle came to. `draft` is None where nothing of them can be imported."""

    last_row: int
    handle: str = ""
    """Empty for rows that belong to no product at all."""
    draft: ProductDraft | None = None
    problems: list[RowProblem] = field(default_factory=list)


def check_file(source: IO[bytes], encoding: str | None = None) -> FileCheck:
    """Read the whole file once, keeping nothing, so that a file in a wrong encoding changes nothing at all.

    Args:
        source: seekable, at its beginning.
        encoding: a codec's name, for a file that is not UTF-8 and says so nowhere.

    Raises:
        FileRefused: wrong encoding or delimiter, no header as expected, no rows, or hardly a CSV.
    """
    found = encoding_of(source.read(_HEAD_BYTES), encoding)
    source.seek(0)
    columns: Columns | None = None
    last_row = 0
    rows = 0
    for record in records(lines_of(source, found)):
        last_row = record.row
        if columns is not None:
            rows += 1
        elif isinstance(record, BrokenRecord):
            refuse_other_delimiters(record.first_line)
            raise FileRefused(f"The header cannot be read. {record.message}", row=record.row)
        else:
            columns = read_header(record.cells)
    if columns is None:
        raise FileRefused("The file is empty.")
    if not rows:
        raise FileRefused("The file has a header and no products.")
    return FileCheck(found, columns, last_row)


def read_products(source: IO[bytes], check: FileCheck, currency: str, *, after_row: int = 0) -> Iterator[ProductRows]:
    """The products of a checked file, in its order. Memory holds one product, and a handle for each one read.

    Args:
        source: the same file, at its beginning.
        currency: the shop's, ISO 4217; Shopify's file does not name one.
        after_row: rows up to here were dealt with before an interruption and are passed over.
    """
    groups = _Groups(check.columns, currency)
    header_passed = False
    for record in records(lines_of(source, check.encoding)):
        if not header_passed:
            header_passed = True
            continue
        finished = groups.add(record)
        if finished is not None and finished.last_row > after_row:
            yield finished.built()
    finished = groups.take()
    if finished is not None and finished.last_row > after_row:
        yield finished.built()


class _Group:
    """Consecutive rows of one handle, and the rows among and behind them that belong to nothing."""

    def __init__(self, handle: str, columns: Columns, currency: str) -> None:
        self.handle = handle
        self.rows: list[Record] = []
        self.strays: list[RowProblem] = []
        self.last_row = 0
        self._columns = columns
        self._currency = currency

    def built(self) -> ProductRows:
        """Raises nothing: whatever is wrong with the rows is in `problems`, in the order of the rows."""
        result = ProductRows(self.last_row, self.handle, problems=self.strays)
        if self.rows:
            result.draft, problems = build_product(self.handle, self.rows, self._columns, self._currency)
            result.problems += problems
            result.problems.sort(key=lambda problem: problem.row or 0)
        return result


class _Groups:
    """Puts rows together by handle, holding one product at a time and a row number for each handle seen."""

    def __init__(self, columns: Columns, currency: str) -> None:
        self._columns = columns
        self._currency = currency
        self._first_row_of: dict[str, int] = {}
        self._group = _Group("", columns, currency)

    def add(self, record: Record | BrokenRecord) -> _Group | None:
        """The group that this row brings to an end, if it does."""
        if isinstance(record, BrokenRecord):
            return self._stray(RowProblem(record.row, None, record.message), record.row)
        handle, problem = self._handle_of(record)
        if problem is not None:
            return self._stray(problem, record.row)
        finished = None
        if handle != self._group.handle:
            finished = self.take()
            self._group.handle = handle
            self._first_row_of[handle] = record.row
        if len(self._group.rows) >= _MAX_ROWS_PER_PRODUCT:
            message = f"“{handle}” has more than {_MAX_ROWS_PER_PRODUCT:,} rows; this one is left out."
            return self._stray(RowProblem(record.row, self._columns.header("handle"), message), record.row)
        self._group.rows.append(record)
        self._group.last_row = record.row
        return finished

    def take(self) -> _Group | None:
        """The rows so far, and a fresh start; None where there were none."""
        group, self._group = self._group, _Group("", self._columns, self._currency)
        return group if group.rows or group.strays else None

    def _stray(self, problem: RowProblem, row: int) -> _Group | None:
        self._group.strays.append(problem)
        self._group.last_row = row
        return self.take() if len(self._group.strays) >= _MAX_STRAYS else None

    def _handle_of(self, record: Record) -> tuple[str, RowProblem | None]:
        column = self._columns.header("handle")
        cells = record.cells
        if any(cells[len(self._columns.headers) :]):
            message = (
                f"The row has {len(cells)} cells and the header {len(self._columns.headers)}; a comma may be missing "
                f"its quotation marks. The row is left out."
            )
            return "", RowProblem(record.row, None, message)
        index = self._columns.index_of["handle"]
        text = cells[index].strip() if index < len(cells) else ""
        if not text:
            return "", RowProblem(record.row, column, "The handle is missing; the row is left out.")
        try:
            handle = parse_handle(text)
        except ValueError as error:
            return "", RowProblem(record.row, column, f"{error}. The row is left out.")
        first_row = self._first_row_of.get(handle)
        if first_row is not None and handle != self._group.handle:
            message = (
                f"“{handle}” was already read from row {first_row}, and the rows of one product have to stand "
                f"together; the row is left out."
            )
            return "", RowProblem(record.row, column, message)
        return handle, None
