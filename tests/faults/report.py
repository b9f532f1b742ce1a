"""A table at the end of a run: each fault, what it cost, and how soon all was well again."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

_FIGURES = "figures"
Figures: TypeAlias = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full-length", action="store_true", help="faults last as long as those of a bad day: Redis is away for 60 s"
    )


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Notes what a fault cost: `figures("Redis flushed", lost=0, doubled=0, recovered_seconds=1.5, also="…")`."""

    def note(fault: str, *, lost: int, doubled: int, recovered_seconds: float, also: str = "") -> None:
        row = {"fault": fault, "lost": lost, "doubled": doubled, "seconds": recovered_seconds, "also": also}
        request.node.user_properties.append((_FIGURES, row))

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows: list[dict[str, Any]] = [
        row
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, row in report.user_properties
        if name == _FIGURES
    ]
    if not rows:
        return
    terminalreporter.section("faults")
    width = max(len(row["fault"]) for row in rows)
    terminalreporter.write_line(f"{'fault':<{width}}  lost  doubled  recovered")
    for row in sorted(rows, key=lambda row: str(row["fault"])):
        figures = f"{row['lost']:>4}  {row['doubled']:>7}  {row['seconds']:>7.1f} s"
        terminalreporter.write_line(f"{row['fault']:<{width}}  {figures}  {row['also']}".rstrip())
