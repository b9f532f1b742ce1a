"""Texts that a spreadsheet would run: `=HYPERLINK(…)` in a product's name, typed by whoever may name products.

https://owasp.org/www-community/attacks/CSV_Injection: an apostrophe before such a text makes it text. So that a file
comes back as it went out, what begins with an apostrophe gets one too, and reading takes one off again.
"""

_BEGINS_A_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""The last four are the first four in full width, which some spreadsheets take for the same."""
_TOLD_APART = _BEGINS_A_FORMULA | {"'"}


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if text[:1] in _TOLD_APART else text


def unguarded(cell: str) -> str:
    """The text of a cell. An apostrophe before anything else is part of it: `'Tis the season`."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in _TOLD_APART else cell
