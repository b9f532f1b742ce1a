"""Every row of the table in docs/taxes.md is an order, and comes to what the page says."""

import re
from pathlib import Path

import pytest

from app.kit.money import Money
from app.pricing.rules import price
from tests.unit.tax.worked import EXAMPLES, Example

PAGE = Path(__file__).resolve().parents[3] / "docs" / "taxes.md"
ROW = re.compile(r"^\| `(?P<key>[a-z0-9-]+)` \|(?P<cells>.*)\|$", re.MULTILINE)


def rows() -> dict[str, list[str]]:
    """Cells by the example's key: rule, order, arithmetic, taxes, total."""
    found = ROW.findall(PAGE.read_text())
    assert len(found) == len(dict(found)), "a row stands twice in docs/taxes.md"
    return {key: [cell.strip() for cell in cells.split("|")] for key, cells in found}


def shown(minor: int, currency: str) -> str:
    return str(Money(minor, currency).decimal)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.key)
def test_an_order_comes_to_what_was_figured_by_hand(example: Example) -> None:
    result = price(example.order)
    taxes = tuple((tax.name, shown(tax.amount_minor, example.currency)) for tax in result.taxes)
    assert taxes == example.taxes
    assert shown(result.total_minor, example.currency) == example.total
    assert result.tax_minor == sum(part.tax_minor for part in result.lines) + (
        result.shipping.tax_minor if result.shipping else 0
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.key)
def test_the_page_says_the_same_as_the_test(example: Example) -> None:
    rule, _, arithmetic, taxes, total = rows()[example.key]
    assert rule == example.rule
    assert taxes == ("; ".join(f"{name}: {amount}" for name, amount in example.taxes) or "none")
    assert total == f"{example.currency} {example.total}"
    # The arithmetic is there, and ends in the figures.
    for _, amount in example.taxes:
        assert float(amount) == 0 or amount in arithmetic
    assert example.total in arithmetic


def test_the_page_has_no_row_that_nobody_tries() -> None:
    assert rows().keys() == {example.key for example in EXAMPLES}
