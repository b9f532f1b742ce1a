"""One row, by field: its texts cleaned, its values parsed, its faults collected."""

from collections.abc import Callable
from typing import TypeVar

from app.catalogue.shopify_csv.columns import Columns
from app.catalogue.shopify_csv.drafts import RowProblem
from app.catalogue.shopify_csv.guarding import unguarded
from app.catalogue.shopify_csv.records import Record

T = TypeVar("T")


class Cells:
    def __init__(self, record: Record, columns: Columns) -> None:
        self.row = record.row
        self.problems: list[RowProblem] = []
        self._cells = record.cells
        self._columns = columns

    def text(self, field: str, unguard: Callable[[str], str] = unguarded) -> str:
        """The cell, trimmed; empty also where the file has no such column or the row ends before it.

        Args:
            unguard: takes off what keeps a spreadsheet from reading the text as a formula or a number.
        """
        return self.at(self._columns.index_of.get(field, -1), unguard)

    def at(self, index: int, unguard: Callable[[str], str] = unguarded) -> str:
        cell = self._cells[index] if 0 <= index < len(self._cells) else ""
        # PostgreSQL stores no NUL, and no text means anything by it.
        return unguard(cell.replace("\x00", "").strip()) if cell else ""

    def line(self, field: str, limit: int, consequence: str, unguard: Callable[[str], str] = unguarded) -> str:
        """A text of one line, at most `limit` characters, else a problem and nothing."""
        return self._within(field, limit, " ".join(self.text(field, unguard).split()), consequence)

    def paragraph(self, field: str, limit: int, consequence: str) -> str:
        """As `line`, with the line ends that it has."""
        return self._within(field, limit, self.text(field), consequence)

    def _within(self, field: str, limit: int, text: str, consequence: str) -> str:
        if len(text) <= limit:
            return text
        self.report(field, f"The text has {len(text):,} characters; {limit} are possible", consequence)
        return ""

    def parse(self, field: str, parser: Callable[[str], T], default: T, consequence: str) -> T:
        """What the cell says; `default` for an empty cell, and, with a problem, for one that cannot be read."""
        text = self.text(field)
        if not text:
            return default
        try:
            return parser(text)
        except ValueError as error:
            self.report(field, str(error), consequence)
            return default

    def report(self, field: str | None, fault: str, consequence: str) -> None:
        column = None if field is None else self._columns.header(field)
        self.problems.append(RowProblem(self.row, column, f"{fault}; {consequence}."))
