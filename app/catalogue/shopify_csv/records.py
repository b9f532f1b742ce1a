"""From lines to rows, as RFC 4180 has it, going on behind a broken row."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from app.catalogue.shopify_csv.text import FileRefused

MAX_CELL_CHARACTERS = 1024 * 1024
"""Shopify's own bodies stay far below; a longer cell is an open quotation mark that swallows the file."""
MAX_BROKEN_ROWS = 200
"""Behind each broken row the lines are read once more, so a file of nothing else would take for ever."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `row` counts as a spreadsheet does: the header is 1, and a cell with line breaks is still one row."""

    row: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    row: int
    message: str
    first_line: str


class _Lines:
    """The lines of the record at hand are kept, to be read again when it turns out to be no record."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        return line

    def accept(self) -> None:
        self._taken.clear()

    def give_back_all_but_the_first(self) -> str:
        first, *others = self._taken
        self._again.extendleft(reversed(others))
        self._taken.clear()
        return first


def records(lines: Iterator[str]) -> Iterator[Record | BrokenRecord]:
    """The rows of a comma-separated file. Empty rows are left out but counted.

    A row with a misplaced quotation mark is one `BrokenRecord`; reading goes on at the next line of the file.

    Raises:
        FileRefused: more than `MAX_BROKEN_ROWS` of them, or whatever `lines` raises, with the row added.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    buffered = _Lines(lines)
    reader = csv.reader(buffered, strict=True)
    row = 0
    broken = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            broken += 1
            if broken > MAX_BROKEN_ROWS:
                raise FileRefused("Too many rows have misplaced quotation marks; is this a CSV file?", row) from None
            yield BrokenRecord(row, _explain(error), buffered.give_back_all_but_the_first())
            continue
        except FileRefused as refusal:
            refusal.row = refusal.row or row
            raise
        buffered.accept()
        if any(cells):
            yield Record(row, cells)


def _explain(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text or "field larger" in text:
        return "A quotation mark is opened in this row and never closed; the row is left out."
    if "expected after" in text:
        return 'A quotation mark inside a quoted cell must be doubled (""); the row is left out.'
    return f"The row is not valid CSV ({text}); it is left out."
