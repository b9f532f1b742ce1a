"""`tradewind import`: a product file into the shop, with a progress bar and a report."""

import csv
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from app.audit import operators, recording
from app.catalogue.importing.service import ImportReport, import_file
from app.catalogue.shopify_csv import FileRefused, RowProblem
from app.runtime import running
from app.settings import Settings

SHOWN_PROBLEMS = 20


async def import_products(
    settings: Settings,
    file: Path,
    *,
    encoding: str | None,
    overwrite_stock: bool,
    problems_file: Path | None,
    console: Console,
) -> bool:
    """Imports the file and reports; whether every product of it is in the shop now."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    try:
        # One entry in the audit log, and none for each of thousands of rows.
        async with running(settings), operators.command("import"):
            with recording.unrecorded(), bar, file.open("rb") as source:
                task = bar.add_task(file.name, total=None)
                report = await import_file(
                    source,
                    encoding=encoding,
                    overwrite_stock=overwrite_stock,
                    on_progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
    except FileRefused as refusal:
        console.print(Text(f"Nothing was imported. {_place(refusal.row, refusal.column)}{refusal.message}"))
        return False
    _show(report, console)
    if problems_file is not None:
        _write(problems_file, report.problems)
    return report.counts.products_left_out == 0


def _show(report: ImportReport, console: Console) -> None:
    counts = report.counts
    table = Table("", "created", "updated", "unchanged", "left out", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    products = (counts.products_created, counts.products_updated, counts.products_unchanged, counts.products_left_out)
    table.add_row("products", *map(str, products))
    variants = (counts.variants_created, counts.variants_updated, counts.variants_unchanged)
    table.add_row("variants", *map(str, variants))
    console.print(table)
    for problem in report.problems[:SHOWN_PROBLEMS]:
        console.print(Text(f"{_place(problem.row, problem.column)}{problem.message}", style="yellow"), soft_wrap=True)
    if (more := report.problem_count - SHOWN_PROBLEMS) > 0:
        console.print(Text(f"… and {more} more; --problems FILE writes the first thousand.", style="yellow"))


def _place(row: int | None, column: str | None) -> str:
    return "".join(f"{part}: " for part in (row and f"row {row}", column) if part)


def _write(file: Path, problems: Sequence[RowProblem]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("row", "column", "problem"))
        writer.writerows((problem.row, problem.column, problem.message) for problem in problems)
