"""`tradewind catalogue export`: the products into a file, with a progress bar."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.catalogue.exporting.selecting import ExportFilters
from app.catalogue.exporting.service import Counts, export_file
from app.catalogue.models import ProductStatus
from app.runtime import running
from app.settings import Settings

STANDARD_OUTPUT = Path("-")


async def export_products(
    settings: Settings, file: Path, *, query: str | None, statuses: Sequence[str], force: bool, console: Console
) -> Counts:
    """Write the products that are asked for.

    Raises:
        DomainError: for a query that no list would take.
        OSError: the file cannot be written, or is there already and `force` does not say to replace it.
        ValueError: for an unknown status.
    """
    unknown = [name for name in statuses if name.upper() not in ProductStatus.__members__]
    if unknown:
        raise ValueError(f"There is no status {unknown[0]}; there are {', '.join(ProductStatus.__members__)}.")
    filters = ExportFilters(query=query, statuses=tuple(ProductStatus[name.upper()] for name in statuses))
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    async with running(settings):
        with _whole_or_not_at_all(file, force) as target, bar:
            task = bar.add_task(file.name, total=None)
            return await export_file(
                target, filters, on_progress=lambda done, total: bar.update(task, completed=done, total=total)
            )


@contextmanager
def _whole_or_not_at_all(file: Path, force: bool) -> Iterator[IO[bytes]]:
    """The file appears under its name when it is complete: what broke off would look like a small shop."""
    if file == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if file.exists() and not force:
        raise FileExistsError(f"{file} is there already; --force replaces it.")
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as target:
        try:
            yield target
            target.flush()
            os.chmod(target.name, 0o600)  # it holds what things cost the merchant
            os.replace(target.name, file)
        except BaseException:
            os.unlink(target.name)
            raise
